use crate::record::HostRecord;
use crate::sensor::Host;
use sysinfo::System;

/// What the record says of a machine.
pub(super) fn describe(host: &Host) -> HostRecord {
    HostRecord {
        name: System::host_name().ok(),
        boot_id: host.boot_id(),
        os: os(),
        cpu_model: host.cpu_model(),
        logical_cpus: host.logical_cpus(),
        memory_bytes: host.memory_bytes(),
        gpus: Vec::new(),
    }
}

fn os() -> Option<String> {
    match (System::long_os_version().ok(), System::kernel_version().ok()) {
        (Some(name), Some(kernel)) => Some(format!("{name}, kernel {kernel}")),
        (name, kernel) => name.or(kernel),
    }
}
