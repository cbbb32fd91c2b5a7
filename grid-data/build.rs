//! Turns the tables in `data/` into sorted constants, so that nothing is parsed or allocated at start-up, and
//! refuses a table that contradicts itself or another.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::{env, fs};

use csv::Reader;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=data");

    let codes = Table::read("data/codes.csv", ["alpha3", "alpha2", "name", "aliases"])?;
    let tables = [countries(&codes), names(&codes)?, intensities(&codes)?, zones(&codes)?].concat();

    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(Path::new(&out).join("tables.rs"), tables)?;
    Ok(())
}

fn countries(codes: &Table<4>) -> String {
    constants(
        "COUNTRIES",
        "Country",
        &codes.rows,
        |Row { fields: [alpha3, alpha2, name, aliases], .. }| {
            let aliases: Vec<_> = split(aliases).collect();
            format!(
                "Country {{ alpha3: {alpha3:?}, alpha2: {alpha2:?}, name: {name:?}, aliases: &{aliases:?} }}"
            )
        },
    )
}

/// Every code, name and alias in lower case, with its country: one look-up for whatever people type.
fn names(codes: &Table<4>) -> Result<String> {
    let mut spellings: BTreeMap<String, usize> = BTreeMap::new();
    for (index, row) in codes.rows.iter().enumerate() {
        let [alpha3, alpha2, name, aliases] = &row.fields;
        for spelling in [alpha3.as_str(), alpha2, name].into_iter().chain(split(aliases)) {
            if *spellings.entry(spelling.to_lowercase()).or_insert(index) != index {
                return Err(codes.fail(row, &format!("{spelling} already names another country")));
            }
        }
    }
    Ok(constants("NAMES", "(&str, &Country)", &spellings, |(spelling, index)| {
        format!("({spelling:?}, &COUNTRIES[{index}])")
    }))
}

fn intensities(codes: &Table<4>) -> Result<String> {
    let table = Table::read(
        "data/countries.csv",
        [
            "place_id",
            "name",
            "alpha2",
            "kind",
            "year",
            "g_per_kwh",
            "factors",
            "flow",
            "method",
            "source",
            "licence",
        ],
    )?;
    let mut rows = Vec::new();
    let mut world = None;
    for row in &table.rows {
        // The licence is the source's: a unit test holds the column against it.
        let [place_id, name, alpha2, kind, year, g_per_kwh, factors, flow, method, source, _] = &row.fields;
        let fail = |problem: &str| table.fail(row, problem);

        let year: u16 = year.parse().map_err(|_| fail("the year is no number"))?;
        let g_per_kwh: f64 = g_per_kwh.parse().map_err(|_| fail("the intensity is no number"))?;
        if !(g_per_kwh.is_finite() && g_per_kwh > 0.0) {
            return Err(fail("no grid has this intensity"));
        }
        let factors = match factors.as_str() {
            "life-cycle" => "LifeCycle",
            "direct" => "Direct",
            _ => return Err(fail("factors are `life-cycle` or `direct`")),
        };
        let flow = match flow.as_str() {
            "generation" => "Generation",
            "consumption" => "Consumption",
            _ => return Err(fail("flow is `generation` or `consumption`")),
        };
        if method != "average" {
            return Err(fail("only average intensities belong here: marginal ones answer another question"));
        }
        let source = match source.as_str() {
            "owid" => "OWID",
            _ => return Err(fail("src/source.rs does not know this source")),
        };
        let value = format!(
            "IntensityRow {{ place_id: {place_id:?}, year: {year}, g_per_kwh: {g_per_kwh:?}, \
             factors: Factors::{factors}, flow: Flow::{flow}, source: &{source} }}"
        );
        match kind.as_str() {
            "world" => world = Some(value),
            "country" => {
                if !codes.rows.iter().any(|code| code.fields.iter().take(3).eq([place_id, alpha2, name])) {
                    return Err(fail("codes.csv says otherwise: run grid-data-builder again"));
                }
                rows.push(value);
            }
            _ => return Err(fail("kind is `country` or `world`")),
        }
    }
    let world = world.ok_or("data/countries.csv: no row for the world")?;
    Ok(constants("INTENSITIES", "IntensityRow", &rows, String::clone)
        + &format!("pub static WORLD: IntensityRow = {world};\n"))
}

fn zones(codes: &Table<4>) -> Result<String> {
    let table = Table::read("data/timezones.csv", ["zone", "alpha2"])?;
    let mut zones = Vec::new();
    for row in &table.rows {
        let [zone, alpha2] = &row.fields;
        let index = codes.rows.iter().position(|code| code.fields[1] == *alpha2);
        let index = index.ok_or_else(|| table.fail(row, "codes.csv has no such alpha-2 code"))?;
        zones.push((zone, index));
    }
    Ok(constants("ZONES", "(&str, &Country)", &zones, |(zone, index)| {
        format!("({zone:?}, &COUNTRIES[{index}])")
    }))
}

/// `pub static NAME: [TYPE; n] = [...];`
fn constants<Item>(
    name: &str,
    of: &str,
    items: impl IntoIterator<Item = Item, IntoIter: ExactSizeIterator>,
    value: impl Fn(Item) -> String,
) -> String {
    let items = items.into_iter();
    let mut text = format!("pub static {name}: [{of}; {}] = [\n", items.len());
    for item in items {
        text += &format!("    {},\n", value(item));
    }
    text + "];\n"
}

fn split(aliases: &str) -> impl Iterator<Item = &str> {
    aliases.split(';').filter(|alias| !alias.is_empty())
}

/// A CSV file whose first column is its key, in strictly ascending order.
struct Table<const COLUMNS: usize> {
    path: &'static str,
    rows: Vec<Row<COLUMNS>>,
}

struct Row<const COLUMNS: usize> {
    line: u64,
    fields: [String; COLUMNS],
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    fn read(path: &'static str, columns: [&str; COLUMNS]) -> Result<Self> {
        let mut reader = Reader::from_path(path).map_err(|error| format!("{path}: {error}"))?;
        if reader.headers()? != columns.as_slice() {
            return Err(format!("{path}:1: the columns are not {columns:?}").into());
        }
        let mut table = Self { path, rows: Vec::new() };
        for record in reader.records() {
            let record = record.map_err(|error| format!("{path}: {error}"))?;
            let line = record.position().map_or(0, csv::Position::line);
            let fields: Vec<String> = record.iter().map(str::to_owned).collect();
            let fields = fields.try_into().map_err(|_| format!("{path}:{line}: not {COLUMNS} fields"))?;
            table.rows.push(Row { line, fields });
        }
        for pair in table.rows.windows(2) {
            if let [before, row] = pair
                && before.fields[0] >= row.fields[0]
            {
                return Err(table.fail(row, "not sorted, or there twice"));
            }
        }
        Ok(table)
    }

    fn fail(&self, row: &Row<COLUMNS>, problem: &str) -> Box<dyn Error> {
        format!("{}:{}: {problem}", self.path, row.line).into()
    }
}
