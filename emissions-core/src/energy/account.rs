use super::counter::{Counter, Step};
use super::meter::{Meter, Reading};
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
    /// Of the time before the first reading, what the run was stopped: it is not to be filled.
    excused: Duration,
    /// Time before the first reading whose power is not known yet.
    lead: Duration,
    aside: bool,
    newest: Option<Stretch>,
    total: Total,
}

/// The newest stretch of time that was added to the sums.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Duration,
    energy: Energy,
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
    /// An account of a meter found when the run had been stopped for this long already.
    #[must_use]
    pub fn opened(excused: Duration) -> Self {
        Self { excused, ..Self::default() }
    }

    /// Takes a reading made at `at`.
    pub fn record(
        &mut self,
        meter: &Meter,
        rules: Rules,
        at: Duration,
        reading: Reading,
    ) -> Option<Incident> {
        let since = at.saturating_sub(self.covered_to);
        let mean = self.mean_power_until(reading.power);
        let both_ends =
            self.power.is_some_and(|(then, _)| then == self.covered_to) && since <= rules.longest_step;
        let checked = mean.filter(|_| both_ends && reading.power.is_some());
        if let Some(power) = reading.power {
            self.power = Some((at, power));
            self.total.power = Some(power);
        }
        let incident = match (reading.energy, self.counter.last()) {
            // A counter that did not answer this time: its next reading will hold this stretch.
            (None, Some(_)) => return None,
            (Some(energy), _) => self.by_counter(meter, at, energy, mean, checked),
            (None, None) => {
                self.by_gauge(rules, at, mean);
                None
            }
        };
        self.covered_to = at;
        self.total.samples += 1;
        self.total.counter = self.counter.last();
        incident
    }

    /// Whether what is read from now on is kept apart.
    pub fn hold(&mut self, aside: bool) {
        self.aside = aside;
    }

    /// The run stopped at `at` (`true`) or went on (`false`). The reading made since may be late: of the newest stretch,
    /// what lies beyond `at` changes sides.
    pub fn set_aside(&mut self, aside: bool, at: Duration) {
        if aside == self.aside {
            return;
        }
        self.aside = aside;
        let beyond = self.share_beyond(at);
        let (from, to) = if aside {
            (&mut self.total.counted, &mut self.total.suspended)
        } else {
            (&mut self.total.suspended, &mut self.total.counted)
        };
        *from = *from - beyond;
        *to += beyond;
    }

    /// The meter is gone for good: what it had stays.
    pub fn lose(&mut self, end: Duration) {
        let missing = end.saturating_sub(self.covered_to);
        self.total.gap += missing;
        self.total.unseen += self.total.power.unwrap_or(Power::ZERO) * missing;
        self.covered_to = end;
    }

    /// The run ended at `end`: time since the last reading, or since the beginning if there never was one, is a gap; what
    /// a late last reading holds beyond it is taken off.
    pub fn close(&mut self, end: Duration) {
        if self.covered_to > end && !self.aside {
            self.total.counted = self.total.counted - self.share_beyond(end);
        }
        let missing = end.saturating_sub(self.covered_to) + std::mem::take(&mut self.lead);
        let mean = self.mean_power();
        self.covered_to = end;
        if missing < SHORTEST_GAP || self.aside {
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

    fn by_counter(
        &mut self,
        meter: &Meter,
        at: Duration,
        energy: Energy,
        mean: Option<Power>,
        checked: Option<Power>,
    ) -> Option<Incident> {
        let since = at.saturating_sub(self.covered_to);
        match self.counter.advance(energy, meter.wraps_at, since, meter.ceiling) {
            Step::First => {
                self.lead = at.saturating_sub(self.excused);
                if let Some(power) = mean {
                    self.fill_lead(power);
                }
                None
            }
            Step::Advanced(delta) => {
                self.count(delta, since);
                if let Some(power) = checked.filter(|_| !self.aside) {
                    let check = self.total.check.get_or_insert_default();
                    check.by_power += power * since;
                    check.by_counter += delta;
                }
                if !since.is_zero() {
                    self.fill_lead(delta / since);
                }
                None
            }
            Step::Reset => {
                if let Some(power) = mean.or_else(|| self.mean_power()) {
                    self.bridge(power, since);
                }
                Some(Incident::CounterReset)
            }
        }
    }

    fn by_gauge(&mut self, rules: Rules, at: Duration, mean: Option<Power>) {
        let Some(power) = mean else { return };
        let since = at.saturating_sub(self.covered_to);
        if self.total.samples == 0 {
            self.lead = at.saturating_sub(self.excused);
            self.fill_lead(power);
        } else if since <= rules.longest_step {
            self.count(power * since, since);
        } else {
            self.bridge(power, since);
        }
    }

    /// Time before the first reading, filled as soon as a power is known: it belongs to the run even if that is stopped now.
    fn fill_lead(&mut self, power: Power) {
        let lead = std::mem::take(&mut self.lead);
        let (aside, newest) = (std::mem::replace(&mut self.aside, false), self.newest);
        self.bridge(power, lead);
        (self.aside, self.newest) = (aside, newest);
    }

    fn count(&mut self, energy: Energy, since: Duration) {
        self.newest = Some(Stretch { from: self.covered_to, energy });
        if self.aside {
            self.total.suspended += energy;
        } else {
            self.total.counted += energy;
            self.total.covered += since;
        }
    }

    fn bridge(&mut self, power: Power, time: Duration) {
        self.newest = None;
        if !self.aside && time >= SHORTEST_GAP {
            self.total.bridged += power * time;
            self.total.gap += time;
        }
    }

    /// What of the newest stretch lies beyond `at`, as if its power had been even. A reading that came within the time that
    /// reading takes is not late: its counter is exact.
    fn share_beyond(&self, at: Duration) -> Energy {
        let Some(stretch) = self.newest else { return Energy::ZERO };
        let length = self.covered_to.saturating_sub(stretch.from);
        if length.is_zero() {
            return Energy::ZERO;
        }
        let beyond = self.covered_to.saturating_sub(at.max(stretch.from));
        if beyond < SHORTEST_GAP {
            return Energy::ZERO;
        }
        stretch.energy * (beyond.as_secs_f64() / length.as_secs_f64())
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
        let covered = self.covered_to.saturating_sub(self.total.gap);
        (self.total.samples > 1 && covered >= SHORTEST_GAP).then(|| self.total.counted / covered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            account.record(&meter, RULES, seconds(at), reading);
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
        account.record(&meter, RULES, seconds(0.0), both(1000.0));
        account.record(&meter, RULES, seconds(1.0), both(1250.0));
        let incident = account.record(&meter, RULES, seconds(2.0), both(30.0));
        account.record(&meter, RULES, seconds(3.0), both(280.0));
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
        account.lose(seconds(10.0));
        let total = account.total();
        assert!(close_to(total.energy(), 500.0));
        assert!(close_to(total.unseen, 2000.0));
        assert_eq!(total.gap, seconds(8.0));
    }

    #[test]
    fn energy_of_a_stopped_run_is_kept_apart() {
        let meter = meter(Method::Rapl, None);
        let mut account = Account::default();
        account.record(&meter, RULES, seconds(0.0), joules(0.0));
        account.record(&meter, RULES, seconds(1.0), joules(50.0));
        account.set_aside(true, seconds(1.0));
        account.record(&meter, RULES, seconds(5.0), joules(90.0));
        account.set_aside(false, seconds(5.0));
        account.record(&meter, RULES, seconds(6.0), joules(140.0));
        assert!(close_to(account.total().counted, 100.0));
        assert!(close_to(account.total().suspended, 40.0));
    }

    #[test]
    fn a_stop_that_was_read_late_is_charged_up_to_the_stop() {
        // 100 W throughout; stopped from 1 s to 5 s, but the meter answers only at 2 s and 7 s.
        let meter = meter(Method::Rapl, None);
        let mut account = Account::default();
        account.record(&meter, RULES, seconds(0.0), joules(0.0));
        account.record(&meter, RULES, seconds(2.0), joules(200.0));
        account.set_aside(true, seconds(1.0));
        account.record(&meter, RULES, seconds(7.0), joules(700.0));
        account.set_aside(false, seconds(5.0));
        assert!(close_to(account.total().counted, 300.0), "{:?}", account.total());
        assert!(close_to(account.total().suspended, 400.0));
    }

    #[test]
    fn a_last_reading_that_came_late_is_charged_up_to_the_end() {
        let mut account = play(Method::Rapl, &[(0.0, joules(0.0)), (4.0, joules(400.0))]);
        account.close(seconds(3.0));
        assert!(close_to(account.total().energy(), 300.0));
    }

    #[test]
    fn a_counter_read_once_and_never_again_is_unknown_and_not_zero() {
        let mut account = play(Method::Rapl, &[(0.0, joules(70.0))]);
        account.close(seconds(10.0));
        assert!(!account.total().is_known());
        assert_eq!(account.total().gap, seconds(10.0));
    }

    #[test]
    fn a_meter_found_late_is_not_charged_for_a_stop_before() {
        // Found at 12 s, the run having been stopped for 10 of them.
        let meter = meter(Method::NvmlPower, None);
        let mut account = Account::opened(seconds(10.0));
        account.record(&meter, RULES, seconds(12.0), watts(100.0));
        assert!(close_to(account.total().bridged, 200.0));
    }

    #[test]
    fn time_after_the_last_reading_is_a_gap_at_its_power() {
        let mut account = play(Method::NvmlPower, &[(0.0, watts(100.0)), (1.0, watts(100.0))]);
        account.close(seconds(3.0));
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
