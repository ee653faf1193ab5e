//! What a failed test says: what was expected beside what happened, and the traces that explain it.

mod comparison;
mod concern;
mod difference;
mod run_report;
mod silence;

use crate::explain::{LineKind, Report, one_line, payload_text};
use crate::lang::test_file::{Expected, ExpectedCall, ExpectedMessage, ExpectedPayload, ExpectedTime};
use crate::model::{Payload, Qos};

use super::home::{Call, LocalClock, Published, VirtualHome};

use self::difference::differences;

pub use comparison::{Comparison, Row};

pub(super) use comparison::Relation;
pub(super) use concern::{Concern, Outside};
pub(super) use run_report::{check as check_runs, find as find_rule};

/// So many rows are shown: a test that goes wrong for a year would have thousands.
const MOST_ROWS: usize = 50;

/// So many rows that are as expected are shown before and after one that isn't.
const CONTEXT: usize = 3;

/// Up to so many characters, expected and actual stand side by side.
const WIDEST: usize = 130;

/// What a report compares: how each side is written, and what is to be said of a row that is not as expected.
struct Sides<'a> {
    /// Of a row: what was expected, and what happened.
    texts: &'a dyn Fn(Option<usize>, Option<usize>) -> (Option<String>, Option<String>),
    notes: &'a dyn Fn(Option<usize>, usize) -> Vec<String>,
    /// What happened, as a heading: `published`.
    happened: &'a str,
}

/// Returns the message and report of publications that are not what was expected.
pub(super) fn of_published(
    expected: &Expected<ExpectedMessage>,
    published: &[Published],
    comparison: &Comparison,
    world: &mut VirtualHome,
    first_trace: usize,
) -> (String, Report) {
    let (Expected::AnyOrder(list) | Expected::InOrder(list)) = expected;
    let clock = world.clock();
    let published = &*world.masked(published);
    let sides = Sides {
        texts: &|expected, actual| {
            let expected = expected.and_then(|index| list.get(index));
            let published = actual.and_then(|index| published.get(index));
            let shown = Shown::of(expected, published);
            (
                expected.map(|expected| expected_line(expected, &clock, shown)),
                published.map(|published| published_line(published, &clock, shown)),
            )
        },
        notes: &|expected, actual| {
            let Some(published) = published.get(actual) else { return Vec::new() };
            let expected = expected.and_then(|expected| list.get(expected));
            let mut notes =
                expected.map(|expected| message_differences(expected, published, &clock)).unwrap_or_default();
            notes.push(format!("published by {}", published.publication.rule));
            notes
        },
        happened: "published",
    };
    let mut report = rows(comparison, &sides);
    report.append(Concern::of_rows(list, published, comparison, first_trace).explain(world));
    let message = if list.is_empty() {
        format!(
            "{}, and nothing was expected",
            counted(published.len(), "message was published", "messages were published")
        )
    } else {
        summary(comparison, "message")
    };
    (message, report)
}

/// Returns the message and report of what was published while a recording was played, where it is not what was accepted.
pub(super) fn of_snapshot(
    expected: &Expected<ExpectedMessage>,
    published: &[Published],
    world: &mut VirtualHome,
) -> Option<(String, Report)> {
    let clock = world.clock();
    let comparison = Comparison::new(expected, published, |expected, published| relate(expected, published, &clock));
    if comparison.is_exact() {
        return None;
    }
    Some(of_published(expected, published, &comparison, world, 0))
}

/// Returns what was published, where nothing was accepted yet.
pub(super) fn of_new(published: &[Published], world: &VirtualHome) -> Report {
    let clock = world.clock();
    let mut report = Report::default();
    for published in world.masked(published).iter().take(MOST_ROWS) {
        let rule = &published.publication.rule;
        report.add(
            LineKind::Plain,
            format!("{}   by {rule}", published_line(published, &clock, Shown::of(None, Some(published)))),
        );
    }
    if published.len() > MOST_ROWS {
        report.add(LineKind::Plain, format!("… and {} more", published.len() - MOST_ROWS));
    }
    report
}

/// Returns how something published relates to something expected.
pub(super) fn relate(expected: &ExpectedMessage, published: &Published, clock: &LocalClock) -> Relation {
    let message = &published.publication.message;
    if expected.topic != message.topic {
        return Relation::Strange;
    }
    let same = expected.payload.accepts_payload(&message.payload)
        && expected.at.is_none_or(|time| clock.is_at(time, published.at))
        && expected.retain.is_none_or(|retain| retain == message.retain)
        && expected.qos.is_none_or(|qos| qos == message.qos);
    if same { Relation::Same } else { Relation::Akin }
}

