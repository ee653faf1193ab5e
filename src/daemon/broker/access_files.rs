//! The files of users and grants, and the certificates: read at the start, and again whenever one of them changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::broker::access::{Acl, FileError, Users};
use crate::lang::EmbeddedBroker;

use super::gate::Gate;

/// How often the files are looked at. A look is a question to the system for each of them.
const LOOK: Duration = Duration::from_secs(1);

/// What is wrong with a file; each line of it with its place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .0.join("\n"))]
pub(in crate::daemon) struct FileProblem(pub(super) Vec<String>);

/// The files, with what was in them at the start.
pub(in crate::daemon) struct AccessFiles {
    pub(super) users: Option<Users>,
    pub(super) acl: Option<Acl>,
    paths: Paths,
}

/// A file that changed.
pub(super) struct Changed {
    /// As the settings name it.
    pub(super) file: Arc<str>,
    /// What is in it now.
    pub(super) content: Result<Content, FileProblem>,
}

/// What is in a file.
pub(super) enum Content {
    Users(Users),
    Acl(Acl),
    /// The listener of this gate has taken its new certificate over already.
    Certificate,
}

#[derive(Debug, Clone, Default)]
struct Paths {
    home: PathBuf,
    users: Option<String>,
    acl: Option<String>,
}

impl AccessFiles {
    /// Reads the files of `settings`, which are named from the folder of the home.
    ///
    /// # Errors
    /// With all that is wrong with them: half of the grants would be another home.
    pub(in crate::daemon) fn read(settings: &EmbeddedBroker, home: &Path) -> Result<AccessFiles, FileProblem> {
        let paths = Paths { home: home.to_owned(), users: settings.users.clone(), acl: settings.acl.clone() };
        let users = paths.users.as_deref().map(|file| paths.read(file, Users::parse)).transpose();
        let acl = paths.acl.as_deref().map(|file| paths.read(file, Acl::parse)).transpose();
        match (users, acl) {
            (Ok(users), Ok(acl)) => Ok(AccessFiles { users, acl, paths }),
            (users, acl) => {
                let problems = [users.err(), acl.err()].into_iter().flatten().flat_map(|problem| problem.0);
                Err(FileProblem(problems.collect()))
            }
        }
    }

    /// Begins to look whether a file changes, those of the certificates of `gates` among them. Whoever holds the task ends it.
    pub(super) fn watch(&self, gates: Vec<Arc<Gate>>) -> (JoinHandle<()>, mpsc::Receiver<Changed>) {
        let (sender, changes) = mpsc::channel(16);
        let watch = Watch::new(self.paths.clone(), gates, sender);
        (tokio::spawn(watch.run()), changes)
    }
}

impl Paths {
    fn read<T>(&self, file: &str, parse: fn(&[u8]) -> Result<T, Vec<FileError>>) -> Result<T, FileProblem> {
        let bytes = std::fs::read(self.home.join(file))
            .map_err(|error| FileProblem(vec![format!("`{file}` can't be read: {error}")]))?;
        let in_file =
            |errors: Vec<FileError>| FileProblem(errors.into_iter().map(|error| error.in_file(file)).collect());
        parse(&bytes).map_err(in_file)
    }
}

/// What a file looks like from outside: where it differs, the file is read again.
type Stamp = Option<(SystemTime, u64, u64)>;

/// Looks at the files.
struct Watch {
    paths: Paths,
    gates: Vec<Arc<Gate>>,
    sender: mpsc::Sender<Changed>,
    seen: BTreeMap<PathBuf, Stamp>,
}

impl Watch {
    fn new(paths: Paths, gates: Vec<Arc<Gate>>, sender: mpsc::Sender<Changed>) -> Watch {
        let mut watch = Watch { paths, gates, sender, seen: BTreeMap::new() };
        for path in watch.all() {
            watch.seen.insert(path.clone(), stamp(&path));
        }
        watch
    }

    /// Returns all files.
    fn all(&self) -> Vec<PathBuf> {
        let named = [&self.paths.users, &self.paths.acl].into_iter().flatten().map(|file| self.paths.home.join(file));
        named.chain(self.gates.iter().flat_map(|gate| certificates(gate))).collect()
    }

