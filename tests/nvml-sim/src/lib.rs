//! A simulated NVML library: it exports the C functions of `libnvidia-ml.so.1` and plays a script.
//!
//! A test copies the built `libnvml_sim.so` to a directory of its own as `libnvidia-ml.so.1`, starts the real
//! binary with `LD_LIBRARY_PATH` set to that directory and `NVML_SIM_SCRIPT` set to the path of a script, and
//! compares what the binary says with what the script makes true. The binary knows nothing of it. The script
//! is read once, at the first `nvmlInit_v2` (or `nvmlInitWithFlags`) of the process.
//!
//! # Example
//!
//! ```text
//! # Two GPUs. GPU 0: 10 s at 100 W, then 300 W. GPU 1: 60 W, falls off the bus after 5 s.
//! gpus = 2
//! counter_step_ms = 100
//! name = NVIDIA H100 PCIe (simulated)
//! power_limit_w = 350
//!
//! t_ms,gpu,value
//! 0,0,100
//! 10000,0,300
//! 0,1,60
//! 5000,1,error
//! ```
//!
//! # Script
//!
//! Text, read line by line. `#` starts a comment that runs to the end of the line; blank lines and a header
//! line `t_ms,gpu,value` are skipped. A line with `=` is a setting, any other line is a row. Settings and
//! rows may be mixed.
//!
//! ## Settings: `key = value`, each key at most once
//!
//! | key | default | meaning |
//! |---|---|---|
//! | `gpus` | highest GPU in the rows + 1 | how many GPUs there are, 0 to 64 |
//! | `energy_counter` | `true` | `false`: the energy counter (also as field 83) is not supported |
//! | `power` | `true` | `false`: the power reading (also as fields 185 and 186) is not supported |
//! | `init_delay_ms` | `0` | every init call sleeps so long |
//! | `init_error` | none | every init call returns this NVML code, after the delay |
//! | `call_delay_ms` | `0` | every power, energy and field call sleeps so long, then reads |
//! | `counter_step_ms` | `0` | the energy counter moves only at multiples of this time; 0: continuously |
//! | `counter_start_j` | `1000 + 17 * gpu` | the energy counter of every GPU at t = 0, in joules |
//! | `name` | `NVIDIA H100 80GB HBM3 (simulated)` | the product name of every GPU |
//! | `driver` | `580.95.05` | the driver version |
//! | `power_limit_w` | `700` | the power limit of every GPU |
//! | `mig` | `false` | `true`: MIG mode is enabled on every GPU |
//! | `uuid0`, `uuid1`, ... | see below | the UUID of that GPU |
//! | `epoch_ms` | none | t = 0 is this Unix time in milliseconds, the same for all processes |
//!
//! Without `epoch_ms`, t = 0 is the moment of the first init call in the process (before its delay). With one
//! that is still to come, the time stays 0 until then. A later init call changes neither the script nor t =
//! 0, also where the caller has closed the library in between: it stays loaded until the process ends.
//!
//! The default UUIDs differ in their first digits: `GPU-aaaa0000-0000-4000-8000-000000000000`,
//! `GPU-bbbb0001-0000-4000-8000-000000000001`, `GPU-cccc0002-0000-4000-8000-000000000002` and so on; the
//! letter goes from `a` to `f` and starts again, the number is the index in hexadecimal.
//!
//! ## Rows: `t_ms,gpu,value`
//!
//! `t_ms` is a whole number of milliseconds and must not decrease from one row of a GPU to its next. `value`
//! is one of these:
//!
//! | value | from that time on |
//! |---|---|
//! | a number | the GPU draws so many watts (to the milliwatt, at most 1 000 000 W) and answers calls |
//! | `error` | the same as `error:15`, the GPU is lost |
//! | `error:N` | every call on the GPU, also a handle look-up, returns code N, until a row with watts |
//! | `reset` | the energy counter starts again at 0; power and errors stay as they are |
//!
//! Power is a step function of time: 0 W before the first row of a GPU, and unchanged by errors and resets.
//! The energy counter is its start value plus the exact integral of that function, rounded down to the
//! millijoule.
//!
//! A script that cannot be read or understood makes every init call return 999 (unknown error); one line on
//! standard error says why, as `file:line: reason`.
//!
//! # What the GPUs answer
//!
//! Utilization is power over power limit, in percent, at most 100, for the processor and the memory alike; it
//! is not supported with MIG enabled. There are no running processes, and process utilization is "not found",
//! as on an idle GPU. Fields 83, 185 and 186 have values in the GPU scope, all others are not supported. The
//! architecture is Hopper, the memory 80 GB. CUDA is 13.0 from driver 580 on and 12.0 before. Any other NVML
//! function is absent, as it would be with an older driver.

#![deny(missing_docs)]

mod abi;
mod play;
mod script;
