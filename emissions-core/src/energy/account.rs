use super::counter::{Counter, Step};
use super::meter::{Meter, Reading};
use super::timeline::{Shares, Timeline};
use crate::quantity::{Energy, Power};
use std::time::Duration;

/// How an account treats time between readings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Power is taken as known between two readings no further apart than this; beyond, the stretch is a gap.
    pub longest_step: Duration,
}

/// Something a reader of the record must know of a meter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Incident {
    /// The counter fell: it was restarted. What had been counted stays.
    CounterReset,
}

/// The books of one meter.
///
/// Time is counted from the beginning of the run. Everything up to `covered_to` is in the sums.
#[derive(Clone, Debug, Default)]
pub struct Account {
    counter: Counter,
    power: Option<(Duration, Power)>,
    covered_to: Duration,
    /// Time before the first reading whose power is not known yet.
    lead: Duration,
    total: Total,
}

/// What a reading meets: the stretch since the one before.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    length: Duration,
    shares: Shares,
    /// Mean power over it, as far as it is known.
    mean: Option<Power>,
    /// Whether power was read at both its ends.
    both_ends: bool,
}

/// Reading all sensors takes some milliseconds, before the command starts and after it ends: what passes between a
/// reading and the run's edge is no gap and holds nothing of the command.
const SHORTEST_GAP: Duration = Duration::from_millis(50);

/// From this on a counter that does not move is taken for stuck: the slowest step known is a tenth of it.
const STANDSTILL: Duration = Duration::from_secs(1);

/// The sums of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// Energy that readings cover.
    pub counted: Energy,
    /// Energy of the gaps, at the power next to them: known within 0 to 2 times.
    pub bridged: Energy,
    /// What a lost meter may have missed since: not in the figure, only in its upper bound.
    pub unseen: Energy,
    /// Time that no reading covers.
    pub gap: Duration,
    /// Energy seen while the run was stopped or the machine slept: kept apart.
    pub suspended: Energy,
    /// The cross-check, over the stretches at whose both ends counter and power were read.
    pub check: Option<CrossCheck>,
    /// The newest power.
    pub power: Option<Power>,
    /// Time that readings cover.
    pub covered: Duration,
    /// Part of the gap could not even be filled: no power was ever known.
    pub unfilled: bool,
    /// How many readings there were.
    pub samples: u64,
    /// The newest absolute reading of the counter.
    pub counter: Option<Energy>,
}

/// The same stretches by integrated power and by the counter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrossCheck {
    /// By the trapezoid rule.
    pub by_power: Energy,
    /// By the counter's steps.
    pub by_counter: Energy,
}

impl Total {
    /// The figure: what was counted and what was bridged.
    #[must_use]
    pub fn energy(&self) -> Energy {
        self.counted + self.bridged
    }

    /// Whether there is a figure at all: a counter's first reading is a starting point and no energy.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let has_started = self.samples > 1 || (self.samples == 1 && self.power.is_some());
        has_started && !self.unfilled && !(self.stands_still() && self.power.is_none())
    }

    /// Whether a counter never moved. What is on draws something: a counter that stands still for a second does not count.
    #[must_use]
    pub fn stands_still(&self) -> bool {
        self.counter.is_some() && self.counted == Energy::ZERO && self.covered >= STANDSTILL
    }
}

impl Account {
    /// Takes a reading made at `at`.
    pub fn record(
        &mut self,
        meter: &Meter,
        rules: Rules,
        timeline: &Timeline,
        at: Duration,
        reading: Reading,
    ) -> Option<Incident> {
        let length = at.saturating_sub(self.covered_to);
        let stretch = Stretch {
            length,
            shares: timeline.shares(self.covered_to, at),
            mean: self.mean_power_until(reading.power),
            both_ends: reading.power.is_some()
                && length <= rules.longest_step
                && self.power.is_some_and(|(then, _)| then == self.covered_to),
        };
        if let Some(power) = reading.power {
            self.power = Some((at, power));
            self.total.power = Some(power);
        }
        if self.total.samples == 0 {
            self.lead = stretch.shares.running;
        }
        let incident = match (reading.energy, self.counter.last()) {
            // A counter that did not answer this time: its next reading will hold this stretch.
            (None, Some(_)) => return None,
            (Some(energy), _) => self.by_counter(meter, energy, stretch),
            (None, None) => {
                self.by_gauge(rules, stretch);
                None
            }
        };
        self.covered_to = at;
        self.total.samples += 1;
        self.total.counter = self.counter.last();
        incident
    }

    /// The meter is gone for good: what it had stays.
    pub fn lose(&mut self, timeline: &Timeline, end: Duration) {
        let missing = timeline.shares(self.covered_to, end).running;
        self.total.gap += missing;
        self.total.unseen += self.total.power.unwrap_or(Power::ZERO) * missing;
        self.covered_to = end;
    }

