//! The sun against almanacs, papers and another formula.

use jiff::tz::TimeZone;

use super::*;

const GOLDEN: (&str, f64, f64) = ("America/Denver", 39.742_476, -105.178_6);
const LONDON: (&str, f64, f64) = ("Europe/London", 51.507_4, -0.127_8);
const NEW_YORK: (&str, f64, f64) = ("America/New_York", 40.712_8, -74.006);
const QUITO: (&str, f64, f64) = ("America/Guayaquil", -0.180_7, -78.467_8);
const REYKJAVIK: (&str, f64, f64) = ("Atlantic/Reykjavik", 64.146_6, -21.942_6);
const SYDNEY: (&str, f64, f64) = ("Australia/Sydney", -33.868_8, 151.209_3);
const TROMSO: (&str, f64, f64) = ("Europe/Oslo", 69.649_2, 18.955_3);

fn calendar((zone, latitude, longitude): (&str, f64, f64)) -> Calendar {
    Calendar {
        zone: TimeZone::get(zone).unwrap(),
        location: Some(Location { latitude, longitude }),
        ..Calendar::default()
    }
}

/// Asserts that an event is at the local `time`, give or take some seconds.
fn assert_near(place: (&str, f64, f64), date: &str, event: SunEvent, time: &str, seconds: i64) {
    let calendar = calendar(place);
    let date: Date = date.parse().unwrap();
    let expected = calendar.first_instant(date.to_datetime(time.parse().unwrap()));
    let found = event.on(date, &calendar).unwrap();
    let away = found.duration_since(expected).as_secs().abs();
    assert!(away <= seconds, "{event} of {date} at {place:?}: {found}, not {expected}");
}

#[test]
fn the_sun_is_as_in_the_paper_of_its_algorithm() {
    // Reda and Andreas (2003), appendix A.5: the library's other algorithm, to the second.
    assert_near(GOLDEN, "2003-10-17", SunEvent::Sunrise, "07:12:43", 10);
    assert_near(GOLDEN, "2003-10-17", SunEvent::Noon, "12:46:05", 2);
    let position = SunPosition::at("2003-10-17T19:30:30Z".parse().unwrap(), calendar(GOLDEN).location.unwrap());
    assert!((position.elevation - 39.872).abs() < 0.01 && (position.azimuth - 194.340).abs() < 0.01, "{position:?}");
}

#[test]
fn an_event_is_at_the_same_second_whenever_somebody_asks() {
    for place in [LONDON, QUITO, SYDNEY, TROMSO] {
        let calendar = calendar(place);
        for (_, event) in SunEvent::ALL {
            let from: Timestamp = "2024-04-06T12:00:00Z".parse().unwrap();
            let mut after = from;
            for _ in 0..40 {
                let found = event.next(after, &calendar).unwrap();
                for ms in [1, 203, 500, 797, 1000, 3_600_000, 40_000_000] {
                    let asked = found - SignedDuration::from_millis(ms);
                    if asked >= after {
                        assert_eq!(event.next(asked, &calendar), Some(found), "{event} at {place:?}, {ms} ms before");
                    }
                }
                let date = found.to_zoned(calendar.zone.clone()).date();
                let of_day = event.on(date, &calendar).unwrap();
                assert!(of_day == found || found.duration_since(of_day).as_hours() > 20, "{event} of {date}");
                after = found;
            }
        }
    }
}

#[test]
fn sunrise_and_sunset_are_as_in_the_almanacs() {
    for (place, date, sunrise, sunset) in [
        (LONDON, "2024-06-21", "04:43", "21:21"),
        (LONDON, "2024-12-21", "08:04", "15:53"),
        (NEW_YORK, "2024-06-21", "05:25", "20:31"),
        (SYDNEY, "2024-12-21", "05:41", "20:05"),
        (SYDNEY, "2024-06-21", "07:00", "16:54"),
        (QUITO, "2024-03-20", "06:18", "18:24"),
        (REYKJAVIK, "2024-12-21", "11:22", "15:30"),
    ] {
        assert_near(place, date, SunEvent::Sunrise, sunrise, 120);
        assert_near(place, date, SunEvent::Sunset, sunset, 120);
    }
}

