//! When windows hold, over the year and beyond the polar circle.

use jiff::tz::TimeZone;

use super::*;
use crate::model::schedule::Location;

const BERLIN: (&str, f64, f64) = ("Europe/Berlin", 52.52, 13.405);
const TROMSO: (&str, f64, f64) = ("Europe/Oslo", 69.649_2, 18.955_3);

fn calendar((zone, latitude, longitude): (&str, f64, f64)) -> Calendar {
    Calendar {
        zone: TimeZone::get(zone).unwrap(),
        location: Some(Location { latitude, longitude }),
        ..Calendar::default()
    }
}

fn window(after: &str, before: &str, weekdays: &str) -> TimeWindow {
    let boundary = |text: &str| (!text.is_empty()).then(|| Boundary::parse(text).unwrap());
    TimeWindow {
        after: boundary(after),
        before: boundary(before),
        weekdays: if weekdays.is_empty() { Weekdays::ALL } else { Weekdays::parse(weekdays).unwrap() },
    }
}

/// Returns the first `count` changes after the local time `after`, as the clock shows them.
fn changes(window: &TimeWindow, place: (&str, f64, f64), after: &str, count: usize) -> Vec<String> {
    let calendar = calendar(place);
    let mut now = calendar.first_instant(after.parse().unwrap());
    std::iter::from_fn(|| {
        let before = window.contains(now, &calendar);
        now = window.next_change(now, &calendar)?;
        assert_ne!(window.contains(now, &calendar), before, "{now}");
        let sign = if before { "ends" } else { "begins" };
        Some(now.to_zoned(calendar.zone.clone()).strftime(&format!("%a %m-%d %H:%M {sign}")).to_string())
    })
    .take(count)
    .collect()
}

#[test]
fn a_window_begins_with_after_and_ends_before_before() {
    let (window, calendar) = (window("08:00", "09:30", ""), Calendar::default());
    for (time, expected) in
        [("07:59:59.999999999", false), ("08:00:00", true), ("09:29:59.999999999", true), ("09:30:00", false)]
    {
        let now = format!("2024-06-01T{time}Z").parse().unwrap();
        assert_eq!(window.contains(now, &calendar), expected, "{time}");
    }
}

#[test]
fn a_window_of_monday_night_ends_on_tuesday() {
    let window = window("22:00", "06:00", "mon");
    assert_eq!(
        changes(&window, BERLIN, "2024-06-01T12:00", 3),
        ["Mon 06-03 22:00 begins", "Tue 06-04 06:00 ends", "Mon 06-10 22:00 begins"]
    );
    let calendar = calendar(BERLIN);
    let monday_at_five = calendar.first_instant("2024-06-03T05:00".parse().unwrap());
    assert!(!window.contains(monday_at_five, &calendar), "that is Sunday's window");
}

#[test]
fn an_end_left_out_is_midnight() {
    assert_eq!(
        changes(&window("", "06:00", ""), BERLIN, "2024-06-01T12:00", 2),
        ["Sun 06-02 00:00 begins", "Sun 06-02 06:00 ends"]
    );
    assert_eq!(
        changes(&window("22:00", "", ""), BERLIN, "2024-06-01T12:00", 2),
        ["Sat 06-01 22:00 begins", "Sun 06-02 00:00 ends"]
    );
    assert_eq!(
        changes(&window("22:00", "00:00", ""), BERLIN, "2024-06-01T12:00", 2),
        ["Sat 06-01 22:00 begins", "Sun 06-02 00:00 ends"]
    );
    assert_eq!(
        changes(&window("", "", "sat-sun"), BERLIN, "2024-06-05T12:00", 2),
        ["Sat 06-08 00:00 begins", "Mon 06-10 00:00 ends"],
        "two days that touch are one window"
    );
}

#[test]
fn from_a_time_to_the_same_time_is_a_day() {
    assert_eq!(
        changes(&window("08:00", "08:00", "mon"), BERLIN, "2024-06-01T12:00", 2),
        ["Mon 06-03 08:00 begins", "Tue 06-04 08:00 ends"]
    );
    assert_eq!(
        changes(&window("00:00", "00:00", "mon"), BERLIN, "2024-06-01T12:00", 2),
        ["Mon 06-03 00:00 begins", "Tue 06-04 00:00 ends"]
    );
}

#[test]
fn a_window_that_is_always_open_never_changes() {
    for window in [window("", "", ""), window("08:00", "08:00", ""), window("sunset", "sunset", "")] {
        let (now, calendar) = ("2024-06-01T12:00:00Z".parse().unwrap(), calendar(BERLIN));
        if window.needs_location() {
            // Where the sun sets later each day, a day's window ends as the next begins.
            assert!(window.contains(now, &calendar));
        } else {
            assert_eq!(window.next_change(now, &calendar), None, "{window:?}");
        }
    }
}

