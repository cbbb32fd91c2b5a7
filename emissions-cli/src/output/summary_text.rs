use super::numbers::{Unit, energy_unit, grams, interval, significant, span};
use super::screen::Screen;
use crate::time_zone;
use emissions_core::quantity::{Basis, Boundary, GivenBy, Kind, Method};
use emissions_core::record::{ComponentRecord, Exit, Interval, Role, Status, Summary};

/// What a person reads about a run. Every figure with its bounds and its method; figures agree with each other.
pub fn summary_text(summary: &Summary, telling: Telling) -> String {
    let screen = telling.screen;
    let mut text = format!("{}\n", screen.bold(&title(summary)));
    let mut line = |label: &str, body: String| text.push_str(&screen.paragraph(label, &body));
    match (&summary.emissions_g, &summary.energy_kwh) {
        (Some(emissions), Some(energy)) => {
            let unit = energy_unit(energy.value);
            if is_placed(summary) {
                line("Emissions", format!("{}   {}", grams(emissions), intensity(summary)));
                line("Energy", energy_line(summary, unit));
            } else {
                line("Energy", energy_line(summary, unit));
                line("Emissions", format!("{}   {}", grams(emissions), anywhere(summary, telling.here)));
            }
            for (label, basis) in [("Measured", Basis::Measured), ("Modelled", Basis::Modelled)] {
                if let Some(body) = components_line(summary, basis, energy.value, unit) {
                    line(label, body);
                }
            }
        }
        _ => line("Energy", "unknown: nothing could be measured or modelled".into()),
    }
    if telling.verbose {
        for component in &summary.components {
            line(&component.id, component_text(component));
        }
    }
    let uncounted = match summary.boundary {
        Boundary::Node => "network, storage servers, manufacture",
        Boundary::Components => {
            "mainboard, fans, disks, power supplies, network, storage servers, manufacture"
        }
    };
    line("Not counted", uncounted.into());
    for note in &summary.notes {
        line("Note", note.clone());
    }
    text
}

/// How a summary is told.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    pub screen: Screen,
    /// Every component on a line of its own, with its readings and gaps.
    pub verbose: bool,
    /// The run was here and now: this machine's clock may propose a place.
    pub here: bool,
}

/// Whether somebody said where the run was.
fn is_placed(summary: &Summary) -> bool {
    summary.place.as_ref().is_none_or(|place| place.given_by != GivenBy::Default)
}

fn title(summary: &Summary) -> String {
    let command = summary
        .command
        .as_ref()
        .and_then(|command| command.first())
        .map(|program| program.rsplit('/').next().unwrap_or(program).to_owned());
    let label = summary
        .name
        .clone()
        .or_else(|| summary.training.clone())
        .or_else(|| summary.project.clone())
        .or(command)
        .unwrap_or_else(|| summary.id.clone());
    let mut parts = vec![label];
    if summary.training.is_some() || summary.role != Role::Final {
        parts.push(summary.role.as_str().to_owned());
    }
    if summary.training.is_some() {
        parts.push(format!("attempt {}", summary.attempt));
    }
    parts.push(span(summary.duration_s));
    if summary.stopped_s >= 0.05 {
        parts.push(format!("stopped {}", span(summary.stopped_s)));
    }
    match (summary.status, summary.exit) {
        (_, Some(Exit { code: Some(code), .. })) => parts.push(format!("exit {code}")),
        (_, Some(Exit { signal: Some(signal), .. })) => parts.push(format!("ended by signal {signal}")),
        (Status::Completed, _) => {}
        (status, _) => parts.push(status.as_str().to_owned()),
    }
    parts.join(" · ")
}

fn intensity(summary: &Summary) -> String {
    let intensity = &summary.intensity;
    let value = significant(intensity.g_per_kwh.value, 3);
    let Some(year) = intensity.year else {
        return format!("{value} g/kWh, {}", intensity.source);
    };
    let place = summary.place.as_ref().map_or("", |place| place.name.as_str());
    let factors = intensity.factors.as_deref().unwrap_or("");
    // The publisher's name; the record has edition and licence too.
    let publisher = intensity.source.split([',', ';']).next().unwrap_or_default();
    format!("{place} {year}, {value} g/kWh {factors} average ({publisher})")
}

/// Nobody said where: the range of the world's grids, and what to do about it.
fn anywhere(summary: &Summary, here: bool) -> String {
    let world = &summary.intensity.g_per_kwh;
    let range = format!(
        "somewhere in the world: {} g/kWh on average, its grids {}–{}.",
        significant(world.value, 3),
        significant(world.low, 2),
        significant(world.high, 2)
    );
    match time_zone::proposal().filter(|_| here) {
        Some((zone, country)) => {
            format!("{range} Your clock says {zone}: --place {}", country.alpha3)
        }
        None => format!("{range} Say where: --place FRA"),
    }
}