/// Returns the message and report of calls that are not what was expected.
pub(super) fn of_calls(
    expected: &[ExpectedCall],
    calls: &[Call],
    comparison: &Comparison,
    noun: &str,
    world: &VirtualHome,
) -> (String, Report) {
    let sides = Sides {
        texts: &|wanted, actual| {
            (
                wanted.and_then(|index| expected.get(index)).map(|call| call.pattern.to_string()),
                actual.and_then(|index| calls.get(index)).map(|call| world.masked_text(call.to_value().to_string())),
            )
        },
        notes: &|wanted, actual| {
            let pair = wanted.and_then(|wanted| expected.get(wanted)).zip(calls.get(actual));
            let found = pair.map(|(wanted, call)| differences(&wanted.pattern, &call.to_value())).unwrap_or_default();
            found.into_iter().map(|difference| world.masked_text(difference)).collect()
        },
        happened: "asked for",
    };
    (summary(comparison, noun), rows(comparison, &sides))
}

/// Returns the message and report of topics whose state is not what was expected; `None` where all are.
pub(super) fn of_states(expected: &[ExpectedPayload], world: &mut VirtualHome) -> Option<(String, Report)> {
    let empty = Payload::default();
    let mut report = Report::default();
    let mut wrong = Vec::new();
    let mut concerned = Vec::new();
    for ExpectedPayload { topic, payload: pattern } in expected {
        let state = world.engine().states().get(topic.as_str());
        let payload = state.map_or(&empty, |state| &state.payload);
        if pattern.accepts_payload(payload) {
            continue;
        }
        wrong.push(topic);
        // What only devices publish, no rule explains.
        if state.is_none() || concern::has_publisher(world.rules(), topic) {
            concerned.push(topic);
        }
        let masked = world.engine().secrets().mask_payload(payload);
        let payload = masked.as_ref().unwrap_or(payload);
        let is = if state.is_none() { "was never published".to_owned() } else { payload_text(payload) };
        report.add(LineKind::Plain, topic.to_string());
        report.add(LineKind::Missing, format!("  - expected  {pattern}"));
        report.add(LineKind::Unexpected, format!("  + is        {is}"));
        for difference in differences(pattern, payload.value()) {
            report.add(LineKind::Plain, format!("      {difference}"));
        }
    }
    let message = match wrong.as_slice() {
        [] => return None,
        [topic] => format!("the state of `{topic}` is not what was expected"),
        several => format!("the states of {} topics are not what was expected", several.len()),
    };
    report.append(Concern::of_topics(concerned).explain(world));
    Some((message, report))
}

/// Writes the rows side by side, or one above the other where they are too wide.
fn rows(comparison: &Comparison, sides: &Sides<'_>) -> Report {
    let pairs: Vec<(Row, Option<String>, Option<String>)> = comparison
        .rows
        .iter()
        .map(|row| {
            let (expected, actual) = match *row {
                Row::Same { expected, actual } | Row::Differs { expected, actual } => (Some(expected), Some(actual)),
                Row::Missing { expected } => (Some(expected), None),
                Row::Unexpected { actual } => (None, Some(actual)),
            };
            let (expected, actual) = (sides.texts)(expected, actual);
            (*row, expected, actual)
        })
        .collect();
    let width = |text: &Option<String>| text.as_ref().map_or(0, |text| text.chars().count());
    let left = pairs.iter().map(|(_, expected, _)| width(expected)).max().unwrap_or(0).max("(nothing)".len());
    let right = pairs.iter().map(|(_, _, actual)| width(actual)).max().unwrap_or(0);
    let side_by_side = left + right + 4 <= WIDEST;
    let mut report = Report::default();
    if side_by_side {
        report.add(LineKind::Heading, format!("  {:left$}  {}", "expected", sides.happened));
    } else {
        report.add(LineKind::Heading, format!("- expected, + {}", sides.happened));
    }
    let is_shown = near_a_difference(&comparison.rows);
    let (mut shown, mut left_out) = (0, 0);
    for (index, (row, expected, actual)) in pairs.iter().enumerate() {
        if shown == MOST_ROWS {
            report.add(LineKind::Plain, format!("  … and {} more", pairs.len() - index));
            break;
        }
        if !is_shown.get(index).is_some_and(|shown| *shown) {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            report.add(LineKind::Same, format!("  … {left_out} as expected"));
            left_out = 0;
        }
        shown += 1;
        let left = side_by_side.then_some(left);
        add_row(&mut report, *row, (expected.as_deref(), actual.as_deref()), left);
        let notes = match *row {
            Row::Differs { expected, actual } => (sides.notes)(Some(expected), actual),
            Row::Unexpected { actual } => (sides.notes)(None, actual),
            Row::Same { .. } | Row::Missing { .. } => Vec::new(),
        };
        for note in notes {
            report.add(mark_of(*row).1, format!("    {note}"));
        }
    }
    if left_out > 0 {
        report.add(LineKind::Same, format!("  … {left_out} as expected"));
    }
    report
}

/// Returns a row's mark, and what kind of line it makes.
fn mark_of(row: Row) -> (&'static str, LineKind) {
    match row {
        Row::Same { .. } => ("=", LineKind::Same),
        Row::Differs { .. } => ("≠", LineKind::Differs),
        Row::Missing { .. } => ("-", LineKind::Missing),
        Row::Unexpected { .. } => ("+", LineKind::Unexpected),
    }
}

