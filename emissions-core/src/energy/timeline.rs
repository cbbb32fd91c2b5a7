use std::time::Duration;

/// When the run ran: it can be stopped, the machine can sleep, and it ends. Whoever sees a change notes it at once; what
/// readings say of a stretch of time, however late they come, is split by it.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Changes in order of time. It begins running.
    changes: Vec<(Duration, State)>,
}

/// What a run does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It runs: energy is its own.
    Running,
    /// It is stopped, or the machine sleeps: energy is kept apart.
    Aside,
    /// It has ended: energy is no concern of ours.
    Over,
}

/// How much of a stretch of time the run was in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// Running.
    pub running: Duration,
    /// Stopped or asleep.
    pub aside: Duration,
}

impl Timeline {
    /// From `at` on the run is in this state, until the next change.
    pub fn change(&mut self, at: Duration, state: State) {
        self.changes.push((at, state));
        self.changes.sort_by_key(|&(at, _)| at);
    }

    /// The machine slept so long and woke at `until`. A run that was not running stays as it was.
    pub fn sleep(&mut self, length: Duration, until: Duration) {
        if self.state_at(until) == State::Running {
            self.change(until.saturating_sub(length), State::Aside);
            self.change(until, State::Running);
        }
    }

    fn state_at(&self, moment: Duration) -> State {
        let before = self.changes.iter().rev().find(|&&(at, _)| at <= moment);
        before.map_or(State::Running, |&(_, state)| state)
    }

    /// What the run did between two moments.
    #[must_use]
    pub fn shares(&self, from: Duration, to: Duration) -> Shares {
        let mut shares = Shares::default();
        let (mut since, mut state) = (Duration::ZERO, State::Running);
        let mut add = |state: State, since: Duration, until: Duration| {
            let length = until.min(to).saturating_sub(since.max(from));
            match state {
                State::Running => shares.running += length,
                State::Aside => shares.aside += length,
                State::Over => {}
            }
        };
        for &(at, next) in &self.changes {
            add(state, since, at);
            (since, state) = (at, next);
        }
        add(state, since, Duration::MAX);
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn shares(timeline: &Timeline, from: u64, to: u64) -> (u64, u64) {
        let shares = timeline.shares(seconds(from), seconds(to));
        (shares.running.as_secs(), shares.aside.as_secs())
    }

    #[test]
    fn a_run_runs_until_something_happens() {
        assert_eq!(shares(&Timeline::default(), 3, 10), (7, 0));
    }

    #[test]
    fn stops_and_the_end_split_a_stretch() {
        let mut timeline = Timeline::default();
        timeline.change(seconds(2), State::Aside);
        timeline.change(seconds(6), State::Running);
        timeline.change(seconds(9), State::Over);
        assert_eq!(shares(&timeline, 0, 20), (5, 4));
        assert_eq!(shares(&timeline, 1, 3), (1, 1));
        assert_eq!(shares(&timeline, 9, 20), (0, 0));
    }

    #[test]
    fn a_sleep_within_a_stop_is_part_of_it() {
        let mut timeline = Timeline::default();
        timeline.change(seconds(2), State::Aside);
        timeline.sleep(seconds(26), seconds(31));
        timeline.change(seconds(38), State::Running);
        assert_eq!(shares(&timeline, 0, 40), (4, 36));
    }
}
