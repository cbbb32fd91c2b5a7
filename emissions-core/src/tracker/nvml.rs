//! NVML can take seconds to start, so it starts on a thread of its own.

use crate::sampler::Message;
use crate::sensor::{Absence, Host, SensorError, Survey, Visible};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// How long the command is held back for NVML. What comes later is filled in.
pub(super) const WAIT_FOR_NVML: Duration = Duration::from_millis(20);

/// Starts NVML on a thread of its own; says how many answers to wait for.
pub(super) fn start_nvml(visible: Visible, answers: Sender<Message>) -> usize {
    #[cfg(feature = "nvml")]
    {
        let probe = move || {
            // The sampler may be gone by then: nobody wants the answer any more.
            let _ = answers.send(Message::Adopt(crate::sensor::probe_nvml(&visible)));
        };
        usize::from(std::thread::Builder::new().name("emissions-nvml".into()).spawn(probe).is_ok())
    }
    #[cfg(not(feature = "nvml"))]
    {
        let _ = (visible, answers);
        0
    }
}

/// Waits a little for NVML; says whether it came.
pub(super) fn await_nvml(inbox: &Receiver<Message>, survey: &mut Survey, awaited: usize) -> usize {
    if awaited == 0 {
        let why = SensorError::missing("built without NVML");
        survey.absences.push(Absence { sensor: "NVML", instead: "no NVIDIA GPU is counted", why });
        return 0;
    }
    match inbox.recv_timeout(WAIT_FOR_NVML) {
        Ok(Message::Adopt(probe)) => {
            survey.take(probe);
            1
        }
        _ => 0,
    }
}

/// Probes everything without starting a run, for `doctor`: what was found and what is absent. Waits for NVML at most this
/// long.
#[must_use]
pub fn survey(host: &Host, visible: &Visible, at_most: Duration) -> Survey {
    let mut survey = Survey::of(host);
    let (answers, inbox) = channel();
    if start_nvml(visible.clone(), answers) == 0 {
        return survey;
    }
    match inbox.recv_timeout(at_most) {
        Ok(Message::Adopt(probe)) => {
            survey.take(probe);
        }
        _ => survey.absences.push(Absence {
            sensor: "NVML",
            instead: "NVIDIA GPUs are counted from when it answers",
            why: SensorError::missing(format!("it did not start within {} s", at_most.as_secs())),
        }),
    }
    survey
}
