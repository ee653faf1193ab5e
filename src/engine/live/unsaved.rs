//! What has changed since it was last kept.

use std::collections::BTreeSet;

use crate::model::RuleId;

use super::id::LiveId;
use super::track_key::TrackKey;

/// What has changed since it was last kept.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    pub(super) rules: BTreeSet<LiveId>,
    pub(super) rules_late: BTreeSet<LiveId>,
    /// Rules that aren't in force, or weren't when they were noted.
    pub(super) dormant: BTreeSet<RuleId>,
    pub(super) dormant_late: BTreeSet<RuleId>,
    /// What rules know of topics.
    pub(super) tracks: BTreeSet<TrackKey>,
    pub(super) tracks_late: BTreeSet<TrackKey>,
    /// The rules of which something is kept.
    pub(super) kept: BTreeSet<RuleId>,
}
