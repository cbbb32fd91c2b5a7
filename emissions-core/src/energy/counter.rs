use crate::quantity::{Energy, Power};
use std::time::Duration;

/// A cumulative energy counter, read from time to time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter {
    last: Option<Energy>,
}

/// What the newest reading of a counter says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// The first reading: a starting point, no energy yet.
    First,
    /// The counter went on (through its wrap, where it has one) by this much.
    Advanced(Energy),
    /// The counter started again from elsewhere (driver reload, suspend): what passed in between is unknown.
    Reset,
}

/// A reset and a wrap both show as a fall. A fall is a wrap only if the energy it implies could have been drawn in the
/// time, which is taken as at least this long, since time stamps of a stalled reader are late.
const SHORTEST_STEP: Duration = Duration::from_secs(1);

impl Counter {
    /// Takes the next reading, `since` after the one before.
    pub fn advance(
        &mut self,
        reading: Energy,
        wraps_at: Option<Energy>,
        since: Duration,
        ceiling: Power,
    ) -> Step {
        let Some(last) = self.last.replace(reading) else { return Step::First };
        let possible = ceiling * since.max(SHORTEST_STEP);
        if reading >= last {
            let step = reading - last;
            // An absurd jump is another counter, or none at all.
            return if step <= possible * 10.0 { Step::Advanced(step) } else { Step::Reset };
        }
        let Some(range) = wraps_at else { return Step::Reset };
        let through_the_wrap = (range - last) + reading;
        if last <= range && through_the_wrap <= possible {
            Step::Advanced(through_the_wrap)
        } else {
            Step::Reset
        }
    }

    /// The newest absolute reading.
    #[must_use]
    pub fn last(&self) -> Option<Energy> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOCKET: Power = Power::from_watts(2000.0);
    /// The range of Intel's 32-bit counter at 61 µJ, as powercap prints it.
    const RANGE: Energy = Energy::from_microjoules(262_143_328_850);

    fn step(readings: &[u64], wraps_at: Option<Energy>) -> Step {
        let mut counter = Counter::default();
        let mut last = Step::First;
        for &microjoules in readings {
            last = counter.advance(
                Energy::from_microjoules(microjoules),
                wraps_at,
                Duration::from_secs(1),
                SOCKET,
            );
        }
        last
    }

    #[test]
    fn the_first_reading_is_a_starting_point() {
        assert_eq!(step(&[124_599_532_281], Some(RANGE)), Step::First);
    }

    #[test]
    fn a_counter_that_stands_still_adds_nothing() {
        assert_eq!(step(&[7, 7], None), Step::Advanced(Energy::ZERO));
    }

    #[test]
    fn a_wrap_is_exact() {
        // 262143.328850 - 262100.000000 + 56.671150 = 100 J, by hand.
        let Step::Advanced(energy) = step(&[262_100_000_000, 56_671_150], Some(RANGE)) else {
            unreachable!("a wrap is an advance")
        };
        assert!((energy.as_joules() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_jump_that_no_device_could_draw_is_a_reset() {
        assert_eq!(step(&[1_000_000, u64::MAX / 2], Some(RANGE)), Step::Reset);
    }

    #[test]
    fn a_fall_without_a_wrap_is_a_reset() {
        assert_eq!(step(&[5_000_000, 1_000_000], None), Step::Reset);
    }

    #[test]
    fn a_fall_that_would_need_an_impossible_power_is_a_reset() {
        // Back to zero from the middle of the range would be 131 kJ in a second.
        assert_eq!(step(&[131_000_000_000, 0], Some(RANGE)), Step::Reset);
    }

    proptest! {
        /// However a counter's path is cut into readings, and wherever it wraps, the same energy comes out.
        #[test]
        fn any_split_of_a_series_gives_the_same_energy(
            start in 0_u64..262_143_328_850,
            steps in prop::collection::vec(0_u64..1_500_000_000, 1..60),
        ) {
            let range = 262_143_328_850_u64;
            let mut counter = Counter::default();
            let read = |counter: &mut Counter, path: u64| counter.advance(
                Energy::from_microjoules((start + path) % range), Some(RANGE), Duration::from_secs(1), SOCKET);
            read(&mut counter, 0);
            let (mut path, mut sum) = (0, 0.0);
            for step in steps {
                path += step;
                match read(&mut counter, path) {
                    Step::Advanced(energy) => sum += energy.as_joules(),
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert!((sum - path as f64 / 1e6).abs() < 1e-3);
        }
    }
}