#[test]
fn after_sunset_holds_before_midnight_and_after_it() {
    let calendar = calendar(BERLIN);
    for (after, before) in [("sunset", "sunrise"), ("sunset-30m", "06:00"), ("21:00", "sunrise+10m")] {
        let window = window(after, before, "fri");
        for (time, expected) in [
            ("2024-06-21T04:00", false),
            ("2024-06-21T12:00", false),
            ("2024-06-21T22:00", true),
            ("2024-06-22T00:00", true),
            ("2024-06-22T04:00", true),
            ("2024-06-22T12:00", false),
            ("2024-06-22T23:00", false),
        ] {
            let now = calendar.first_instant(time.parse().unwrap());
            assert_eq!(window.contains(now, &calendar), expected, "{after} to {before}: {time}");
        }
    }
}

#[test]
fn an_evening_is_empty_on_days_on_which_the_sun_sets_after_its_end() {
    let evening = window("sunset", "21:30", "");
    let calendar = calendar(BERLIN);
    let holds =
        |window: &TimeWindow, time: &str| window.contains(calendar.first_instant(time.parse().unwrap()), &calendar);
    for time in ["2026-06-21T12:00", "2026-06-21T21:29", "2026-06-21T21:40", "2026-06-22T03:00"] {
        assert!(!holds(&evening, time), "{time}");
    }
    assert!(holds(&evening, "2026-05-21T21:20") && !holds(&evening, "2026-05-21T21:40"));
    assert!(holds(&evening, "2026-12-21T16:00") && !holds(&evening, "2026-12-21T21:31"));
    assert_eq!(
        changes(&evening, BERLIN, "2026-06-14T12:00", 3),
        ["Tue 07-07 21:29 begins", "Tue 07-07 21:30 ends", "Wed 07-08 21:28 begins"]
    );
    let midday = window("sunrise+4h", "sunset-4h", "");
    for time in ["2026-12-21T12:05", "2026-12-21T12:20", "2026-12-21T23:00", "2026-12-22T05:00"] {
        assert!(!holds(&midday, time), "{time}");
    }
    assert!(holds(&midday, "2026-06-21T12:00") && !holds(&midday, "2026-06-21T18:00"));
}

#[test]
fn what_the_ends_mean_over_the_year_decides_whether_midnight_is_passed() {
    let calendar = calendar(BERLIN);
    let hours = |window: &TimeWindow, day: &str| {
        let noon = calendar.first_instant(format!("{day}T12:00").parse().unwrap());
        let quarters =
            (0..96).filter(|quarter| window.contains(noon + SignedDuration::from_mins(15 * quarter), &calendar));
        quarters.count() / 4
    };
    for (after, before, june, december) in [
        ("20:00", "sunset", 1, 0),
        ("sunset", "06:00", 8, 14),
        ("22:00", "sunrise", 6, 10),
        ("sunset", "sunrise", 7, 16),
        ("sunrise", "07:00", 2, 0),
        ("07:00", "sunrise", 0, 1),
        ("sunset", "12:00", 14, 20),
        ("sunset", "00:30", 2, 8),
        ("sunset+4h", "00:30", 0, 4),
        ("sunset-30m", "23:00", 1, 7),
        ("16:00", "sunset", 5, 0),
    ] {
        let window = window(after, before, "");
        let found = (hours(&window, "2026-06-21"), hours(&window, "2026-12-21"));
        assert_eq!(found, (june, december), "{after} to {before}");
    }
}

#[test]
fn a_sun_name_with_an_offset_may_lie_on_the_next_day_or_the_day_before() {
    assert_eq!(
        changes(&window("sunset+4h", "sunrise", "fri"), BERLIN, "2024-06-20T12:00", 2),
        ["Sat 06-22 01:33 begins", "Sat 06-22 04:43 ends"]
    );
    assert_eq!(
        changes(&window("sunrise-6h", "sunrise", "sat"), BERLIN, "2024-06-20T12:00", 2),
        ["Fri 06-21 22:43 begins", "Sat 06-22 04:43 ends"]
    );
    assert_eq!(
        changes(&window("sunset+4h", "", "fri"), BERLIN, "2024-06-20T12:00", 2),
        ["Sat 06-22 01:33 begins", "Sun 06-23 00:00 ends"]
    );
}

#[test]
fn a_window_follows_the_clock_changes() {
    assert_eq!(
        changes(&window("02:15", "05:00", ""), BERLIN, "2024-03-31T01:00", 2),
        ["Sun 03-31 03:00 begins", "Sun 03-31 05:00 ends"]
    );
    assert_eq!(
        changes(&window("02:15", "02:45", ""), BERLIN, "2024-03-31T01:00", 2),
        ["Mon 04-01 02:15 begins", "Mon 04-01 02:45 ends"],
        "a window that lies in the gap is not there"
    );
    assert_eq!(
        changes(&window("02:15", "02:45", ""), BERLIN, "2024-10-27T01:00", 3),
        ["Sun 10-27 02:15 begins", "Sun 10-27 02:45 ends", "Mon 10-28 02:15 begins"]
    );
}