#[test]
fn the_sun_agrees_with_another_formula_all_over_the_world() {
    for place in [LONDON, NEW_YORK, QUITO, REYKJAVIK, SYDNEY, TROMSO, ("UTC", -54.8, -68.3), ("UTC", 35.7, 139.7)] {
        let calendar = calendar(place);
        let mut compared = 0;
        for date in "2024-01-03".parse::<Date>().unwrap().series(jiff::Span::new().days(5)).take(146) {
            for (event, height) in [
                (SunEvent::Sunrise, -0.833),
                (SunEvent::Sunset, -0.833),
                (SunEvent::Dawn, -6.0),
                (SunEvent::Dusk, -6.0),
            ] {
                let Some(expected) = noaa(date, event, height, calendar.location.unwrap()) else { continue };
                let day = calendar.date_of(expected);
                let Some(found) = event.on(day, &calendar) else { continue };
                let away = found.duration_since(expected).as_secs().abs();
                // Twice a day near midnight, in the bright nights.
                if away < 80_000 {
                    let allowed = if place.1.abs() > 65.0 { 180 } else { 120 };
                    assert!(away <= allowed, "{event} of {day} at {place:?}: {found}, not {expected}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 350, "{place:?}: {compared}");
    }
}

/// Computes an event by the equations of NOAA's calculator (Meeus, low precision), refined once; `None` also
/// where the sun only just reaches the height, and the time depends on the last digit.
fn noaa(date: Date, event: SunEvent, height: f64, location: Location) -> Option<Timestamp> {
    let sign = if matches!(event, SunEvent::Sunrise | SunEvent::Dawn) { -1.0 } else { 1.0 };
    let midnight = date.to_zoned(TimeZone::UTC).unwrap().timestamp();
    let mut minutes = 720.0 - 4.0 * location.longitude;
    for _ in 0..3 {
        let century = (julian_day(midnight) + minutes / 1440.0 - 2_451_545.0) / 36_525.0;
        let longitude = (280.466_46 + century * (36_000.769_83 + century * 0.000_303_2)).to_radians();
        let anomaly = (357.529_11 + century * (35_999.050_29 - 0.000_153_7 * century)).to_radians();
        let eccentricity = 0.016_708_634 - century * 0.000_042_037;
        let centre = anomaly.sin() * (1.914_602 - century * 0.004_817)
            + (2.0 * anomaly).sin() * 0.019_993
            + (3.0 * anomaly).sin() * 0.000_289;
        let node = (125.04 - 1934.136 * century).to_radians();
        let apparent = longitude + (centre - 0.005_69 - 0.004_78 * node.sin()).to_radians();
        let obliquity = (23.439_291 - 0.013_004_2 * century + 0.002_56 * node.cos()).to_radians();
        let declination = (obliquity.sin() * apparent.sin()).asin();
        let y = (obliquity / 2.0).tan().powi(2);
        let equation = 4.0
            * (y * (2.0 * longitude).sin() - 2.0 * eccentricity * anomaly.sin()
                + 4.0 * eccentricity * y * anomaly.sin() * (2.0 * longitude).cos()
                - 0.5 * y * y * (4.0 * longitude).sin()
                - 1.25 * eccentricity * eccentricity * (2.0 * anomaly).sin())
            .to_degrees();
        let latitude = location.latitude.to_radians();
        let cosine =
            (height.to_radians().sin() - latitude.sin() * declination.sin()) / (latitude.cos() * declination.cos());
        if cosine.abs() > 0.99 {
            return None;
        }
        minutes = 720.0 - 4.0 * location.longitude - equation + sign * 4.0 * cosine.acos().to_degrees();
    }
    midnight.checked_add(SignedDuration::from_secs_f64(minutes * 60.0)).ok()
}

#[test]
fn polar_night_and_midnight_sun_are_told_apart() {
    let calendar = calendar(TROMSO);
    let day = |date: &str| SunDay::of(date.parse().unwrap(), &calendar).unwrap();
    assert_eq!(day("2024-12-21"), SunDay::AlwaysDown);
    assert_eq!(day("2024-06-21"), SunDay::AlwaysUp);
    assert!(matches!(day("2024-03-20"), SunDay::RisesOrSets { sunrise: Some(_), sunset: Some(_) }));
    for event in [SunEvent::Sunrise, SunEvent::Sunset] {
        assert_eq!(event.on("2024-12-21".parse().unwrap(), &calendar), None);
        assert_eq!(event.on("2024-06-21".parse().unwrap(), &calendar), None);
    }
    // Civil twilight comes each day of the polar night, and the meridian is crossed on all days.
    for event in [SunEvent::Dawn, SunEvent::Dusk, SunEvent::Noon, SunEvent::Midnight] {
        assert!(event.on("2024-12-21".parse().unwrap(), &calendar).is_some(), "{event}");
    }
}

#[test]
fn after_the_polar_night_the_sun_rises_in_the_middle_of_january() {
    let calendar = calendar(TROMSO);
    let after = "2024-12-01T00:00:00Z".parse().unwrap();
    let date = calendar.date_of(SunEvent::Sunrise.next(after, &calendar).unwrap());
    assert!(("2025-01-14".parse().unwrap()..="2025-01-16".parse().unwrap()).contains(&date), "{date}");
}

#[test]
fn at_the_pole_the_sun_rises_once_a_year() {
    let calendar = calendar(("UTC", -90.0, 0.0));
    let rise = |after: &str| SunEvent::Sunrise.next(after.parse().unwrap(), &calendar).unwrap();
    // Two days before the equinox: it moves up by 0.39° a day.
    assert_eq!(calendar.date_of(rise("2024-01-01T00:00:00Z")), "2024-09-20".parse().unwrap());
    assert_eq!(calendar.date_of(rise("2024-10-01T00:00:00Z")), "2025-09-20".parse().unwrap());
}

#[test]
fn an_event_belongs_to_the_local_day() {
    // In Reykjavik's summer the sun sets after midnight: on 21 June that of the 20th.
    let calendar = calendar(REYKJAVIK);
    let sunset = SunEvent::Sunset.on("2024-06-21".parse().unwrap(), &calendar).unwrap();
    assert_eq!(calendar.local(sunset).hour(), 0);
    assert_eq!(calendar.date_of(sunset), "2024-06-21".parse().unwrap());
}

#[test]
fn the_sun_is_up_from_the_second_of_its_sunrise_to_that_of_its_sunset() {
    for place in [LONDON, QUITO, SYDNEY, REYKJAVIK] {
        let calendar = calendar(place);
        let mut now: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
        for _ in 0..700 {
            let change = SunDay::next_change(now, &calendar).unwrap();
            let before = change.checked_sub(SignedDuration::from_nanos(1)).unwrap();
            assert!(change > now);
            assert_ne!(SunDay::is_up(before, &calendar), SunDay::is_up(change, &calendar), "{place:?} {change}");
            now = change;
        }
    }
}

#[test]
fn at_noon_the_sun_is_highest_and_at_midnight_lowest() {
    for place in [LONDON, NEW_YORK, QUITO, REYKJAVIK, SYDNEY, TROMSO] {
        let (calendar, date) = (calendar(place), "2024-10-20".parse().unwrap());
        let elevation = |event: SunEvent, minutes| {
            let instant = event.on(date, &calendar).unwrap() + SignedDuration::from_mins(minutes);
            SunPosition::at(instant, calendar.location.unwrap()).elevation
        };
        for minutes in [-20, 20] {
            assert!(elevation(SunEvent::Noon, 0) > elevation(SunEvent::Noon, minutes), "{place:?}");
            assert!(elevation(SunEvent::Midnight, 0) < elevation(SunEvent::Midnight, minutes), "{place:?}");
        }
    }
}

#[test]
fn an_answer_is_remembered_for_its_own_place_and_zone_only() {
    let date: Date = "2024-06-21".parse().unwrap();
    let on = |place| SunEvent::Sunrise.on(date, &calendar(place)).unwrap();
    let (london, quito) = (on(LONDON), on(QUITO));
    assert_ne!(london, quito);
    assert_eq!((on(LONDON), on(QUITO)), (london, quito));
    // In New York's zone the day begins later: London's sun has risen then, and rises again the next day.
    let moved = on((NEW_YORK.0, LONDON.1, LONDON.2));
    assert_eq!(moved.duration_since(london).as_hours(), 24);
}

#[test]
fn without_a_location_there_is_no_sun() {
    let (calendar, now) = (Calendar::default(), "2024-06-21T12:00:00Z".parse().unwrap());
    assert_eq!(SunEvent::Noon.on("2024-06-21".parse().unwrap(), &calendar), None);
    assert_eq!(SunEvent::Noon.next(now, &calendar), None);
    assert_eq!(SunDay::is_up(now, &calendar), None);
    assert_eq!(SunDay::of("2024-06-21".parse().unwrap(), &calendar), None);
}

#[test]
fn no_place_and_no_year_panics() {
    for (latitude, longitude) in [(f64::NAN, 0.0), (91.0, 181.0), (-90.0, -180.0), (0.0, f64::INFINITY)] {
        let calendar = calendar(("UTC", latitude, longitude));
        for now in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            for (_, event) in SunEvent::ALL {
                let _ = event.next(now, &calendar);
                let _ = event.on(calendar.date_of(now), &calendar);
            }
            assert!(SunDay::is_up(now, &calendar).is_some());
        }
    }
}
