//! What a simulated GPU shows at a time: pure functions of its script.

use crate::script::{Change, Gpu};

/// The power at a time, in milliwatts.
pub fn power_mw(gpu: &Gpu, t_us: u64) -> u32 {
    let powers =
        gpu.events.iter().take_while(|event| event.t_us <= t_us).filter_map(|event| match event.change {
            Change::Power(mw) => Some(mw),
            Change::Error(_) | Change::Reset => None,
        });
    powers.last().unwrap_or(0)
}

/// The NVML code that every call on the GPU returns at a time, if it fails then.
pub fn error(gpu: &Gpu, t_us: u64) -> Option<u32> {
    let errors =
        gpu.events.iter().take_while(|event| event.t_us <= t_us).filter_map(|event| match event.change {
            Change::Power(_) => Some(None),
            Change::Error(code) => Some(Some(code)),
            Change::Reset => None,
        });
    errors.last().flatten()
}

/// The energy counter at a time, in millijoules; a `step_us` above 0 makes it move only at multiples of that
/// time.
pub fn energy_mj(gpu: &Gpu, step_us: u64, t_us: u64) -> u64 {
    let now = t_us - t_us.checked_rem(step_us).unwrap_or(0);
    // In milliwatts times microseconds: nanojoules.
    let mut total = u128::from(gpu.counter_start_mj) * 1_000_000;
    let mut power = 0;
    let mut since = 0;
    for event in gpu.events.iter().take_while(|event| event.t_us <= now) {
        total += u128::from(power) * u128::from(event.t_us - since);
        since = event.t_us;
        match event.change {
            Change::Power(mw) => power = mw,
            Change::Reset => total = 0,
            Change::Error(_) => {}
        }
    }
    total += u128::from(power) * u128::from(now - since);
    u64::try_from(total / 1_000_000).unwrap_or(u64::MAX)
}

/// Power over power limit, in percent, at most 100.
pub fn utilization_percent(gpu: &Gpu, limit_mw: u32, t_us: u64) -> u32 {
    let percent = 100.0 * f64::from(power_mw(gpu, t_us)) / f64::from(limit_mw);
    percent.round().min(100.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Script;

    /// GPU 0 of a script whose counter starts at 0.
    fn gpu(rows: &str) -> Gpu {
        Script::parse(&format!("gpus = 1\ncounter_start_j = 0\n{rows}")).unwrap().gpus.remove(0)
    }

    const S: u64 = 1_000_000;

    #[test]
    fn power_is_a_step_function() {
        let gpu = gpu("1000,0,100\n2000,0,250.5\n3000,0,error\n4000,0,reset");
        let at = |t_us| power_mw(&gpu, t_us);
        assert_eq!([at(0), at(S - 1), at(S), at(2 * S - 1), at(2 * S)], [0, 0, 100_000, 100_000, 250_500]);
        assert_eq!([at(3 * S), at(4 * S), at(1000 * S)], [250_500; 3]);
    }

    #[test]
    fn energy_is_the_exact_integral() {
        let gpu = gpu("1000,0,100\n2000,0,250.5");
        let at = |t_us| energy_mj(&gpu, 0, t_us);
        assert_eq!([at(0), at(S), at(S + 15), at(2 * S), at(4 * S)], [0, 0, 1, 100_000, 601_000]);
    }

    #[test]
    fn energy_starts_at_the_start_value() {
        let script = Script::parse("0,0,10\n0,1,10").unwrap();
        assert_eq!(energy_mj(&script.gpus[0], 0, 0), 1_000_000);
        assert_eq!(energy_mj(&script.gpus[1], 0, 2 * S), 1_017_000 + 20_000);
    }

    #[test]
    fn energy_moves_on_the_grid() {
        let gpu = gpu("0,0,100\n150,0,200");
        let at = |t_ms: u64| energy_mj(&gpu, 100_000, 1000 * t_ms);
        assert_eq!(
            [at(0), at(99), at(100), at(199), at(200), at(299)],
            [0, 0, 10_000, 10_000, 25_000, 25_000]
        );
    }

    #[test]
    fn a_reset_restarts_the_counter_only() {
        let script = Script::parse("0,0,100\n1000,0,reset\n3000,0,reset").unwrap();
        let at = |t_us| energy_mj(&script.gpus[0], 0, t_us);
        assert_eq!([at(S - 10), at(S), at(2 * S), at(3 * S), at(4 * S)], [1_099_999, 0, 100_000, 0, 100_000]);
    }

    #[test]
    fn errors_last_until_watts_and_do_not_stop_the_integral() {
        let gpu = gpu("0,0,100\n1000,0,error\n2000,0,error:4\n3000,0,reset\n4000,0,50");
        let at = |t_us| error(&gpu, t_us);
        assert_eq!([at(0), at(S), at(2 * S), at(3 * S), at(4 * S)], [None, Some(15), Some(4), Some(4), None]);
        assert_eq!(energy_mj(&gpu, 0, 5 * S), 150_000);
    }

    #[test]
    fn a_century_at_full_power_does_not_overflow() {
        assert_eq!(energy_mj(&gpu("0,0,700"), 0, 3_155_760_000 * S), 3_155_760_000 * 700_000);
    }

    #[test]
    fn utilization_is_power_over_limit() {
        let gpu = gpu("0,0,0\n1,0,350\n2,0,346\n3,0,900");
        let at = |t_us| utilization_percent(&gpu, 700_000, t_us);
        assert_eq!([at(0), at(1000), at(2000), at(3000)], [0, 50, 49, 100]);
    }
}
