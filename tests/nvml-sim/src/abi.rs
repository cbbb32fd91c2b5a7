//! The C functions, under their NVML names and with NVML's parameters. All unsafe code of the crate is here.

#![allow(non_snake_case)]

use std::ffi::{CStr, c_char, c_int, c_longlong, c_uint, c_ulonglong, c_void};
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::play;
use crate::script::{Gpu, Script};

/// An NVML return code.
type Code = c_uint;
/// Index + 1 of a GPU, as an opaque pointer.
type Handle = *mut c_void;
/// Where a function writes a result: to C a `T *` that may be null.
type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

const SUCCESS: Code = 0;
const UNINITIALIZED: Code = 1;
const INVALID_ARGUMENT: Code = 2;
const NOT_SUPPORTED: Code = 3;
const NOT_FOUND: Code = 6;
const INSUFFICIENT_SIZE: Code = 7;
const UNKNOWN: Code = 999;

const ARCHITECTURE_HOPPER: c_uint = 9;
const MEMORY_TOTAL: u64 = 81_559 << 20;
const MEMORY_RESERVED: u64 = 500 << 20;
const MEMORY_USED: u64 = 1 << 30;

/// `nvmlUtilization_t`
#[repr(C)]
pub struct Utilization {
    gpu: c_uint,
    memory: c_uint,
}

/// `nvmlMemory_t`
#[repr(C)]
pub struct Memory {
    total: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

/// `nvmlMemory_v2_t`
#[repr(C)]
pub struct MemoryV2 {
    version: c_uint,
    total: c_ulonglong,
    reserved: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

/// `nvmlFieldValue_t`; `value` stands for the union of number types.
#[repr(C)]
pub struct FieldValue {
    field_id: c_uint,
    scope_id: c_uint,
    timestamp: c_longlong,
    latency_us: c_longlong,
    value_type: c_uint,
    code: Code,
    value: c_ulonglong,
}
const _: () = assert!(size_of::<FieldValue>() == 40);

/// `nvmlPciInfo_t`
#[repr(C)]
pub struct PciInfo {
    bus_id_legacy: [c_char; 16],
    domain: c_uint,
    bus: c_uint,
    device: c_uint,
    pci_device_id: c_uint,
    pci_subsystem_id: c_uint,
    bus_id: [c_char; 32],
}

/// The script being played.
struct Sim {
    script: Script,
    /// A moment of the monotonic clock, and how long after t = 0 it was, in microseconds.
    anchor: (Instant, i128),
}

/// A GPU at the moment of a call.
struct Now {
    script: &'static Script,
    gpu: &'static Gpu,
    index: u32,
    t_us: u64,
}

/// Filled by the first init call; `None` for a script that cannot be played.
static SIM: OnceLock<Option<Sim>> = OnceLock::new();
/// Init calls less shutdown calls.
static INITS: AtomicU32 = AtomicU32::new(0);

impl Sim {
    fn load(called: Instant) -> Result<Sim, String> {
        let path = std::env::var("NVML_SIM_SCRIPT").map_err(|error| format!("NVML_SIM_SCRIPT: {error}"))?;
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let script =
            Script::parse(&text).map_err(|problem| format!("{path}:{}: {}", problem.line, problem.reason))?;
        let anchor = match script.epoch_ms {
            None => (called, 0),
            Some(epoch_ms) => (Instant::now(), i128::from(unix_us()) - 1000 * i128::from(epoch_ms)),
        };
        Ok(Sim { script, anchor })
    }

    /// The time since t = 0, in microseconds.
    fn t_us(&self) -> u64 {
        let t_us = self.anchor.1 + self.anchor.0.elapsed().as_micros() as i128;
        u64::try_from(t_us).unwrap_or(0)
    }

    fn now(&'static self, index: u32) -> Result<Now, Code> {
        let gpu = self.script.gpus.get(index as usize).ok_or(INVALID_ARGUMENT)?;
        let t_us = self.t_us();
        match play::error(gpu, t_us) {
            Some(code) => Err(code),
            None => Ok(Now { script: &self.script, gpu, index, t_us }),
        }
    }
}

impl Now {
    fn power_mw(&self) -> Result<c_uint, Code> {
        if self.script.power { Ok(play::power_mw(self.gpu, self.t_us)) } else { Err(NOT_SUPPORTED) }
    }

