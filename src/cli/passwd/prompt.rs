//! Asks for a password: on a terminal without showing it, or on standard input.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::cli::Failure;

/// The longest line that is read: a password of MQTT, and its line break.
const LONGEST: u64 = 65_538;

/// Returns the first line of standard input, without its line break.
pub(super) fn first_line() -> Result<Vec<u8>, Failure> {
    read_line(&mut io::stdin().lock())
}

/// Asks twice on the terminal.
pub(super) fn ask_twice(user: &str) -> Result<Vec<u8>, Failure> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let terminal = terminal.map_err(|_| {
        Failure::new("there is no terminal to ask for the password; use `--stdin` to read it from a pipe")
    })?;
    let first = ask(&terminal, &format!("Password for `{user}`: "))?;
    let second = ask(&terminal, "The same again: ")?;
    if first == second { Ok(first) } else { Err(Failure::new("the two passwords differ, and nothing was changed")) }
}

fn ask(terminal: &File, question: &str) -> Result<Vec<u8>, Failure> {
    let silence = Silence::begin(terminal).map_err(|error| unreadable(&error))?;
    let mut writer = terminal;
    writer.write_all(question.as_bytes()).map_err(|error| unreadable(&error))?;
    let line = read_line(&mut BufReader::new(terminal));
    drop(silence);
    // The line break that was typed wasn't shown either.
    let _ = writer.write_all(b"\n");
    line
}

fn read_line(reader: &mut impl BufRead) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    reader.take(LONGEST).read_until(b'\n', &mut line).map_err(|error| unreadable(&error))?;
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(line)
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(format!("the password can't be read: {error}"))
}

/// A terminal that doesn't show what is typed, until this is dropped.
struct Silence<'t> {
    terminal: &'t File,
    before: Termios,
}

impl Silence<'_> {
    fn begin(terminal: &File) -> io::Result<Silence<'_>> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // What was typed ahead, and shown, isn't taken for the password.
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Silence { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // A terminal that went away needs nothing put back.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
