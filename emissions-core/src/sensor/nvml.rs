use super::probe::{Absence, Sensor, Survey};
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
pub fn probe(visible: &Visible) -> Survey {
    match devices() {
        Ok(devices) => open_visible(devices, visible),
        Err(why) => Survey::absent(absence(why)),
    }
}

/// A device and its UUID, or why it does not tell.
type Found = Result<(String, Device<'static>), NvmlError>;

fn devices() -> Result<Vec<Found>, SensorError> {
    let nvml = NVML.get_or_init(Nvml::init).as_ref().map_err(starting)?;
    let count = nvml.device_count().map_err(|error| reading("the number of GPUs", &error))?;
    let open = |index| nvml.device_by_index(index).and_then(|device| Ok((device.uuid()?, device)));
    Ok((0..count).map(open).collect())
}

fn open_visible(devices: Vec<Found>, visible: &Visible) -> Survey {
    // A device that does not even tell its UUID keeps its place in the order, under a name nobody asks for.
    let uuid =
        |device: &Found| device.as_ref().map_or_else(|error| format!("? {error}"), |(uuid, _)| uuid.clone());
    let uuids: Vec<String> = devices.iter().map(uuid).collect();
    let selection = visible.select(&uuids);
    let mut survey = Survey::default();
    for (index, device) in (0..).zip(devices) {
        if !selection.devices.contains(&index) {
            continue;
        }
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let opened = device
            .map_err(|error| reading(&format!("GPU {number}"), &error))
            .and_then(|(uuid, device)| Gpu::open(number, uuid, device));
        match opened {
            Ok(gpu) => survey.sensors.push(Box::new(gpu)),
            Err(why) => survey.absences.push(absence(why)),
        }
    }
    if let Some(entry) = selection.invalid {
        let what =
            format!("the list of visible devices names `{entry}`, which is none of the {} GPUs", uuids.len());
        let why = SensorError::missing(what).with_remedy("echo $CUDA_VISIBLE_DEVICES; nvidia-smi -L");
        survey.absences.push(absence(why));
    }
    if survey.sensors.is_empty() && survey.absences.is_empty() {
        let (kind, what) = if uuids.is_empty() {
            (ErrorKind::Missing, "the driver knows no GPU")
        } else {
            (ErrorKind::Denied, "the run was given none of the GPUs")
        };
        survey.absences.push(absence(SensorError { kind, ..SensorError::missing(what) }));
    }
    survey
}

fn absence(why: SensorError) -> Absence {
    Absence { sensor: "NVML", instead: "NVIDIA GPUs are not counted", why }
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
        other => SensorError {
            kind: ErrorKind::Retry,
            ..SensorError::missing(format!("it did not start: {other}"))
        },
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
