//! What is due, day by day, for people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cli::print;
use crate::sim::{Due, Schedule, SunlessDays};

/// What is due more often than this on a day is told in one line.
const MOST_A_DAY: usize = 6;

/// Writes what is due.
pub(super) fn show(coming: &Schedule, zone: &TimeZone, (from, until): (Timestamp, Timestamp)) {
    let local = |at: Timestamp| at.to_zoned(zone.clone());
    let mut days: BTreeMap<Date, Vec<&Due>> = BTreeMap::new();
    for due in &coming.entries {
        days.entry(local(due.at).date()).or_default().push(due);
    }
    for (date, dues) in &days {
        let change = dues.iter().find_map(|due| due.clock_change.as_ref());
        let change = change.map_or(String::new(), |change| format!(": {change}"));
        print::line(&format!("{}{change}", date.strftime("%a %Y-%m-%d")));
        for line in lines(dues, zone) {
            print::line(&format!("  {line}"));
        }
    }
    if coming.entries.is_empty() {
        let (from, until) = (local(from).strftime("%Y-%m-%d %H:%M"), local(until).strftime("%Y-%m-%d %H:%M"));
        print::line(&format!("nothing is due by time alone from {from} to {until}"));
    }
    for days in &coming.sunless {
        print::line(&sunless(days));
    }
    if coming.is_cut {
        print::line("… and more: ask for a shorter time with `--for`, or for one rule");
    }
}

fn sunless(days: &SunlessDays) -> String {
    let SunlessDays { rule, trigger, event, first, last } = days;
    let when = if first == last { format!("on {first}") } else { format!("from {first} to {last}") };
    format!("{rule} {trigger}: no {event} {when}")
}

/// Returns the lines of one day. A trigger that is due again and again has one, where it is due first.
fn lines(dues: &[&Due], zone: &TimeZone) -> Vec<String> {
    let key = |due: &Due| (due.rule.clone(), due.trigger.clone());
    let mut times: BTreeMap<_, Vec<&Due>> = BTreeMap::new();
    for due in dues {
        times.entry(key(due)).or_default().push(due);
    }
    let width = dues.iter().map(|due| due.rule.as_str().chars().count()).max().unwrap_or(0);
    let clock = |due: &Due| {
        let local = due.at.to_zoned(zone.clone());
        local.strftime(if local.second() == 0 { "%H:%M   " } else { "%H:%M:%S" }).to_string()
    };
    let mut lines = Vec::new();
    for due in dues {
        let all = times.get(&key(due)).map_or(&[][..], Vec::as_slice);
        let is_often = all.len() > MOST_A_DAY;
        if is_often && !all.first().is_some_and(|first| std::ptr::eq(*first, *due)) {
            continue;
        }
        let rule = due.rule.as_str();
        let mut line = format!("{}  {rule:width$}  {}", clock(due), due.words);
        if let Some(last) = all.last().filter(|_| is_often) {
            line = format!("{line}: {} times, until {}", all.len(), clock(last).trim_end());
        }
        if let Some(note) = &due.note {
            line = format!("{line} ({note})");
        }
        lines.push(line);
    }
    lines
}
