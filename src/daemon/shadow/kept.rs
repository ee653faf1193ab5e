//! What is kept of the shadow: the score, every few minutes and at the end; at the end what its rules know, too.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::engine::{SaveKey, Snapshot};
use crate::lang::ShadowSettings;
use crate::sim::Score;

use super::prints::Prints;

/// The file, in the daemon's data.
pub(super) const FILE: &str = "shadow.json";

/// The version of its format.
const VERSION: u32 = 1;

/// What the rules in the shadow know counts only if it is as old as what those in force do.
const TOGETHER: SignedDuration = SignedDuration::from_secs(10);

/// What is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    version: u32,
    /// Which rules, and how they are compared.
    subject: (String, String),
    score: Option<Score>,
    here: Prints,
    there: Prints,
    /// When the shadow ended; `None`: it hadn't.
    ended_at: Option<Timestamp>,
    /// What its rules knew then.
    values: BTreeMap<SaveKey, String>,
}

impl Kept {
    pub(super) fn new(settings: &ShadowSettings, score: Score, here: Prints, there: Prints) -> Kept {
        let (subject, values) = (subject(settings), BTreeMap::new());
        Kept { version: VERSION, subject, score: Some(score), here, there, ended_at: None, values }
    }

    /// Returns it with what the rules know at the end.
    pub(super) fn ended(self, at: Timestamp, snapshot: Snapshot) -> Kept {
        Kept { ended_at: Some(at), values: snapshot.values, ..self }
    }

    /// Reads it; nothing where it is about other rules, or can't be read.
    pub(super) fn read(path: &Path, settings: &ShadowSettings) -> Kept {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Kept::default(),
            Err(error) => {
                warn!("`{}` can't be read, so the shadow's score begins anew: {error}.", path.display());
                return Kept::default();
            }
        };
        match serde_json::from_slice::<Kept>(&text) {
            Ok(kept) if kept.version == VERSION && kept.subject == subject(settings) => kept,
            Ok(_) => Kept::default(),
            Err(error) => {
                warn!("`{}` can't be read, so the shadow's score begins anew: {error}.", path.display());
                Kept::default()
            }
        }
    }

    /// Returns what the rules in the shadow begin with, and the score: what they knew at the end, if that was with the end of those in
    /// force; else what those know. Rules that changed meanwhile, here or there, count anew.
    pub(super) fn go_on(self, now: Timestamp, live: Snapshot, (here, there): (&Prints, &Prints)) -> (Snapshot, Score) {
        let is_together = self
            .ended_at
            .zip(live.alive_at)
            .is_some_and(|(ended, alive)| alive.duration_since(ended).abs() <= TOGETHER);
        let mut score = self.score.unwrap_or_else(|| Score::new(now));
        score.forget(&self.here.changed(here));
        score.forget(&self.there.changed(there));
        let snapshot = if is_together { Snapshot { values: self.values, alive_at: live.alive_at } } else { live };
        (snapshot, score)
    }

    /// Writes it in one step.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let fresh = path.with_extension("json.new");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    }
}

fn subject(settings: &ShadowSettings) -> (String, String) {
    (settings.rules.clone(), settings.compare.word().to_owned())
}
