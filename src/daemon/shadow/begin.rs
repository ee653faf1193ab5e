//! How a shadow begins with the daemon.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use crate::daemon::files::reload::{Loaded, Reloader, Request, Subject};
use crate::daemon::home::input::Link;
use crate::disk::home_files::{FilesError, rules_folder_of};
use crate::engine::{Options, Snapshot};
use crate::lang::{Settings, ShadowSettings};
use crate::rules::Ruleset;

use super::{Begin, Shadow};

/// A shadow that begins: what the loop has of it, and what watches its files.
#[derive(Default)]
pub(in crate::daemon) struct Started {
    pub(in crate::daemon) shadow: Option<Shadow>,
    pub(in crate::daemon) reloader: Option<Reloader>,
    /// Asks for its files to be read again.
    pub(in crate::daemon) requests: Option<mpsc::Sender<Request>>,
}

/// Returns the rules that are to be in the shadow of the home in `folder`: those in the folder `named`, or those of the settings.
pub(in crate::daemon) fn wanted(folder: &Path, named: Option<&PathBuf>, settings: &Settings) -> Option<ShadowSettings> {
    let wanted = settings.shadow.clone();
    let wanted = match named.map(|named| named.to_string_lossy().into_owned()) {
        Some(rules) => Some(wanted.map_or_else(
            || ShadowSettings::of(rules.clone()),
            |wanted| ShadowSettings { rules: rules.clone(), ..wanted },
        )),
        None => wanted,
    };
    let mut wanted = wanted?;
    wanted.rules = rules_folder_of(folder, &wanted.rules);
    Some(wanted)
}

/// Starts it.
///
/// # Errors
/// When the home's folder can't be read.
pub(in crate::daemon) fn start(
    wanted: Option<ShadowSettings>,
    home: &Path,
    (here, settings): (&Ruleset, &Settings),
    (snapshot, options): (Option<Snapshot>, Options),
    (now, link): (jiff::Timestamp, Link),
) -> Result<Started, FilesError> {
    let Some(wanted) = wanted else { return Ok(Started::default()) };
    let subject = Subject::Shadow(wanted.rules.as_str().into());
    let (loaded, scan) = Loaded::read(home, &subject)?;
    let good = loaded.sources.clone();
    let begin = Begin {
        now,
        data: home.join(&settings.data),
        here,
        snapshot: snapshot.unwrap_or_default(),
        options,
        limit: settings.limits.evaluation,
        link: link.clone(),
    };
    let shadow = Shadow::start(wanted, begin, loaded);
    let (requests, requested) = mpsc::channel(1);
    let reloader = Reloader::new((home.to_owned(), subject), link, requested, scan, good);
    Ok(Started { shadow: Some(shadow), reloader: Some(reloader), requests: Some(requests) })
}
