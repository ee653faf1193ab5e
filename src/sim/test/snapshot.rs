//! A snapshot: what rules published while a recording was played, as it was accepted, beside what they publish now.

use jiff::Timestamp;

use crate::explain::{LineKind, Report};
use crate::lang::test_file::{Expected, ExpectedMessage, ExpectedTime, Pattern, Recorded as RecordedTest, WrittenPath};
use crate::model::recording::Recorded;

use crate::sim::home::{Published, VirtualHome};
use crate::sim::report;

/// A recording that a test plays, as the shell opened it.
pub struct Material<'a> {
    /// Its messages.
    pub messages: &'a mut dyn Iterator<Item = Recorded>,
    /// What was accepted.
    pub snapshot: Snapshot,
}

/// What the shell knows of what was accepted.
#[derive(Debug, Clone, PartialEq)]
pub enum Snapshot {
    /// The test names no snapshot: its steps expect what was published.
    None,
    /// Whatever is published is accepted.
    Accepting,
    /// Nothing was accepted yet.
    Missing,
    /// It can't be read; why.
    Broken(String),
    /// These publications were accepted.
    Accepted(Vec<Recorded>),
}

/// Compares what rules published with what was accepted.
///
/// # Errors
/// When it isn't the same, or nothing was accepted; with the message and the report.
pub(super) fn compare(
    snapshot: &Snapshot,
    path: &str,
    published: &[Published],
    world: &mut VirtualHome,
) -> Result<(), (String, Report)> {
    let accepts = "`homerule test --accept`";
    let published = &*world.masked(published);
    match snapshot {
        Snapshot::None | Snapshot::Accepting => Ok(()),
        Snapshot::Missing => {
            let count = report::counted(published.len(), "message was published", "messages were published");
            let message = format!("there is no snapshot `{path}` yet, and {count}; {accepts} writes it");
            Err((message, report::of_new(published, world)))
        }
        Snapshot::Broken(why) => {
            let message = format!("the snapshot `{path}` can't be read; {accepts} writes it anew");
            let mut report = Report::default();
            report.add(LineKind::Plain, why.as_str());
            Err((message, report))
        }
        Snapshot::Accepted(accepted) => {
            let expected = Expected::InOrder(accepted.iter().map(expected).collect());
            let published: Vec<Published> = published.iter().map(as_written).collect();
            let Some((summary, report)) = report::of_snapshot(&expected, &published, world) else { return Ok(()) };
            Err((
                format!("{summary}, compared with the snapshot `{path}`; {accepts} takes what is published now"),
                report,
            ))
        }
    }
}

/// Returns where a test says which snapshot, or else which recording, is meant.
pub(super) fn named(recorded: &RecordedTest) -> &WrittenPath {
    recorded.snapshot.as_ref().unwrap_or(&recorded.replay)
}

/// Returns a publication with its time as recording lines write it, to the microsecond.
fn as_written(published: &Published) -> Published {
    let at = Timestamp::from_microsecond(published.at.as_microsecond()).unwrap_or(published.at);
    Published { at, ..published.clone() }
}

/// Returns what a line of a snapshot expects. Which rule published it and why stands there to be read: that a rule was
/// renamed changes nothing in the house.
fn expected(accepted: &Recorded) -> ExpectedMessage {
    let message = &accepted.message;
    ExpectedMessage {
        topic: message.topic.clone(),
        payload: Pattern::Equals(message.payload.value().clone()),
        at: Some(ExpectedTime::Instant(accepted.at)),
        retain: Some(message.retain),
        qos: Some(message.qos),
    }
}
