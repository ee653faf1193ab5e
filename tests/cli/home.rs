//! A home of a test's own, and what `homerule` says in it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The rules that most tests here use.
pub(crate) const TV: &str = "\
rules:
  dim-lights:
    when: home/+room/tv
    if: msg == 'ON'
    then:
      home/${room}/light/set: { state: ON, brightness: 80 }
";

/// A home of a test's own.
pub(crate) struct Home {
    folder: TempDir,
}

/// What a command wrote, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    /// Makes a home of these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Home {
        let home = Home { folder: TempDir::new().unwrap() };
        for (path, text) in files {
            home.write(path, text);
        }
        home
    }

    /// Makes a home with the rules of a TV and these tests of them.
    pub(crate) fn with_tests(tests: &str) -> Home {
        Home::new(&[("rules/tv.yaml", TV), ("rules/tv.test.yaml", tests)])
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path: PathBuf = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap()
    }

    /// Runs `homerule` in the home.
    pub(crate) fn say(&self, arguments: &[&str]) -> Said {
        let output =
            Command::new(env!("CARGO_BIN_EXE_homerule")).args(arguments).current_dir(self.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&*self.path().to_string_lossy(), "HOME");
        Said { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A `homerule test --watch` that runs until it is dropped.
pub(crate) struct Watch {
    child: std::process::Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Watch {
    pub(crate) fn start(home: &Home) -> Watch {
        Watch::of(home, &[])
    }

    /// Watches the tests at `paths`.
    pub(crate) fn of(home: &Home, paths: &[&str]) -> Watch {
        let mut command = Command::new(env!("CARGO_BIN_EXE_homerule"));
        let command = command.args(["test", "--watch"]).args(paths).current_dir(home.path()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Watch { child, lines }
    }

    /// Waits for a line.
    pub(crate) fn until(&mut self, wanted: &str) {
        assert!(self.lines.by_ref().map(Result::unwrap).any(|line| line == wanted), "it ended without `{wanted}`");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