fn energy_line(summary: &Summary, unit: Unit) -> String {
    let (Some(energy), Some(facility)) = (summary.energy_kwh, summary.facility_energy_kwh) else {
        return String::new();
    };
    let pue = summary.pue;
    let origin = match pue.given_by {
        GivenBy::Assumed => {
            format!(" (assumed {}–{}: set --pue)", significant(pue.low, 2), significant(pue.high, 2))
        }
        GivenBy::Machine => " (a laptop or desktop)".into(),
        _ => String::new(),
    };
    let what = match summary.boundary {
        Boundary::Node => "node",
        Boundary::Components => "chips",
    };
    let mut line = format!(
        "{} {} ({}) = {what} {} × PUE {:.2}{origin}",
        significant(facility.value / unit.size, 3),
        unit.name,
        interval(&facility, unit),
        significant(energy.value / unit.size, 3),
        pue.value
    );
    if summary.components.iter().all(|component| component.basis != Basis::Measured) {
        let mut methods: Vec<&str> = Vec::new();
        for component in &summary.components {
            if !methods.contains(&component.method.words()) {
                methods.push(component.method.words());
            }
        }
        line.push_str(&format!("; nothing measured: {}", methods.join(", ")));
    }
    line
}

/// `16.9 kWh 82 %   4 × H100 15.2 NVML counter · CPU 1.4 RAPL`: all components of one basis, in the unit of the whole.
fn components_line(summary: &Summary, basis: Basis, whole_kwh: f64, unit: Unit) -> Option<String> {
    let components: Vec<&ComponentRecord> =
        summary.components.iter().filter(|component| component.basis == basis).collect();
    if components.is_empty() {
        return None;
    }
    let kwh: f64 = components.iter().map(|component| component.energy_kwh.value).sum();
    let share = if whole_kwh > 0.0 { kwh / whole_kwh * 100.0 } else { 0.0 };
    let mut groups: Vec<Group> = Vec::new();
    for component in components {
        let name = name_of(component);
        match groups.iter_mut().find(|group| group.name == name && group.method == component.method) {
            Some(group) => group.add(component),
            None => {
                groups.push(Group { name, method: component.method, count: 1, energy: component.energy_kwh })
            }
        }
    }
    let parts: Vec<String> = groups.iter().map(|group| group.show(unit)).collect();
    let kwh = significant(kwh / unit.size, 3);
    Some(format!("{kwh} {} {share:.0} %   {}", unit.name, parts.join(" · ")))
}

/// One component with all that is known of it.
fn component_text(component: &ComponentRecord) -> String {
    let unit = energy_unit(component.energy_kwh.value);
    let energy = significant(component.energy_kwh.value / unit.size, 3);
    let bounds = interval(&component.energy_kwh, unit);
    let samples = component.samples.map(|samples| format!(" · {samples} readings")).unwrap_or_default();
    let gap =
        if component.gap_s > 0.0 { format!(" · {} without", span(component.gap_s)) } else { String::new() };
    format!(
        "{energy} {} ({bounds}) · {} · {}{samples}{gap}",
        unit.name,
        component.name,
        component.method.words()
    )
}

struct Group {
    name: String,
    method: Method,
    count: u32,
    energy: Interval,
}

impl Group {
    /// Devices by one method err together: bounds add.
    fn add(&mut self, component: &ComponentRecord) {
        self.count += 1;
        self.energy.value += component.energy_kwh.value;
        self.energy.low += component.energy_kwh.low;
        self.energy.high += component.energy_kwh.high;
    }

    fn show(&self, unit: Unit) -> String {
        let count = if self.count > 1 { format!("{} × ", self.count) } else { String::new() };
        let energy = significant(self.energy.value / unit.size, 3);
        format!("{count}{} {energy} ({}) {}", self.name, interval(&self.energy, unit), self.method.words())
    }
}

fn name_of(component: &ComponentRecord) -> String {
    match component.kind {
        Kind::Memory if component.method == Method::Rapl => "DRAM".into(),
        Kind::Gpu => component.name.strip_prefix("NVIDIA ").unwrap_or(&component.name).to_owned(),
        Kind::Cpu => "CPU".into(),
        Kind::Memory => "memory".into(),
        Kind::Platform | Kind::Node => component.name.clone(),
    }
}