    /// The run ended at `end`: time since the last reading, or since the beginning if there never was one, is a gap.
    pub fn close(&mut self, timeline: &Timeline, end: Duration) {
        let missing = timeline.shares(self.covered_to, end).running + std::mem::take(&mut self.lead);
        let mean = self.mean_power();
        self.covered_to = self.covered_to.max(end);
        if missing < SHORTEST_GAP {
            return;
        }
        match self.total.power.or(mean) {
            Some(power) => self.bridge(power, missing),
            None => {
                self.total.gap += missing;
                self.total.unfilled = true;
            }
        }
    }

    /// The sums so far.
    #[must_use]
    pub fn total(&self) -> Total {
        self.total
    }

    fn by_counter(&mut self, meter: &Meter, energy: Energy, stretch: Stretch) -> Option<Incident> {
        match self.counter.advance(energy, meter.wraps_at, stretch.length, meter.ceiling) {
            Step::First => {
                if let Some(power) = stretch.mean {
                    self.fill_lead(power);
                }
                None
            }
            Step::Advanced(delta) => {
                self.split(delta, stretch);
                if !stretch.length.is_zero() {
                    self.fill_lead(delta / stretch.length);
                }
                None
            }
            Step::Reset => {
                if let Some(power) = stretch.mean.or_else(|| self.mean_power()) {
                    self.bridge(power, stretch.shares.running);
                }
                Some(Incident::CounterReset)
            }
        }
    }

    fn by_gauge(&mut self, rules: Rules, stretch: Stretch) {
        let Some(power) = stretch.mean else { return };
        let Shares { running, aside } = stretch.shares;
        if self.total.samples == 0 {
            self.fill_lead(power);
        } else if running <= rules.longest_step {
            self.total.counted += power * running;
            self.total.suspended += power * aside;
            self.total.covered += running;
        } else {
            self.bridge(power, running);
        }
    }

    /// Shares the energy of a stretch out between run and stop, as if its power had been even. Edges that are within the
    /// time that reading takes do not split it: then the counter is exact.
    fn split(&mut self, energy: Energy, stretch: Stretch) {
        let Shares { running, aside } = stretch.shares;
        if running + SHORTEST_GAP > stretch.length {
            self.total.counted += energy;
            self.total.covered += stretch.length;
            if let Some(power) = stretch.mean.filter(|_| stretch.both_ends) {
                let check = self.total.check.get_or_insert_default();
                check.by_power += power * stretch.length;
                check.by_counter += energy;
            }
        } else if aside + SHORTEST_GAP > stretch.length {
            self.total.suspended += energy;
        } else {
            let share = |part: Duration| part.as_secs_f64() / stretch.length.as_secs_f64();
            self.total.counted += energy * share(running);
            self.total.suspended += energy * share(aside);
            self.total.covered += running;
        }
    }

    /// Time before the first reading, filled as soon as a power is known.
    fn fill_lead(&mut self, power: Power) {
        let lead = std::mem::take(&mut self.lead);
        self.bridge(power, lead);
    }

    fn bridge(&mut self, power: Power, time: Duration) {
        if time >= SHORTEST_GAP {
            self.total.bridged += power * time;
            self.total.gap += time;
        }
    }

    /// Mean of the power before and now: the trapezoid.
    fn mean_power_until(&self, now: Option<Power>) -> Option<Power> {
        let before = self.power.map(|(_, power)| power);
        match (before, now) {
            (Some(before), Some(now)) => Some((before + now) * 0.5),
            (one, other) => one.or(other),
        }
    }