#[test]
fn from_sunset_to_sunrise_is_all_of_the_polar_night_and_nothing_of_the_polar_day() {
    let calendar = calendar(TROMSO);
    let (night, day) = (window("sunset", "sunrise", ""), window("sunrise", "sunset", ""));
    for hour in 0..24 {
        let winter = calendar.first_instant(format!("2024-12-21T{hour:02}:00").parse().unwrap());
        let summer = calendar.first_instant(format!("2024-06-21T{hour:02}:00").parse().unwrap());
        assert!(night.contains(winter, &calendar) && !day.contains(winter, &calendar), "{hour}");
        assert!(!night.contains(summer, &calendar) && day.contains(summer, &calendar), "{hour}");
    }
    let change = night.next_change("2024-12-21T12:00:00Z".parse().unwrap(), &calendar).unwrap();
    assert_eq!(calendar.date_of(change).month(), 1, "the dark ends with the first sunrise");
}

#[test]
fn a_time_to_a_sun_event_that_never_comes_ends_at_midnight() {
    assert_eq!(
        changes(&window("16:00", "sunrise", ""), TROMSO, "2024-12-21T12:00", 2),
        ["Sat 12-21 16:00 begins", "Sun 12-22 00:00 ends"]
    );
    let (calendar, noon) = (calendar(TROMSO), "2024-12-21T11:30:00Z".parse().unwrap());
    assert!(!window("12:00", "sunset", "").contains(noon, &calendar), "the sun has set already");
    assert!(window("sunset", "23:00", "").contains(noon, &calendar));
    assert!(window("sunset", "06:00", "").contains(noon, &calendar));
}

#[test]
fn a_night_that_no_sunrise_ends_lasts_until_the_next_midnight() {
    let (calendar, window) = (calendar(TROMSO), window("16:00", "sunrise", ""));
    let rises = |date: Date| SunEvent::Sunrise.on(date, &calendar).is_some();
    let mut dates = "2024-11-20".parse::<Date>().unwrap().series(1.day());
    let last = dates.find(|date| rises(*date) && !rises(date.tomorrow().unwrap())).unwrap();
    let noon = |date: Date| calendar.first_instant(date.at(12, 0, 0, 0));
    assert!(!window.contains(noon(last), &calendar), "{last}");
    assert!(window.contains(noon(last.tomorrow().unwrap()), &calendar), "{last}");
    assert!(!window.contains(noon(last.checked_add(2.days()).unwrap()), &calendar), "{last}");
}

#[test]
fn without_a_location_a_window_of_the_sun_is_never_open() {
    let (window, now) = (window("sunset", "sunrise", ""), "2024-12-21T00:00:00Z".parse().unwrap());
    assert!(!window.contains(now, &Calendar::default()));
    assert_eq!(window.next_change(now, &Calendar::default()), None);
}

#[test]
fn the_next_change_is_the_first() {
    for (after, before, weekdays) in [
        ("22:00", "06:00", "mon-fri"),
        ("sunset-30m", "23:15", "sat-sun"),
        ("dawn", "dusk+1h", ""),
        ("noon-20h", "noon", "tue"),
        ("", "sunrise", ""),
        ("sunset+10h", "sunset+5h", "fri"),
        ("sunset+20h", "23:00", ""),
    ] {
        let window = window(after, before, weekdays);
        // Over a clock change, and into the polar night.
        for (place, start) in [(BERLIN, "2024-10-20T00:00:00Z"), (TROMSO, "2024-11-20T00:00:00Z")] {
            let calendar = calendar(place);
            let mut now: Timestamp = start.parse().unwrap();
            let mut next = window.next_change(now, &calendar).unwrap();
            for _ in 0..15 * 24 {
                let is_in = window.contains(now, &calendar);
                let later = now + SignedDuration::from_mins(60);
                if next > later {
                    assert_eq!(window.contains(later, &calendar), is_in, "{after} to {before}: {later}");
                } else {
                    assert_ne!(window.contains(next, &calendar), is_in, "{after} to {before}: {next}");
                    next = window.next_change(later, &calendar).unwrap();
                }
                now = later;
            }
        }
    }
}

#[test]
fn the_days_on_which_a_window_is_empty_are_known() {
    let calendar = calendar(BERLIN);
    let empty = |after: &str, before: &str| window(after, before, "sat-sun").empty_days(2026, &calendar);
    let (from, to) = empty("sunset", "21:30").unwrap();
    assert_eq!((from.month(), to.to_string().as_str()), (6, "2026-07-06"));
    let (from, to) = empty("sunrise+4h", "sunset-4h").unwrap();
    assert!(from.month() >= 11 && to.year() == 2027 && to.month() == 1, "{from} {to}");
    let (from, to) = empty("09:00", "sunrise").unwrap();
    assert!((to - from).get_days() >= 364, "{from} {to}");
    assert_eq!(empty("sunset", "sunrise"), None);
    assert_eq!(empty("22:00", "06:00"), None);
}
