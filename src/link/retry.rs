//! When to try again: after 1 s, then ever later up to 60 s, each pause spread so that not all come back at once.

use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST: Duration = Duration::from_mins(1);

/// How long a connection must have lasted for the pauses to begin anew.
pub(super) const STABLE: Duration = Duration::from_secs(10);

/// When to try again.
#[derive(Debug, Clone)]
pub(super) struct Retry {
    /// How often it failed in a row.
    failures: u32,
    random: u64,
}

impl Retry {
    pub(super) fn new(seed: u64) -> Retry {
        Retry { failures: 0, random: seed | 1 }
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Returns how long to wait after another failure.
    pub(super) fn pause(&mut self, needs_a_person: bool) -> Duration {
        let doubled = FIRST.saturating_mul(1_u32.checked_shl(self.failures.min(6)).unwrap_or(64));
        self.failures = self.failures.saturating_add(1);
        let pause = if needs_a_person { LONGEST } else { doubled.min(LONGEST) };
        // Xorshift: 80 to 100 % of it.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let share = 80 + u32::try_from(self.random % 21).unwrap_or(0);
        pause.saturating_mul(share) / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_are_spread() {
        let mut retry = Retry::new(7);
        let pauses: Vec<f64> = (0..9).map(|_| retry.pause(false).as_secs_f64()).collect();
        for (pause, most) in pauses.iter().zip([1., 2., 4., 8., 16., 32., 60., 60., 60.]) {
            assert!(*pause >= most * 0.8 && *pause <= most, "{pauses:?}");
        }
        assert!(pauses[6..].windows(2).any(|pair| (pair[0] - pair[1]).abs() > f64::EPSILON), "{pauses:?}");
        retry.reset();
        assert!(retry.pause(false) <= FIRST);
        assert!(retry.pause(true) >= Duration::from_secs(48));
    }
}
