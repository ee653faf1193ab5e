//! Tells that a file of the home may have changed. A hint only: what changed, a scan finds out.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tracing::debug;

/// A watch on the folders of a home; ends when it is dropped.
pub(in crate::daemon) struct Watch {
    _watcher: RecommendedWatcher,
}

/// Which changes concern a home.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct Concern {
    home: PathBuf,
    /// The entries of the home's folder that matter.
    entries: BTreeSet<OsString>,
}

impl Watch {
    /// Watches `folders`, the home's own, and that around it, where a home that is a link is replaced. Folders, never
    /// files: a file's watch ends when an editor saves by renaming.
    pub(in crate::daemon) fn arm(
        concern: &Concern,
        folders: &BTreeMap<PathBuf, u64>,
        hint: &Arc<Notify>,
    ) -> notify::Result<Watch> {
        let (told, hint) = (concern.clone(), Arc::clone(hint));
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.map_or(true, |event| told.includes(&event)) {
                hint.notify_one();
            }
        })?;
        watcher.watch(&concern.home, RecursiveMode::NonRecursive)?;
        for folder in folders.keys().map(PathBuf::as_path).chain(concern.home.parent()) {
            // It may have gone since; then the next scan finds that.
            if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                debug!(folder = %folder.display(), %error, "A folder can't be watched.");
            }
        }
        Ok(Watch { _watcher: watcher })
    }
}

impl Concern {
    /// Returns the concern of the home in the folder `home`, an absolute path, with these entries.
    pub(in crate::daemon) fn new(home: &Path, entries: BTreeSet<OsString>) -> Concern {
        Concern { home: home.to_owned(), entries }
    }

    fn includes(&self, event: &Event) -> bool {
        // Our own reading raises access events.
        let is_written =
            !event.kind.is_access() || event.kind == EventKind::Access(AccessKind::Close(AccessMode::Write));
        is_written && (event.paths.is_empty() || event.paths.iter().any(|path| self.includes_path(path)))
    }

    fn includes_path(&self, path: &Path) -> bool {
        if path == self.home {
            return true;
        }
        match path.parent() {
            Some(folder) if folder == self.home => path.file_name().is_some_and(|name| self.entries.contains(name)),
            Some(folder) if Some(folder) == self.home.parent() => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_the_home_and_its_other_files_are_no_concern() {
        let concern = Concern::new(Path::new("/a/home"), ["rules".into(), "homerule.yaml".into()].into());
        let includes = |path: &str| concern.includes_path(Path::new(path));
        assert!(includes("/a/home") && includes("/a/home/rules") && includes("/a/home/homerule.yaml"));
        assert!(includes("/a/home/rules/tv.yaml") && includes("/shared/rules/b.yaml"));
        assert!(!includes("/a/other") && !includes("/a/home/recording.jsonl"));
    }

    #[test]
    fn reading_a_file_is_no_change() {
        let concern = Concern::new(Path::new("/a/home"), BTreeSet::new());
        let read = EventKind::Access(AccessKind::Open(notify::event::AccessMode::Read));
        let event = Event::new(read).add_path(PathBuf::from("/a/home/rules/x.yaml"));
        assert!(!concern.includes(&event));
    }
}
