//! What the page shows, as questions to the loop and to what was recorded. Each question to the loop is short; what is large
//! is made beside it.

pub(super) mod device;
pub(super) mod graph;
pub(super) mod history;
pub(super) mod now;
pub(super) mod past;
pub(super) mod rule;
pub(super) mod run;
pub(super) mod shadow;
pub(super) mod timeline;
pub(super) mod topics;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::daemon::why::asked_time;

use super::problem::Problem;

/// Reads a time that is asked for.
///
/// # Errors
/// Where it is none.
fn time(text: Option<&str>, now: Timestamp, zone: &TimeZone) -> Result<Option<Timestamp>, Problem> {
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| asked_time(text, now, zone).map_err(Problem::bad_request)).transpose()
}

/// Does `work` beside the loop.
pub(super) async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Problem::internal("the answer couldn't be made; please report this with the log"))
}