    fn energy_mj(&self) -> Result<u64, Code> {
        let mj = play::energy_mj(self.gpu, self.script.counter_step_us, self.t_us);
        if self.script.energy_counter { Ok(mj) } else { Err(NOT_SUPPORTED) }
    }

    /// The type and value of a field.
    fn field(&self, field_id: c_uint, scope_id: c_uint) -> Result<(c_uint, u64), Code> {
        const GPU_SCOPE: c_uint = 0;
        const UNSIGNED_INT: c_uint = 1;
        const UNSIGNED_LONG_LONG: c_uint = 3;
        match (field_id, scope_id) {
            (83, GPU_SCOPE) => Ok((UNSIGNED_LONG_LONG, self.energy_mj()?)),
            (185 | 186, GPU_SCOPE) => Ok((UNSIGNED_INT, u64::from(self.power_mw()?))),
            _ => Err(NOT_SUPPORTED),
        }
    }
}

fn unix_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// The script being played, if the library is initialized.
fn sim() -> Result<&'static Sim, Code> {
    if INITS.load(Ordering::SeqCst) == 0 {
        return Err(UNINITIALIZED);
    }
    SIM.get().and_then(Option::as_ref).ok_or(UNINITIALIZED)
}

/// The GPU of a handle, or the code that a call on it returns now.
fn now(handle: Handle) -> Result<Now, Code> {
    let index = u32::try_from(handle.addr()).ok().and_then(|number| number.checked_sub(1));
    sim()?.now(index.ok_or(INVALID_ARGUMENT)?)
}

/// As `now`, for the calls that `call_delay_ms` makes slow: the value is that of the end of the delay.
fn now_slowly(handle: Handle) -> Result<Now, Code> {
    sleep(Duration::from_millis(sim()?.script.call_delay_ms));
    now(handle)
}

fn to_handle(now: &Now) -> Handle {
    std::ptr::without_provenance_mut(now.index as usize + 1)
}

fn code(result: Result<(), Code>) -> Code {
    result.err().unwrap_or(SUCCESS)
}

fn init() -> Result<(), Code> {
    let called = Instant::now();
    let sim = SIM.get_or_init(|| Sim::load(called).map_err(|problem| eprintln!("nvml-sim: {problem}")).ok());
    let script = &sim.as_ref().ok_or(UNKNOWN)?.script;
    sleep(Duration::from_millis(script.init_delay_ms));
    if let Some(code) = script.init_error {
        return Err(code);
    }
    INITS.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// The CUDA version of a driver: its major number is also the first of the NVML version.
fn cuda_major(driver: &str) -> c_int {
    let major: u32 = driver.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    if major >= 580 { 13 } else { 12 }
}

/// A C text in an array, cut to fit.
fn c_array<const N: usize>(text: &str) -> [c_char; N] {
    let mut array = [0; N];
    for (to, from) in array[..N - 1].iter_mut().zip(text.bytes()) {
        *to = from as c_char;
    }
    array
}

/// Writes a value where the caller wants it.
fn put<T>(to: Out<T>, value: T) -> Result<(), Code> {
    to.ok_or(INVALID_ARGUMENT)?.write(value);
    Ok(())
}

/// Writes a text with its NUL where the caller wants it.
///
/// # Safety
///
/// `to` is null or valid for writes of `length` bytes.
unsafe fn put_text(to: *mut c_char, length: c_uint, text: &str) -> Result<(), Code> {
    if to.is_null() {
        return Err(INVALID_ARGUMENT);
    }
    if text.len() >= length as usize {
        return Err(INSUFFICIENT_SIZE);
    }
    // SAFETY: not null, so valid for `length` bytes as the caller promises; the text with its NUL is no
    // longer.
    unsafe {
        to.copy_from_nonoverlapping(text.as_ptr().cast(), text.len());
        to.add(text.len()).write(0);
    }
    Ok(())
}

// The library.

#[unsafe(no_mangle)]
extern "C" fn nvmlInit_v2() -> Code {
    code(init())
}

#[unsafe(no_mangle)]
extern "C" fn nvmlInitWithFlags(_flags: c_uint) -> Code {
    code(init())
}

#[unsafe(no_mangle)]
extern "C" fn nvmlShutdown() -> Code {
    let less_one = INITS.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |inits| inits.checked_sub(1));
    if less_one.is_ok() { SUCCESS } else { UNINITIALIZED }
}

#[unsafe(no_mangle)]
extern "C" fn nvmlErrorString(code: Code) -> *const c_char {
    let text = match code {
        SUCCESS => c"Success",
        UNINITIALIZED => c"Uninitialized",
        INVALID_ARGUMENT => c"Invalid Argument",
        NOT_SUPPORTED => c"Not Supported",
        4 => c"Insufficient Permissions",
        NOT_FOUND => c"Not Found",
        INSUFFICIENT_SIZE => c"Insufficient Size",
        9 => c"Driver Not Loaded",
        10 => c"Timeout",
        15 => c"GPU is lost",
        18 => c"Driver/library version mismatch",
        _ => c"Unknown Error",
    };
    text.as_ptr()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetDriverVersion(version: *mut c_char, length: c_uint) -> Code {
    // SAFETY: by the contract of NVML, `version` is null or has `length` bytes.
    code(sim().and_then(|sim| unsafe { put_text(version, length, &sim.script.driver) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetNVMLVersion(version: *mut c_char, length: c_uint) -> Code {
    code(sim().and_then(|sim| {
        let driver = &sim.script.driver;
        let text = format!("{}.{driver}", cuda_major(driver));
        // SAFETY: by the contract of NVML, `version` is null or has `length` bytes.
        unsafe { put_text(version, length, &text) }
    }))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: Out<c_int>) -> Code {
    code(sim().and_then(|sim| put(version, 1000 * cuda_major(&sim.script.driver))))
}

// Which GPUs there are.

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCount(count: Out<c_uint>) -> Code {
    code(sim().and_then(|sim| put(count, sim.script.gpus.len() as c_uint)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCount_v2(count: Out<c_uint>) -> Code {
    nvmlDeviceGetCount(count)
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, device: Out<Handle>) -> Code {
    code(sim().and_then(|sim| sim.now(index)).and_then(|now| put(device, to_handle(&now))))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetHandleByUUID(uuid: *const c_char, device: Out<Handle>) -> Code {
    code(sim().and_then(|sim| {
        if uuid.is_null() {
            return Err(INVALID_ARGUMENT);
        }
        // SAFETY: not null, so by the contract of NVML a text that ends with NUL.
        let uuid = unsafe { CStr::from_ptr(uuid) };
        let index = sim.script.gpus.iter().position(|gpu| gpu.uuid.as_bytes() == uuid.to_bytes());
        put(device, to_handle(&sim.now(index.ok_or(NOT_FOUND)? as u32)?))
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetName(device: Handle, name: *mut c_char, length: c_uint) -> Code {
    // SAFETY: by the contract of NVML, `name` is null or has `length` bytes.
    code(now(device).and_then(|now| unsafe { put_text(name, length, &now.script.name) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetUUID(device: Handle, uuid: *mut c_char, length: c_uint) -> Code {
    // SAFETY: by the contract of NVML, `uuid` is null or has `length` bytes.
    code(now(device).and_then(|now| unsafe { put_text(uuid, length, &now.gpu.uuid) }))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetIndex(device: Handle, index: Out<c_uint>) -> Code {
    code(now(device).and_then(|now| put(index, now.index)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetArchitecture(device: Handle, architecture: Out<c_uint>) -> Code {
    code(now(device).and_then(|_| put(architecture, ARCHITECTURE_HOPPER)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPciInfo_v3(device: Handle, pci: Out<PciInfo>) -> Code {
    code(now(device).and_then(|now| {
        let bus = 0x1b + now.index;
        let info = PciInfo {
            bus_id_legacy: c_array(&format!("0000:{bus:02X}:00.0")),
            domain: 0,
            bus,
            device: 0,
            pci_device_id: 0x2330_10de,
            pci_subsystem_id: 0x16c1_10de,
            bus_id: c_array(&format!("00000000:{bus:02X}:00.0")),
        };
        put(pci, info)
    }))
}

// Power and energy.

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerUsage(device: Handle, milliwatts: Out<c_uint>) -> Code {
    code(now_slowly(device).and_then(|now| put(milliwatts, now.power_mw()?)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetTotalEnergyConsumption(device: Handle, millijoules: Out<c_ulonglong>) -> Code {
    code(now_slowly(device).and_then(|now| put(millijoules, now.energy_mj()?)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetFieldValues(device: Handle, count: c_int, values: *mut FieldValue) -> Code {
    code(now_slowly(device).and_then(|now| {
        let count = usize::try_from(count).map_err(|_| INVALID_ARGUMENT)?;
        if values.is_null() || count == 0 {
            return Err(INVALID_ARGUMENT);
        }
        // SAFETY: not null, so by the contract of NVML `count` structs, whose field and scope the caller has
        // set. Every bit pattern is valid for them, and callers zero the rest.
        for field in unsafe { std::slice::from_raw_parts_mut(values, count) } {
            field.timestamp = unix_us();
            field.latency_us = 0;
            match now.field(field.field_id, field.scope_id) {
                Ok((value_type, value)) => {
                    (field.code, field.value_type, field.value) = (SUCCESS, value_type, value);
                }
                Err(code) => field.code = code,
            }
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetEnforcedPowerLimit(device: Handle, milliwatts: Out<c_uint>) -> Code {
    code(now(device).and_then(|now| put(milliwatts, now.script.power_limit_mw)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerManagementLimit(device: Handle, milliwatts: Out<c_uint>) -> Code {
    nvmlDeviceGetEnforcedPowerLimit(device, milliwatts)
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerManagementDefaultLimit(device: Handle, milliwatts: Out<c_uint>) -> Code {
    nvmlDeviceGetEnforcedPowerLimit(device, milliwatts)
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerManagementLimitConstraints(
    device: Handle,
    min_milliwatts: Out<c_uint>,
    max_milliwatts: Out<c_uint>,
) -> Code {
    code(now(device).and_then(|now| {
        let limit = now.script.power_limit_mw;
        put(min_milliwatts, limit.min(200_000))?;
        put(max_milliwatts, limit)
    }))
}

// Use of the GPU.

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetUtilizationRates(device: Handle, rates: Out<Utilization>) -> Code {
    code(now(device).and_then(|now| {
        if now.script.mig {
            return Err(NOT_SUPPORTED);
        }
        let percent = play::utilization_percent(now.gpu, now.script.power_limit_mw, now.t_us);
        put(rates, Utilization { gpu: percent, memory: percent })
    }))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetProcessUtilization(
    device: Handle,
    _samples: *mut c_void,
    _count: Out<c_uint>,
    _last_seen_us: c_ulonglong,
) -> Code {
    code(now(device).and(Err(NOT_FOUND)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    device: Handle,
    count: Out<c_uint>,
    _infos: *mut c_void,
) -> Code {
    code(now(device).and_then(|_| put(count, 0)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMemoryInfo(device: Handle, memory: Out<Memory>) -> Code {
    let info = Memory { total: MEMORY_TOTAL, free: MEMORY_TOTAL - MEMORY_USED, used: MEMORY_USED };
    code(now(device).and_then(|_| put(memory, info)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMemoryInfo_v2(device: Handle, memory: Out<MemoryV2>) -> Code {
    let info = MemoryV2 {
        version: size_of::<MemoryV2>() as c_uint | (2 << 24),
        total: MEMORY_TOTAL,
        reserved: MEMORY_RESERVED,
        free: MEMORY_TOTAL - MEMORY_RESERVED - MEMORY_USED,
        used: MEMORY_USED,
    };
    code(now(device).and_then(|_| put(memory, info)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMigMode(device: Handle, current: Out<c_uint>, pending: Out<c_uint>) -> Code {
    code(now(device).and_then(|now| {
        let mode = c_uint::from(now.script.mig);
        put(current, mode)?;
        put(pending, mode)
    }))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMaxMigDeviceCount(device: Handle, count: Out<c_uint>) -> Code {
    code(now(device).and_then(|now| put(count, if now.script.mig { 7 } else { 0 })))
}
