//! The home of a TV that most tests here use, and a `test --watch` in it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::home::{Home, command};

/// The rules that most tests here use.
pub(crate) const TV: &str = "\
rules:
  dim-lights:
    when: home/+room/tv
    if: msg == 'ON'
    then:
      home/${room}/light/set: { state: ON, brightness: 80 }
";

/// Makes a home with the rules of a TV and these tests of them.
pub(crate) fn tv_with_tests(tests: &str) -> Home {
    Home::new(&[("rules/tv.yaml", TV), ("rules/tv.test.yaml", tests)])
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
        let mut command = command();
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