/// Writes a row: side by side, where the left side has a width, or one above the other.
fn add_row(report: &mut Report, row: Row, (expected, actual): (Option<&str>, Option<&str>), left: Option<usize>) {
    let (mark, kind) = mark_of(row);
    if let Some(left) = left {
        let (expected, actual) = (expected.unwrap_or("(nothing)"), actual.unwrap_or("(nothing)"));
        report.add(kind, format!("{mark} {expected:left$}  {actual}"));
    } else if let (Row::Same { .. }, Some(actual)) = (row, actual) {
        report.add(kind, format!("= {actual}"));
    } else {
        for (mark, kind, text) in [("-", LineKind::Missing, expected), ("+", LineKind::Unexpected, actual)] {
            if let Some(text) = text {
                report.add(kind, format!("{mark} {text}"));
            }
        }
    }
}

/// Returns which rows are shown: those that are not as expected, and the nearest around them.
fn near_a_difference(rows: &[Row]) -> Vec<bool> {
    let mut is_shown = vec![false; rows.len()];
    for (index, _) in rows.iter().enumerate().filter(|(_, row)| !matches!(row, Row::Same { .. })) {
        let around = index.saturating_sub(CONTEXT)..rows.len().min(index + CONTEXT + 1);
        is_shown.get_mut(around).unwrap_or_default().fill(true);
    }
    is_shown
}

fn summary(comparison: &Comparison, noun: &str) -> String {
    let (differ, missing, unexpected) = comparison.counts();
    let parts = [
        (differ, format!("{} not as expected", if differ == 1 { "is" } else { "are" })),
        (missing, format!("{} missing", if missing == 1 { "is" } else { "are" })),
        (unexpected, format!("{} not expected", if unexpected == 1 { "was" } else { "were" })),
    ];
    let mut said = String::new();
    for (count, what) in parts.iter().filter(|(count, _)| *count > 0) {
        if said.is_empty() {
            said = format!("{} {what}", counted(*count, noun, &format!("{noun}s")));
        } else {
            said = format!("{said}, {count} {what}");
        }
    }
    said
}

/// Returns a count and its noun.
pub(super) fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// Which of a message's properties a row shows, on both sides alike.
#[derive(Debug, Clone, Copy)]
struct Shown {
    retain: bool,
    qos: bool,
}

impl Shown {
    /// Returns those that matter in a row: what was expected names them, or nothing was expected, and one side is
    /// otherwise than publications usually are.
    fn of(expected: Option<&ExpectedMessage>, published: Option<&Published>) -> Shown {
        let message = published.map(|published| &published.publication.message);
        let (retain, qos) = expected.map_or_else(
            || (message.map(|message| message.retain), message.map(|message| message.qos)),
            |expected| (expected.retain, expected.qos),
        );
        let is_retained = message.is_some_and(|message| message.retain);
        let is_unusual = message.is_some_and(|message| message.qos != Qos::AtLeastOnce);
        Shown {
            retain: retain.is_some_and(|retain| retain || is_retained),
            qos: qos.is_some_and(|qos| qos != Qos::AtLeastOnce || is_unusual),
        }
    }

    fn add_to(self, line: &mut String, retain: bool, qos: Qos) {
        if self.retain {
            line.push_str(if retain { ", retained" } else { ", not retained" });
        }
        if self.qos {
            line.push_str(", QoS ");
            line.push_str(&u8::from(qos).to_string());
        }
    }
}

fn expected_line(expected: &ExpectedMessage, clock: &LocalClock, shown: Shown) -> String {
    let mut line = format!("{} {}", expected.topic, one_line(&expected.payload.to_string()));
    match expected.at {
        None => {}
        // As what was published is written.
        Some(ExpectedTime::Instant(at)) => line = format!("{} {line}", clock.text(at)),
        Some(at) => line = format!("{line} at {at}"),
    }
    shown.add_to(&mut line, expected.retain.unwrap_or(false), expected.qos.unwrap_or(Qos::AtLeastOnce));
    line
}

fn published_line(published: &Published, clock: &LocalClock, shown: Shown) -> String {
    let message = &published.publication.message;
    let mut line = format!("{} {} {}", clock.text(published.at), message.topic, payload_text(&message.payload));
    shown.add_to(&mut line, message.retain, message.qos);
    line
}

fn message_differences(expected: &ExpectedMessage, published: &Published, clock: &LocalClock) -> Vec<String> {
    let message = &published.publication.message;
    let mut found = Vec::new();
    if !expected.payload.accepts_payload(&message.payload) {
        found.extend(differences(&expected.payload, message.payload.value()));
    }
    if let Some(at) = expected.at.filter(|at| !clock.is_at(*at, published.at)) {
        let at = if let ExpectedTime::Instant(at) = at { clock.text(at) } else { at.to_string() };
        found.push(format!("at: expected {at}, was {}", clock.text(published.at)));
    }
    if let Some(retain) = expected.retain.filter(|retain| *retain != message.retain) {
        found.push(format!("retain: expected {retain}, was {}", message.retain));
    }
    if let Some(qos) = expected.qos.filter(|qos| *qos != message.qos) {
        found.push(format!("qos: expected {}, was {}", u8::from(qos), u8::from(message.qos)));
    }
    found
}
