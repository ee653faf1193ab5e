//! The clock: what time it is, and whether somebody set it.
//!
//! The wall clock is compared with the monotonic one. A small difference is a clock that is slowly put right; a large
//! one is a clock that was set, and the engine is told. What must not notice that goes by the steady clock, which only the passing of time
//! moves.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::daemon::mqtt::Moment;

/// How fast time passes, for a home that is only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// When it begins.
    pub begin: Timestamp,
    /// How many times as fast as outside.
    pub times: u32,
}

/// The pace of this process, and when it began. None: the system's clock.
static PACE: OnceLock<(Pace, Instant)> = OnceLock::new();

/// Lets time pass at `pace` from now on. A process has one clock, so the first one counts.
pub(in crate::daemon) fn set_pace(pace: Pace) {
    let _ = PACE.set((pace, Instant::now()));
}

/// Returns whether time passes faster in the home than outside.
pub(in crate::daemon) fn is_paced() -> bool {
    PACE.get().is_some()
}

/// Returns what time it is in the home.
pub(in crate::daemon) fn now() -> Timestamp {
    let Some((pace, since)) = PACE.get() else { return Timestamp::now() };
    let passed = SignedDuration::try_from(since.elapsed() * pace.times).unwrap_or(SignedDuration::MAX);
    pace.begin.checked_add(passed).unwrap_or(Timestamp::MAX)
}

/// Returns how long to wait outside until `time` has passed in the home.
pub(in crate::daemon) fn outside(time: Duration) -> Duration {
    PACE.get().map_or(time, |(pace, _)| time / pace.times.max(1))
}

/// A difference that no slow correction explains, beside what it may explain: a thousandth of the time between.
const SET: Duration = Duration::from_millis(750);

/// The daemon's clock.
pub(in crate::daemon) struct Clock {
    wall: Timestamp,
    monotonic: Instant,
    steady: Timestamp,
}

/// What the clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon) struct Reading {
    /// The time, by both clocks. That of the wall goes back only where `forward` says so.
    pub(in crate::daemon) now: Moment,
    /// How far the clock was set forward since the last reading, in milliseconds; negative: back.
    pub(in crate::daemon) forward: Option<i64>,
}

impl Clock {
    /// Starts it. The steady clock begins with that of the wall, but not before `alive_at`, when the daemon was last alive: then the
    /// other was set back meanwhile.
    pub(in crate::daemon) fn start(alive_at: Option<Timestamp>) -> Clock {
        let wall = now();
        Clock { wall, monotonic: Instant::now(), steady: alive_at.map_or(wall, |alive_at| alive_at.max(wall)) }
    }

    /// Reads the clock.
    pub(in crate::daemon) fn read(&mut self) -> Reading {
        if is_paced() {
            // Nobody sets a clock that only we read. What goes by the steady one, such as keep alives, isn't faster.
            let wall = self.wall.max(now());
            let steady = self.compare(wall, Instant::now()).now.steady;
            return Reading { now: Moment { wall, steady }, forward: None };
        }
        self.compare(Timestamp::now(), Instant::now())
    }

    fn compare(&mut self, wall: Timestamp, monotonic: Instant) -> Reading {
        let passed = monotonic.saturating_duration_since(self.monotonic);
        let expected = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        self.steady = self.steady.checked_add(expected).unwrap_or(self.steady);
        let forward = wall.duration_since(self.wall).saturating_sub(expected);
        let is_set = forward.unsigned_abs() > SET + passed / 1000;
        let now = if is_set { wall } else { wall.max(self.wall) };
        self.wall = now;
        self.monotonic = monotonic;
        let forward = is_set.then(|| i64::try_from(forward.as_millis()).unwrap_or(i64::MAX));
        Reading { now: Moment { wall: now, steady: self.steady }, forward }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> (Clock, Timestamp, Instant) {
        let (wall, monotonic) = (Timestamp::UNIX_EPOCH, Instant::now());
        (Clock { wall, monotonic, steady: wall }, wall, monotonic)
    }

    fn seconds(seconds: i64) -> SignedDuration {
        SignedDuration::from_secs(seconds)
    }

    #[test]
    fn time_that_passes_is_no_change_of_the_clock() {
        let (mut clock, wall, monotonic) = clock();
        let reading = clock.compare(wall + seconds(60), monotonic + Duration::from_mins(1));
        let now = Moment { wall: wall + seconds(60), steady: wall + seconds(60) };
        assert_eq!(reading, Reading { now, forward: None });
    }

    #[test]
    fn a_clock_that_was_set_is_told_with_how_far() {
        let (mut clock, wall, monotonic) = clock();
        let reading = clock.compare(wall + seconds(3610), monotonic + Duration::from_secs(10));
        let now = Moment { wall: wall + seconds(3610), steady: wall + seconds(10) };
        assert_eq!(reading, Reading { now, forward: Some(3_600_000) });
        let reading = clock.compare(wall + seconds(10), monotonic + Duration::from_secs(10));
        assert_eq!(reading.forward, Some(-3_600_000));
    }

    #[test]
    fn a_clock_that_is_slowly_put_right_never_goes_back() {
        let (mut clock, wall, monotonic) = clock();
        let reading = clock.compare(wall - SignedDuration::from_millis(2), monotonic);
        assert_eq!(reading, Reading { now: Moment { wall, steady: wall }, forward: None });
    }

    #[test]
    fn after_a_clock_that_was_set_back_while_the_daemon_was_down_the_steady_one_goes_on() {
        let alive_at = Timestamp::now() + seconds(3600);
        let reading = Clock::start(Some(alive_at)).read();
        assert!(reading.now.steady >= alive_at && reading.now.wall < alive_at);
        assert_eq!(reading.forward, None, "the engine has learned of it from what was kept");
    }
}
