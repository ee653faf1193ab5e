//! What a rule published, as a line of a recording with its cause.

use jiff::Timestamp;

use crate::engine::Publication;
use crate::model::recording::{MessageLine, Via};

use super::CauseAnswer;

/// Returns the line for what a rule published at `at`.
#[must_use]
pub fn publication_line(at: Timestamp, publication: &Publication) -> MessageLine<'_, CauseAnswer<'_>> {
    MessageLine::new(at, &publication.message, Via::Rule(&publication.rule)).with_cause(CauseAnswer(&publication.cause))
}
