use super::probe::{Absence, Probe, Sensor};
use super::{ErrorKind, SensorError, Visible};
use crate::energy::{Meter, Reading};
use crate::quantity::{Domain, Energy, Kind, Method, Power};
use nvml_wrapper::Device;
use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use std::sync::OnceLock;
use std::time::Duration;

/// The library is started once a process and never shut down: shutting down while a thread reads would be a race, and a
/// driver without the symbol would panic.
static NVML: OnceLock<Result<Nvml, NvmlError>> = OnceLock::new();

/// The counter is renewed about every 100 ms (20 to 100 ms by model: ml.energy; Alumet's documentation).
const UPDATE_PERIOD: Duration = Duration::from_millis(100);

/// No board draws more: the largest of 2026 (GB300) is rated 1400 W.
const CEILING: Power = Power::from_watts(3000.0);

/// A board as NVML sees it.
struct Gpu {
    device: Device<'static>,
    meter: Meter,
    counts: bool,
}

/// Starts NVML and looks for the devices a run was given. Can take seconds: call it on a thread of its own.
#[must_use]
pub fn probe(visible: &Visible) -> Probe {
    match find(visible) {
        Ok(sensors) => Probe::Found(sensors),
        Err(why) => Probe::Absent(Absence { sensor: "NVML", instead: "no NVIDIA GPU is counted", why }),
    }
}

fn find(visible: &Visible) -> Result<Vec<Box<dyn Sensor>>, SensorError> {
    let nvml = NVML.get_or_init(Nvml::init).as_ref().map_err(starting)?;
    let count = nvml.device_count().map_err(|error| reading("the number of GPUs", &error))?;
    let mut devices = Vec::new();
    for index in 0..count {
        let device = nvml.device_by_index(index);
        devices.push(device.and_then(|device| Ok((device.uuid()?, device))));
    }
    // A device that does not even tell its UUID keeps its place in the order, under a name nobody asks for.
    let uuids: Vec<String> = devices
        .iter()
        .map(|device| device.as_ref().map_or_else(|error| format!("? {error}"), |(uuid, _)| uuid.clone()))
        .collect();
    let selection = visible.select(&uuids);
    let mut sensors: Vec<Box<dyn Sensor>> = Vec::new();
    let mut failed = selection.invalid.map(|entry| {
        SensorError::missing(format!(
            "the list of visible devices names `{entry}`, which is none of the {count} GPUs"
        ))
    });
    for (index, device) in (0..).zip(devices) {
        if !usize::try_from(index).is_ok_and(|position| selection.devices.contains(&position)) {
            continue;
        }
        match device
            .map_err(|error| reading(&format!("GPU {index}"), &error))
            .and_then(|(uuid, device)| Gpu::open(index, uuid, device))
        {
            Ok(gpu) => sensors.push(Box::new(gpu)),
            Err(why) => failed = failed.or(Some(why)),
        }
    }
    if sensors.is_empty() {
        Err(failed.unwrap_or_else(|| {
            SensorError::missing(if count == 0 {
                "the driver knows no GPU"
            } else {
                "the run was given no GPU"
            })
        }))
    } else {
        Ok(sensors)
    }
}

impl Gpu {
    /// Energy counter first (Volta and newer), power otherwise.
    fn open(index: u32, uuid: String, device: Device<'static>) -> Result<Self, SensorError> {
        let counts = device.total_energy_consumption().is_ok();
        if !counts && let Err(error) = device.power_usage() {
            return Err(reading(&format!("GPU {index} gives neither energy nor power"), &error));
        }
        Ok(Self {
            meter: Meter {
                domain: Domain::new(Kind::Gpu, index),
                name: device.name().unwrap_or_else(|_| "NVIDIA GPU".into()),
                uuid: Some(uuid),
                method: if counts { Method::NvmlEnergyCounter } else { Method::NvmlPower },
                wraps_at: None,
                ceiling: CEILING,
                update_period: UPDATE_PERIOD,
            },
            device,
            counts,
        })
    }
}

impl Sensor for Gpu {
    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn read(&mut self, _at: Duration) -> Result<Reading, SensorError> {
        let power = self.device.power_usage().map(Power::from_milliwatts);
        if self.counts {
            let energy = self.device.total_energy_consumption().map_err(|error| reading("energy", &error))?;
            let counter = Reading::counter(Energy::from_millijoules(energy));
            Ok(power.map_or(counter, |power| counter.with_power(power)))
        } else {
            power.map(Reading::gauge).map_err(|error| reading("power", &error))
        }
    }
}

fn starting(error: &NvmlError) -> SensorError {
    match error {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => {
            SensorError::missing("no NVIDIA driver library (libnvidia-ml.so.1) on this machine")
        }
        NvmlError::DriverNotLoaded => SensorError::missing("the NVIDIA driver is installed but not loaded")
            .with_remedy("sudo modprobe nvidia"),
        NvmlError::LibRmVersionMismatch => {
            SensorError::missing("the NVIDIA library and the loaded driver are of different versions")
                .with_remedy("reboot, or reload the nvidia kernel modules")
        }
        NvmlError::NoPermission => SensorError {
            kind: ErrorKind::Denied,
            ..SensorError::missing("the NVIDIA driver refuses this user").with_remedy("ls -l /dev/nvidia*")
        },
        other => SensorError::missing(format!("NVML did not start: {other}")),
    }
}

fn reading(what: &str, error: &NvmlError) -> SensorError {
    let kind = match error {
        NvmlError::GpuLost | NvmlError::ResetRequired => ErrorKind::Fatal,
        NvmlError::NoPermission => ErrorKind::Denied,
        _ => ErrorKind::Retry,
    };
    SensorError { kind, ..SensorError::missing(format!("{what}: {error}")) }
}