    /// Mean over what was counted. `None` as long as next to nothing was.
    fn mean_power(&self) -> Option<Power> {
        (self.total.samples > 1 && self.total.covered >= SHORTEST_GAP)
            .then(|| self.total.counted / self.total.covered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::State;
    use crate::quantity::{Domain, Kind, Method};
    use proptest::prelude::*;

    const RULES: Rules = Rules { longest_step: Duration::from_secs(3) };

    fn meter(method: Method, wraps_at: Option<Energy>) -> Meter {
        Meter {
            domain: Domain::new(Kind::Gpu, 0),
            name: "test".into(),
            uuid: None,
            method,
            wraps_at,
            ceiling: Power::from_watts(2000.0),
            update_period: Duration::from_millis(100),
        }
    }

    fn seconds(s: f64) -> Duration {
        Duration::from_secs_f64(s)
    }

    fn watts(w: f64) -> Reading {
        Reading::gauge(Power::from_watts(w))
    }

    fn joules(j: f64) -> Reading {
        Reading::counter(Energy::from_joules(j))
    }

    fn play(method: Method, readings: &[(f64, Reading)]) -> Account {
        let meter = meter(method, None);
        let mut account = Account::default();
        for &(at, reading) in readings {
            account.record(&meter, RULES, &Timeline::default(), seconds(at), reading);
        }
        account
    }

    fn close_to(actual: Energy, expected_j: f64) -> bool {
        (actual.as_joules() - expected_j).abs() < 1e-9
    }

    #[test]
    fn constant_power_is_not_lost() {
        let account =
            play(Method::NvmlPower, &[(0.0, watts(250.0)), (1.0, watts(250.0)), (2.0, watts(250.0))]);
        assert!(close_to(account.total().energy(), 500.0));
        assert_eq!(account.total().gap, Duration::ZERO);
    }

    #[test]
    fn a_ramp_is_its_trapezoid() {
        // 0 to 100 W in 2 s: 100 J; down to 50 W in 1 s: 75 J.
        let account = play(Method::NvmlPower, &[(0.0, watts(0.0)), (2.0, watts(100.0)), (3.0, watts(50.0))]);
        assert!(close_to(account.total().energy(), 175.0));
    }

    #[test]
    fn a_counter_is_never_integrated_from_power() {
        let both = |j, w| joules(j).with_power(Power::from_watts(w));
        let account =
            play(Method::NvmlEnergyCounter, &[(0.0, both(9000.0, 400.0)), (1.0, both(9250.0, 400.0))]);
        assert!(close_to(account.total().energy(), 250.0));
        let check = account.total().check.unwrap_or_default();
        assert!(close_to(check.by_power, 400.0) && close_to(check.by_counter, 250.0));
    }

    #[test]
    fn before_a_late_first_reading_the_first_power_counts_and_is_a_gap() {
        let both = |j, w| joules(j).with_power(Power::from_watts(w));
        let account =
            play(Method::NvmlEnergyCounter, &[(2.0, both(70.0, 250.0)), (10.0, both(2070.0, 250.0))]);
        let total = account.total();
        assert!(close_to(total.counted, 2000.0));
        assert!(close_to(total.bridged, 500.0));
        assert_eq!(total.gap, seconds(2.0));
    }

    #[test]
    fn a_late_counter_without_power_is_filled_from_its_first_step() {
        let account = play(Method::Rapl, &[(2.0, joules(70.0)), (4.0, joules(170.0))]);
        assert!(close_to(account.total().bridged, 100.0));
    }

    #[test]
    fn a_reset_keeps_what_was_counted_and_fills_the_step() {
        let both = |j| joules(j).with_power(Power::from_watts(250.0));
        let meter = meter(Method::NvmlEnergyCounter, None);
        let mut account = Account::default();
        account.record(&meter, RULES, &Timeline::default(), seconds(0.0), both(1000.0));
        account.record(&meter, RULES, &Timeline::default(), seconds(1.0), both(1250.0));
        let incident = account.record(&meter, RULES, &Timeline::default(), seconds(2.0), both(30.0));
        account.record(&meter, RULES, &Timeline::default(), seconds(3.0), both(280.0));
        assert_eq!(incident, Some(Incident::CounterReset));
        assert!(close_to(account.total().counted, 500.0));
        assert!(close_to(account.total().bridged, 250.0));
        assert_eq!(account.total().gap, seconds(1.0));
    }

    #[test]
    fn a_counter_bridges_a_stalled_reader_by_itself() {
        let account = play(Method::Rapl, &[(0.0, joules(0.0)), (60.0, joules(6000.0))]);
        assert!(close_to(account.total().counted, 6000.0));
        assert_eq!(account.total().gap, Duration::ZERO);
    }

    #[test]
    fn power_across_a_stall_is_a_gap() {
        let account = play(Method::NvmlPower, &[(0.0, watts(100.0)), (60.0, watts(100.0))]);
        assert!(close_to(account.total().bridged, 6000.0));
        assert_eq!(account.total().gap, seconds(60.0));
    }

    #[test]
    fn a_counter_that_misses_one_answer_loses_nothing() {
        let both = |j| joules(j).with_power(Power::from_watts(100.0));
        let account =
            play(Method::NvmlEnergyCounter, &[(0.0, both(0.0)), (1.0, watts(100.0)), (2.0, both(200.0))]);
        assert!(close_to(account.total().energy(), 200.0));
    }

    #[test]
    fn a_lost_meter_keeps_what_it_had_and_only_its_upper_bound_grows() {
        let mut account = play(Method::NvmlPower, &[(0.0, watts(250.0)), (2.0, watts(250.0))]);
        account.lose(&Timeline::default(), seconds(10.0));
        let total = account.total();
        assert!(close_to(total.energy(), 500.0));
        assert!(close_to(total.unseen, 2000.0));
        assert_eq!(total.gap, seconds(8.0));
    }

    /// A timeline of stops, each from and to, and of an end.
    fn timeline(stops: &[(f64, f64)], end: Option<f64>) -> Timeline {
        let mut timeline = Timeline::default();
        for &(from, to) in stops {
            timeline.change(seconds(from), State::Aside);
            timeline.change(seconds(to), State::Running);
        }
        if let Some(end) = end {
            timeline.change(seconds(end), State::Over);
        }
        timeline
    }

    fn play_on(timeline: &Timeline, method: Method, readings: &[(f64, Reading)]) -> Account {
        let meter = meter(method, None);
        let mut account = Account::default();
        for &(at, reading) in readings {
            account.record(&meter, RULES, timeline, seconds(at), reading);
        }
        account
    }

    #[test]
    fn energy_of_a_stopped_run_is_kept_apart() {
        let readings = [(0.0, joules(0.0)), (1.0, joules(50.0)), (5.0, joules(90.0)), (6.0, joules(140.0))];
        let total = play_on(&timeline(&[(1.0, 5.0)], None), Method::Rapl, &readings).total();
        assert!(close_to(total.counted, 100.0) && close_to(total.suspended, 40.0), "{total:?}");
    }

    #[test]
    fn a_stop_that_was_read_late_is_charged_up_to_the_stop() {
        // 100 W throughout; stopped from 1 s to 5 s, but the meter answers only at 2 s and 7 s.
        let readings = [(0.0, joules(0.0)), (2.0, joules(200.0)), (7.0, joules(700.0))];
        let total = play_on(&timeline(&[(1.0, 5.0)], None), Method::Rapl, &readings).total();
        assert!(close_to(total.counted, 300.0) && close_to(total.suspended, 400.0), "{total:?}");
    }

    #[test]
    fn readings_that_came_late_are_charged_up_to_the_end() {
        let readings = [(0.0, joules(0.0)), (4.0, joules(400.0)), (6.0, joules(600.0))];
        let timeline = timeline(&[], Some(3.0));
        let mut account = play_on(&timeline, Method::Rapl, &readings);
        account.close(&timeline, seconds(3.0));
        assert!(close_to(account.total().energy(), 300.0));
    }

    #[test]
    fn a_counter_read_a_moment_after_the_end_is_exact() {
        let readings = [(0.0, joules(0.0)), (3.001, joules(300.0))];
        let total = play_on(&timeline(&[], Some(3.0)), Method::Rapl, &readings).total();
        assert!(close_to(total.counted, 300.0));
    }

    #[test]
    fn power_of_a_stop_is_not_charged() {
        let readings = [(0.0, watts(100.0)), (2.0, watts(100.0)), (4.0, watts(100.0))];
        let total = play_on(&timeline(&[(1.0, 3.5)], None), Method::NvmlPower, &readings).total();
        assert!(close_to(total.counted, 150.0) && close_to(total.suspended, 250.0), "{total:?}");
    }

    #[test]
    fn a_meter_found_late_is_not_charged_for_a_stop_before() {
        let total =
            play_on(&timeline(&[(1.0, 11.0)], None), Method::NvmlPower, &[(12.0, watts(100.0))]).total();
        assert!(close_to(total.bridged, 200.0));
    }

    #[test]
    fn a_counter_read_once_and_never_again_is_unknown_and_not_zero() {
        let mut account = play(Method::Rapl, &[(0.0, joules(70.0))]);
        account.close(&Timeline::default(), seconds(10.0));
        assert!(!account.total().is_known());
        assert_eq!(account.total().gap, seconds(10.0));
    }

    #[test]
    fn time_after_the_last_reading_is_a_gap_at_its_power() {
        let mut account = play(Method::NvmlPower, &[(0.0, watts(100.0)), (1.0, watts(100.0))]);
        account.close(&Timeline::default(), seconds(3.0));
        assert!(close_to(account.total().bridged, 200.0));
    }

    proptest! {
        /// Reading a straight ramp more often changes nothing, and nothing is ever negative or NaN.
        #[test]
        fn any_split_of_a_ramp_gives_the_same_energy(
            first in 0.0_f64..700.0,
            slope in -100.0_f64..100.0,
            mut cuts in prop::collection::vec(0.001_f64..2.999, 0..20),
        ) {
            let power = |t: f64| (first + slope * t).max(0.0);
            let straight = first + slope * 3.0 >= 0.0;
            cuts.sort_by(f64::total_cmp);
            let mut series = vec![(0.0, watts(power(0.0)))];
            series.extend(cuts.iter().map(|&t| (t, watts(power(t)))));
            series.push((3.0, watts(power(3.0))));
            let energy = play(Method::NvmlPower, &series).total().energy().as_joules();
            prop_assert!(energy >= 0.0 && energy.is_finite());
            if straight {
                let exact = (first + slope * 1.5) * 3.0;
                prop_assert!((energy - exact).abs() < 1e-3, "{energy} {exact}");
            }
        }
    }
}
