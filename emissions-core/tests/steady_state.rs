//! Sampling allocates nothing: after the first rounds a run of a month uses the memory of a run of a minute, and the
//! sampler never waits for the allocator that the training holds.

#![cfg(feature = "sensors")]

use allocation_counter::measure;
use emissions_core::energy::{Ledger, MeterId, Rules};
use emissions_core::quantity::Method;
use emissions_core::sensor::{Host, Sensor, Survey};
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

type Tested = Result<(), Box<dyn Error>>;

const SECOND: Duration = Duration::from_secs(1);
const WARM_UP: u32 = 3;
const ROUNDS: u32 = 100;

/// A machine of two sockets, of two zones each: 100 W a package, 10 W its memory.
const ZONES: [(&str, &str, u64); 4] = [
    ("intel-rapl:0", "package-0", 100),
    ("intel-rapl:0:0", "dram", 10),
    ("intel-rapl:1", "package-1", 100),
    ("intel-rapl:1:0", "dram", 10),
];

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(black_box(Box::new(1)))).count_total, 1);
}

#[test]
fn reading_rapl_and_recording_it_allocates_nothing() -> Tested {
    let tree = tempfile::tempdir()?;
    for (folder, name, _) in ZONES {
        let zone = tree.path().join("sys/class/powercap").join(folder);
        fs::create_dir_all(&zone)?;
        fs::write(zone.join("name"), name)?;
        fs::write(zone.join("max_energy_range_uj"), "262143328850\n")?;
    }
    let run = play(tree.path(), |root, round| {
        ZONES.into_iter().try_for_each(|(folder, _, watts)| {
            let energy_uj = u64::from(round) * watts * 1_000_000;
            fs::write(
                root.join("sys/class/powercap").join(folder).join("energy_uj"),
                format!("{energy_uj}\n"),
            )
        })
    })?;
    assert_eq!(run.methods, [Method::Rapl; 4]);
    assert_eq!(run.allocations, 0);
    // 102 s between the first and the last of 103 readings, at 220 W.
    assert!((run.joules - 22_440.0).abs() < 1e-6, "{}", run.joules);
    Ok(())
}

#[test]
fn the_models_and_recording_them_allocate_nothing() -> Tested {
    let tree = tempfile::tempdir()?;
    fs::create_dir_all(tree.path().join("proc"))?;
    fs::write(tree.path().join("proc/meminfo"), "MemTotal:       15625000 kB\n")?;
    let run = play(tree.path(), |root, round| {
        // Four processors, all of them busy: 100 ticks a second each.
        let busy = round * 400;
        let each = format!("{} 0 0 0 0 0 0 0 0 0\n", round * 100);
        let stat = format!("cpu  {busy} 0 0 0 0 0 0 0 0 0\ncpu0 {each}cpu1 {each}cpu2 {each}cpu3 {each}");
        fs::write(root.join("proc/stat"), stat)
    })?;
    assert_eq!(run.methods, [Method::CpuLoadModel, Method::MemoryModel]);
    assert_eq!(run.allocations, 0);
    // 102 s at 4 x (0.75 + 4.2) W for the processors and 0.375 W for each of 16 GB.
    assert!((run.joules - 102.0 * (19.8 + 6.0)).abs() < 1e-6, "{}", run.joules);
    Ok(())
}

struct Run {
    methods: Vec<Method>,
    /// After the warm-up.
    allocations: u64,
    joules: f64,
}

/// Samples the machine under `root` once a second. `advance` lets a second pass on it.
fn play(root: &Path, advance: impl Fn(&Path, u32) -> io::Result<()>) -> Result<Run, Box<dyn Error>> {
    advance(root, 0)?;
    let mut ledger = Ledger::new(Rules { longest_step: SECOND * 3 });
    let mut sensors: Vec<(MeterId, Box<dyn Sensor>)> = Survey::of(&Host::at(root))
        .sensors
        .into_iter()
        .map(|sensor| (ledger.open(sensor.meter().clone()), sensor))
        .collect();
    let mut allocations = 0;
    for round in 0..WARM_UP + ROUNDS {
        advance(root, round)?;
        let mut outcome = Ok(());
        let counted = measure(|| outcome = sample(&mut sensors, &mut ledger, SECOND * round));
        outcome?;
        if round >= WARM_UP {
            allocations += counted.count_total;
        }
    }
    let end = SECOND * (WARM_UP + ROUNDS - 1);
    Ok(Run {
        methods: sensors.iter().map(|(_, sensor)| sensor.meter().method).collect(),
        allocations,
        joules: ledger.totals_at(end).map(|(_, total)| total.energy().as_joules()).sum(),
    })
}

/// One round of the sampler.
fn sample(
    sensors: &mut [(MeterId, Box<dyn Sensor>)],
    ledger: &mut Ledger,
    at: Duration,
) -> Result<(), Box<dyn Error>> {
    for (id, sensor) in sensors {
        ledger.record(*id, at, sensor.read(at)?);
    }
    Ok(())
}
