//! Time from left to right.

use jiff::civil::{Time, time};
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use maud::{Markup, html};

use crate::page::Look;

use super::percent;

/// The most marks on an axis.
const MOST_MARKS: usize = 7;

/// Where times are between two ends.
#[derive(Debug, Clone, Copy)]
pub(in crate::page) struct TimeScale {
    from: Timestamp,
    length: f64,
}

impl TimeScale {
    pub(in crate::page) fn new(from: Timestamp, to: Timestamp) -> TimeScale {
        TimeScale { from, length: to.duration_since(from).as_secs_f64().max(0.001) }
    }

    /// Returns where a time is: 0 at the begin, 1 at the end.
    pub(in crate::page) fn part(&self, at: Timestamp) -> f64 {
        (at.duration_since(self.from).as_secs_f64() / self.length).clamp(0.0, 1.0)
    }
}

/// Returns marks at round local times, from top to bottom `height` high, with their labels below.
pub(in crate::page) fn time_axis(look: &Look, from: Timestamp, to: Timestamp, height: u32) -> Markup {
    let scale = TimeScale::new(from, to);
    html! {
        g.time-axis {
            @for (at, label) in marks(look, from, to) {
                @let x = percent(scale.part(at));
                line x1=(x) x2=(x) y1="0" y2=(height) {}
                @if (0.04..0.97).contains(&scale.part(at)) { text x=(x) y=(height + 15) text-anchor="middle" { (label) } }
            }
        }
    }
}

/// Returns round local times between two, with how each is written.
fn marks(look: &Look, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, String)> {
    let length = to.duration_since(from);
    let most = i64::try_from(MOST_MARKS).unwrap_or(1);
    let steps = [1, 5, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
    let step = steps.into_iter().find(|step| length.as_secs() / step <= most);
    let begin = from.to_zoned(look.zone.clone());
    match step {
        Some(step) if step < 86_400 => {
            let format = if step < 60 { "%H:%M:%S" } else { "%H:%M" };
            within_days(&begin, to, step)
                .into_iter()
                .map(|at| (at.timestamp(), at.strftime(format).to_string()))
                .collect()
        }
        _ => {
            let days = length.as_secs() / 86_400;
            let every = (days / most).max(0) + 1;
            let mut marks = Vec::new();
            let mut day = begin.start_of_day().ok();
            while let Some(at) = day.filter(|at| at.timestamp() <= to) {
                if at.timestamp() >= from {
                    marks.push((at.timestamp(), at.strftime("%-d %b").to_string()));
                }
                day = at.checked_add(every.days()).ok();
            }
            marks
        }
    }
}

/// Returns the multiples of `step` seconds since each midnight.
fn within_days(begin: &Zoned, to: Timestamp, step: i64) -> Vec<Zoned> {
    let mut marks = Vec::new();
    let midnight: Time = time(0, 0, 0, 0);
    let since = begin.time().duration_since(midnight).as_secs();
    let Ok(first) =
        begin.start_of_day().and_then(|day| day.checked_add(SignedDuration::from_secs(since / step * step)))
    else {
        return marks;
    };
    let mut at = first;
    while at.timestamp() <= to && marks.len() < 4 * MOST_MARKS {
        if at.timestamp() >= begin.timestamp() {
            marks.push(at.clone());
        }
        match at.checked_add(SignedDuration::from_secs(step)) {
            Ok(next) => at = next,
            Err(_) => break,
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn told(from: &str, to: &str) -> Vec<String> {
        let (from, to): (Timestamp, Timestamp) = (from.parse().unwrap(), to.parse().unwrap());
        let look = Look { now: to, zone: TimeZone::get("Europe/Berlin").unwrap(), has_shadow: false };
        marks(&look, from, to).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn marks_are_at_round_local_times() {
        assert_eq!(told("2024-06-01T18:07:00Z", "2024-06-01T18:52:00Z"), ["20:10", "20:20", "20:30", "20:40", "20:50"]);
        let day = told("2024-06-01T10:00:00Z", "2024-06-02T10:00:00Z");
        assert_eq!(day, ["12:00", "18:00", "00:00", "06:00", "12:00"]);
        assert_eq!(told("2024-06-01T10:00:00Z", "2024-06-04T10:00:00Z")[0], "12:00");
        assert_eq!(
            told("2024-06-01T10:00:00Z", "2024-07-01T10:00:00Z"),
            ["6 Jun", "11 Jun", "16 Jun", "21 Jun", "26 Jun", "1 Jul"]
        );
    }
}
