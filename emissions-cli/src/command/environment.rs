//! What launchers and wrappers around this process tell in its environment.

use emissions_core::record::{Coverage, ReadError, Status, is_held, read};
use emissions_core::sensor::{Host, Visible};
use std::env;
use std::path::PathBuf;

/// The GPUs the run was given.
pub fn visible(flag: Option<&str>) -> Visible {
    let variable = env::var("CUDA_VISIBLE_DEVICES").ok();
    Visible::parse(flag.or(variable.as_deref()))
}

/// The run inside which we are, if it is alive and of this boot: it holds our energy too.
pub fn parent() -> Option<String> {
    let id = env::var("EMISSIONS_RUN").ok()?;
    let marks = PathBuf::from(env::var_os("EMISSIONS_MARKS")?);
    let record = marks.with_extension("jsonl");
    let is_ours = match read(&record) {
        Ok(outer) => {
            let same_boot = outer.host.boot_id.is_none() || outer.host.boot_id == Host::default().boot_id();
            outer.id == id && outer.status == Status::Running && same_boot
        }
        // It started us a moment ago and has not written its first line yet.
        Err(ReadError::Empty(_)) => is_held(&record),
        Err(_) => false,
    };
    is_ours.then_some(id)
}

/// How much of the job the launcher says there is.
pub fn coverage() -> Coverage {
    let nodes = variable(&["SLURM_STEP_NUM_NODES", "SLURM_JOB_NUM_NODES", "SLURM_NNODES"]);
    let gpus = variable(&["SLURM_GPUS_ON_NODE"]);
    Coverage {
        hosts_expected: Some(nodes.and_then(|nodes| nodes.parse().ok()).unwrap_or(1)),
        hosts_seen: Some(1),
        gpus_expected: gpus.and_then(|gpus| gpus.parse().ok()),
        gpus_seen: None,
    }
}

/// What the environment says that a reader must know.
pub fn notes() -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(nodes) = coverage().hosts_expected.filter(|&nodes| nodes > 1) {
        notes.push(format!(
            "1 of {nodes} nodes measured here: put `emissions run` after srun to measure each"
        ));
    }
    let (ours, all) = (std::thread::available_parallelism().map_or(0, usize::from), online_cpus());
    if ours > 0 && ours < all {
        notes.push(format!(
            "this run may use {ours} of the machine's {all} processors; the figure is the whole machine's"
        ));
    }
    notes
}

fn online_cpus() -> usize {
    Host::default().logical_cpus().and_then(|cpus| usize::try_from(cpus).ok()).unwrap_or(0)
}

/// The job of a batch system.
pub fn group() -> Option<String> {
    variable(&["SLURM_JOB_ID"])
}

/// The rank within the job.
pub fn rank() -> Option<u32> {
    variable(&["SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "RANK"])?.parse().ok()
}

fn variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
}