    async fn run(mut self) {
        if self.seen.is_empty() {
            return self.sender.closed().await;
        }
        loop {
            sleep(LOOK).await;
            for changed in self.look() {
                if self.sender.send(changed).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Returns what changed since the last look.
    fn look(&mut self) -> Vec<Changed> {
        let mut changes = Vec::new();
        if let Some(file) = self.paths.users.clone().filter(|file| self.differs(&self.paths.home.join(file))) {
            let content = self.paths.read(&file, Users::parse).map(Content::Users);
            changes.push(Changed { file: file.into(), content });
        }
        if let Some(file) = self.paths.acl.clone().filter(|file| self.differs(&self.paths.home.join(file))) {
            let content = self.paths.read(&file, Acl::parse).map(Content::Acl);
            changes.push(Changed { file: file.into(), content });
        }
        for gate in self.gates.clone() {
            let differs = certificates(&gate).into_iter().filter(|path| self.differs(path)).count() > 0;
            if let Some(tls) = gate.tls.as_ref().filter(|_| differs) {
                let content = tls.reload().map(|()| Content::Certificate);
                let content = content.map_err(|error| FileProblem(vec![error.to_string()]));
                changes.push(Changed { file: format!("the certificate of {}", gate.name).into(), content });
            }
        }
        let looked_at: Vec<PathBuf> = self.all();
        for path in looked_at {
            let stamp = stamp(&path);
            self.seen.insert(path, stamp);
        }
        changes
    }

    fn differs(&self, path: &Path) -> bool {
        self.seen.get(path) != Some(&stamp(path))
    }
}

fn certificates(gate: &Gate) -> Vec<PathBuf> {
    let Some(tls) = &gate.tls else { return Vec::new() };
    let files = tls.files();
    [Some(&files.certificate), Some(&files.key), files.client_ca.as_ref()].into_iter().flatten().cloned().collect()
}

fn stamp(path: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = "ann:$6$c2FsdHNhbHQ=$uFkA1vCZ8Z1V5nKf7v6pFq3m8k0Vb6a3d4YxZ0lKc2sZ2o0uE0m1w3q4b5n6m7l8k9j0h1g2f3d4s5a6p7o8iA==\n";

    fn home(users: &str, acl: &str) -> (tempfile::TempDir, EmbeddedBroker) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("users.txt"), users).unwrap();
        std::fs::write(folder.path().join("acl.txt"), acl).unwrap();
        let settings = EmbeddedBroker {
            users: Some("users.txt".to_owned()),
            acl: Some("acl.txt".to_owned()),
            ..EmbeddedBroker::default()
        };
        (folder, settings)
    }

    #[test]
    fn all_that_is_wrong_with_both_files_is_said_with_its_place() {
        let (folder, settings) = home("ann\n", "topic read a\nnonsense\n");
        let problem = AccessFiles::read(&settings, folder.path()).err().unwrap();
        assert!(problem.0.iter().any(|line| line.starts_with("users.txt:1: ")), "{problem}");
        assert!(problem.0.iter().any(|line| line.starts_with("acl.txt:2: ")), "{problem}");
        std::fs::remove_file(folder.path().join("users.txt")).unwrap();
        let problem = AccessFiles::read(&settings, folder.path()).err().unwrap();
        assert!(problem.0[0].starts_with("`users.txt` can't be read: "), "{problem}");
    }

    #[test]
    fn a_file_is_read_again_when_it_differs_and_only_then() {
        let (folder, settings) = home("", "topic read a\n");
        let files = AccessFiles::read(&settings, folder.path()).unwrap();
        let mut watch = Watch::new(files.paths.clone(), Vec::new(), mpsc::channel(1).0);
        assert!(watch.look().is_empty());
        // As editors save: another file in its place.
        std::fs::write(folder.path().join("new"), "nonsense\n").unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("acl.txt")).unwrap();
        let changes = watch.look();
        assert_eq!(changes.len(), 1);
        assert!(*changes[0].file == *"acl.txt" && changes[0].content.is_err());
        assert!(watch.look().is_empty(), "it was read");
        std::fs::write(folder.path().join("users.txt"), ANN).unwrap();
        assert_eq!(watch.look().len(), 1);
    }
}
