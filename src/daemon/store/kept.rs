//! What was kept, as the daemon takes it back: the engine's part, the broker's, and when all of it was last so.

use std::sync::Arc;

use jiff::Timestamp;

use crate::broker::KEPT_PREFIX;
use crate::daemon::mqtt::Retained;
use crate::engine::{SaveKey, Snapshot};
use crate::lang::{Source, Sources};
use crate::link::KEPT_PREFIX as LINK;
use crate::model::Message;

use super::database::Rows;
use super::old_retained::{self, OLD_RETAINED};
use super::outbox::{self, OUTBOX};

/// The key of the time at which the daemon was last alive.
pub(super) const ALIVE: &str = "alive";

/// How the keys of the last good texts of rule files begin.
pub(super) const SOURCE: &str = "source/";

/// Returns the key of the last good text of the file at `path`.
pub(in crate::daemon) fn source_key(path: &str) -> SaveKey {
    SaveKey(format!("{SOURCE}{path}").into())
}

/// What was kept.
#[derive(Debug, Default)]
pub(in crate::daemon) struct Kept {
    /// The engine's.
    pub(in crate::daemon) snapshot: Snapshot,
    /// The broker's.
    pub(in crate::daemon) broker: Vec<(Arc<str>, Vec<u8>)>,
    /// The link's.
    pub(in crate::daemon) link: Vec<(Arc<str>, Vec<u8>)>,
    /// What an earlier version retained, which is the broker's from now on.
    pub(in crate::daemon) old_retained: Vec<Retained>,
    /// The keys of its rows, which are needed no more.
    pub(in crate::daemon) old_keys: Vec<Arc<str>>,
    /// What was decided and may not have left, in its order.
    pub(in crate::daemon) outbox: Vec<Message>,
    /// The last good texts of rule files, by their paths.
    pub(in crate::daemon) sources: Sources,
    /// The keys of its rows.
    pub(super) outbox_keys: Vec<Arc<str>>,
    /// What can't be read.
    pub(in crate::daemon) unreadable: Vec<Arc<str>>,
}

impl Kept {
    /// Sorts rows by whom they belong to.
    pub(super) fn from_rows(rows: Rows) -> Kept {
        let mut kept = Kept::default();
        for (key, value) in rows {
            if key.starts_with(LINK) {
                kept.link.push((key, value));
                continue;
            }
            if key.starts_with(KEPT_PREFIX) {
                kept.broker.push((key, value));
                continue;
            }
            if let Some(topic) = key.strip_prefix(OLD_RETAINED) {
                match old_retained::from_row(topic, &value) {
                    Some(retained) => kept.old_retained.push(retained),
                    None => kept.unreadable.push(Arc::clone(&key)),
                }
                kept.old_keys.push(key);
                continue;
            }
            if let Some(path) = key.strip_prefix(SOURCE) {
                kept.sources.insert(path.into(), Source::Content(value.into()));
                continue;
            }
            if key.starts_with(OUTBOX) {
                match outbox::from_row(&value) {
                    Some(messages) => kept.outbox.extend(messages),
                    None => kept.unreadable.push(Arc::clone(&key)),
                }
                kept.outbox_keys.push(key);
                continue;
            }
            let Ok(text) = String::from_utf8(value) else {
                kept.unreadable.push(key);
                continue;
            };
            if *key == *ALIVE {
                kept.snapshot.alive_at = text.parse::<Timestamp>().ok();
            } else {
                kept.snapshot.values.insert(SaveKey(key), text);
            }
        }
        kept
    }
}
