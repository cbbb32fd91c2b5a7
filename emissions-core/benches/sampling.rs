//! What a round of sampling costs on a large machine: reading its sensors, entering them into the books, and making a
//! footprint of the books (once a journal line, not once a round).
//!
//! A fixture tree stands for the machine. Its files lie in the page cache, so that this is our cost and the system calls',
//! not the processor's: a real RAPL file makes the kernel read a register.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use emissions_core::energy::{Ledger, Meter, MeterId, Reading, Rules};
use emissions_core::footprint::{Footprint, PlatformModel, assume_pue};
use emissions_core::intensity::{Place, Quote};
use emissions_core::quantity::{Domain, Energy, GivenBy, Kind, Method, Power, Site};
use emissions_core::sensor::{Host, Survey};
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

const SECOND: Duration = Duration::from_secs(1);
const RULES: Rules = Rules { longest_step: Duration::from_secs(3) };
const PROCESSORS: usize = 128;

/// Eight boards, two sockets and their memory.
const METERS: [(Kind, u32, Method); 3] = [
    (Kind::Gpu, 8, Method::NvmlEnergyCounter),
    (Kind::Cpu, 2, Method::Rapl),
    (Kind::Memory, 2, Method::Rapl),
];

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    for (name, has_rapl) in [("RAPL of 2 sockets", true), ("models of 128 processors", false)] {
        let tree = tempfile::tempdir().unwrap_or_else(|error| unreachable!("{error}"));
        build(tree.path(), has_rapl).unwrap_or_else(|error| unreachable!("{error}"));
        let mut sensors = Survey::of(&Host::at(tree.path())).sensors;
        assert_eq!(sensors.len(), if has_rapl { 4 } else { 2 });
        let mut at = Duration::ZERO;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                at += SECOND;
                for sensor in &mut sensors {
                    assert!(black_box(sensor.read(at)).is_ok());
                }
            });
        });
    }
    group.finish();
}

fn recording(criterion: &mut Criterion) {
    criterion.bench_function("record 12 meters", |bencher| {
        let (mut ledger, meters) = books();
        let mut round = 0;
        bencher.iter(|| {
            round += 1;
            record(&mut ledger, &meters, round);
        });
    });
}

fn making_a_footprint(criterion: &mut Criterion) {
    let (mut ledger, meters) = books();
    (1..=3600).for_each(|round| record(&mut ledger, &meters, round));
    let end = SECOND * 3600;
    let pue = assume_pue(Site::DataCentre);
    let quote = Place::resolve("FRA")
        .and_then(|place| Quote::of(place, GivenBy::Caller))
        .unwrap_or_else(|error| unreachable!("{error}"));
    criterion.bench_function("footprint of 12 meters", |bencher| {
        // The result is dropped outside the clock.
        bencher.iter_batched(
            || Some(PlatformModel::default()),
            |platform| Footprint::of(ledger.totals_at(end), platform, end, &pue, &quote),
            BatchSize::SmallInput,
        );
    });
}

fn books() -> (Ledger, Vec<MeterId>) {
    let mut ledger = Ledger::new(RULES);
    let meters = METERS
        .into_iter()
        .flat_map(|(kind, count, method)| {
            (0..count).map(move |index| meter(Domain::new(kind, index), method))
        })
        .map(|meter| ledger.open(meter))
        .collect();
    (ledger, meters)
}

fn meter(domain: Domain, method: Method) -> Meter {
    Meter {
        domain,
        name: "a device with a name of usual length".into(),
        uuid: None,
        method,
        wraps_at: Some(Energy::from_joules(262_143.328_85)),
        ceiling: Power::from_watts(2000.0),
        update_period: Duration::from_millis(1),
    }
}

/// Every meter draws 250 W; the counters wrap as they do in life.
fn record(ledger: &mut Ledger, meters: &[MeterId], round: u32) {
    let counter = Energy::from_joules((250.0 * f64::from(round)) % 262_143.328_85);
    let reading = Reading::counter(counter).with_power(Power::from_watts(250.0));
    for &meter in meters {
        black_box(ledger.record(meter, SECOND * round, reading));
    }
}

fn build(root: &Path, has_rapl: bool) -> io::Result<()> {
    fs::create_dir_all(root.join("proc"))?;
    fs::write(root.join("proc/meminfo"), "MemTotal:       1056316884 kB\nMemFree: 1 kB\n")?;
    let mut stat = String::from("cpu  10132153 290696 3084719 46828483 16683 0 25195 0 175628 0\n");
    for cpu in 0..PROCESSORS {
        stat += &format!("cpu{cpu} 1393280 32966 572056 13343292 6130 0 17875 0 23933 0\n");
    }
    fs::write(root.join("proc/stat"), stat)?;
    if has_rapl {
        for socket in 0..2 {
            zone(root, &format!("intel-rapl:{socket}"), &format!("package-{socket}"))?;
            zone(root, &format!("intel-rapl:{socket}:0"), "dram")?;
        }
    }
    Ok(())
}

fn zone(root: &Path, folder: &str, name: &str) -> io::Result<()> {
    let folder = root.join("sys/class/powercap").join(folder);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("name"), format!("{name}\n"))?;
    fs::write(folder.join("energy_uj"), "124599532281\n")?;
    fs::write(folder.join("max_energy_range_uj"), "262143328850\n")
}

criterion_group!(benches, reading, recording, making_a_footprint);
criterion_main!(benches);
