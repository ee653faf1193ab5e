//! Series with clock changes, exceptions and rules that never happen.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::*;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn event(summary: &str) -> Event {
    Event { summary: summary.into(), location: "".into(), description: "".into(), is_all_day: false }
}

fn local(text: &str) -> DateTime {
    text.parse().unwrap()
}

fn series(rule: &str, start: &str, end: &str) -> Series {
    let (start, end) = (local(start), local(end));
    let mut series = Series::once(event("x"), Some(berlin()), start, Length::between(start, end));
    series.rules.extend((!rule.is_empty()).then(|| Recurrence::parse(rule, None, start).unwrap()));
    series
}

fn at(text: &str) -> Timestamp {
    crate::model::first_instant(&berlin(), local(text))
}

fn starts(agenda: &Agenda, from: &str, until: &str) -> Vec<String> {
    let found = agenda.within(at(from), at(until), &berlin());
    found.iter().map(|one| one.start.to_zoned(berlin()).strftime("%m-%d %H:%M%:::z").to_string()).collect()
}

#[test]
fn a_weekly_event_keeps_its_local_time_over_a_clock_change() {
    let agenda = Agenda::new(vec![series("FREQ=WEEKLY;INTERVAL=2", "2020-01-05T18:00", "2020-01-05T19:00")]);
    assert_eq!(
        starts(&agenda, "2024-03-10T00:00", "2024-04-15T00:00"),
        ["03-10 18:00+01", "03-24 18:00+01", "04-07 18:00+02"]
    );
}

#[test]
fn a_time_that_the_clock_skips_is_the_first_after_the_gap() {
    let agenda = Agenda::new(vec![series("FREQ=DAILY", "2024-03-01T02:30", "2024-03-01T02:45")]);
    assert_eq!(starts(&agenda, "2024-03-31T00:00", "2024-04-01T04:00"), ["03-31 03:00+02", "04-01 02:30+02"]);
}

#[test]
fn a_night_ends_at_its_time_though_the_clock_changed() {
    let agenda = Agenda::new(vec![series("FREQ=DAILY", "2024-10-20T22:00", "2024-10-21T06:00")]);
    let night = agenda.within(at("2024-10-27T01:00"), at("2024-10-27T01:01"), &berlin());
    assert_eq!(night[0].end.to_zoned(berlin()).strftime("%H:%M%:::z").to_string(), "06:00+01");
}

#[test]
fn edges_are_found_in_order_from_any_time() {
    let agenda = Agenda::new(vec![
        series("FREQ=DAILY;COUNT=3", "2024-06-01T08:00", "2024-06-01T09:00"),
        series("", "2024-06-02T08:30", "2024-06-02T08:30"),
    ]);
    let mut now = at("2024-06-01T07:00");
    let mut found = Vec::new();
    while let Some(next) = agenda.next_change(now, &berlin()) {
        found.push(next.to_zoned(berlin()).strftime("%d %H:%M").to_string());
        now = next;
    }
    assert_eq!(found, ["01 08:00", "01 09:00", "02 08:00", "02 08:30", "02 09:00", "03 08:00", "03 09:00"]);
    assert_eq!(agenda.at(Edge::End, None, at("2024-06-02T08:30"), &berlin()).len(), 1);
    assert_eq!(agenda.at(Edge::Start, None, at("2024-06-02T08:31"), &berlin()).len(), 0);
}

#[test]
fn an_exception_doesnt_happen_and_a_date_more_does() {
    let mut daily = series("FREQ=DAILY", "2024-06-01T08:00", "2024-06-01T09:00");
    daily.excluded.insert(local("2024-06-02T08:00"));
    daily.dates.push((local("2024-06-02T12:00"), Some(Length::days(1))));
    let agenda = Agenda::new(vec![daily]);
    assert_eq!(
        starts(&agenda, "2024-06-01T00:00", "2024-06-04T00:00"),
        ["06-01 08:00+02", "06-02 12:00+02", "06-03 08:00+02"]
    );
}

#[test]
fn an_old_rule_and_one_that_never_happens_come_to_an_end() {
    let agenda = Agenda::new(vec![
        series("FREQ=SECONDLY;INTERVAL=7", "1971-01-01T00:00", "1971-01-01T00:00"),
        series("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "1971-01-01T00:00", "1971-01-01T00:00"),
        series("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "1972-02-29T00:00", "1972-02-29T00:00"),
    ]);
    let next = agenda.next(Edge::Start, None, at("2024-06-01T00:00"), &berlin()).unwrap();
    assert!(next.duration_since(at("2024-06-01T00:00")).as_secs() <= 7, "{next}");
}

#[test]
fn a_long_event_that_began_months_ago_goes_on() {
    let agenda = Agenda::new(vec![series("", "2024-01-01T00:00", "2024-09-01T00:00")]);
    assert_eq!(starts(&agenda, "2024-06-01T00:00", "2024-06-02T00:00"), ["01-01 00:00+01"]);
    assert_eq!(agenda.next(Edge::End, None, at("2024-06-01T00:00"), &berlin()), Some(at("2024-09-01T00:00")));
}
