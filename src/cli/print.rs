//! What commands write: answers on standard output, findings and errors on standard error. Colour only on a terminal.
//!
//! An answer that can't be written is no answer: [`finish`] makes that the command's failure.

use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

use serde::Serialize;

use crate::disk;
use crate::lang::{Colour, Diagnostic, Report, Sources};

use super::Failure;

/// Why standard output couldn't be written, the first time.
static UNWRITTEN: OnceLock<String> = OnceLock::new();

/// Writes a line to standard output.
pub(super) fn line(text: &str) {
    note(writeln!(anstream::stdout(), "{text}"));
}

/// Writes bytes to standard output, as they are.
pub(super) fn bytes(bytes: &[u8]) {
    let mut stdout = io::stdout();
    note(stdout.write_all(bytes).and_then(|()| stdout.flush()));
}

/// Notes how a write to standard output went. That its reader went away is no failure of ours.
pub(super) fn note(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        // Only the first is told.
        let _ = UNWRITTEN.set(disk::reason(&error));
    }
}

/// Ends what was written: standard output holds whole lines back from nobody.
///
/// # Errors
/// When some of what went to standard output could not be written.
pub(super) fn finish() -> Result<(), Failure> {
    match UNWRITTEN.get() {
        Some(reason) => Err(Failure::new(format!("standard output can't be written: {reason}"))),
        None => Ok(()),
    }
}

/// Writes an error to standard error.
pub(super) fn error(text: &str) {
    let _ = writeln!(anstream::stderr(), "error: {text}");
}

/// Writes a warning to standard error.
pub(super) fn warning(text: &str) {
    let _ = writeln!(anstream::stderr(), "warning: {text}");
}

/// Writes one JSON document.
///
/// # Errors
/// When the answer is no JSON, which none of ours is.
pub(super) fn json(answer: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(answer).map_err(|error| Failure::new(error.to_string()))?;
    line(&text);
    Ok(())
}

/// Writes findings to standard error, each with its source line. `prefix` stands before each path.
pub(super) fn diagnostics(found: &[Diagnostic], sources: &Sources, prefix: &str) {
    let sources: Sources =
        sources.iter().map(|(path, source)| (format!("{prefix}{path}").into(), source.clone())).collect();
    let mut report = Report::new(&sources);
    for found in found {
        let mut found = found.clone();
        for label in found.related.iter_mut().chain([&mut found.label]) {
            label.file = format!("{prefix}{}", label.file).into();
        }
        // The stream leaves the colours out where it is no terminal.
        let _ = writeln!(anstream::stderr(), "{}", report.text_of(&found, Colour::Yes));
    }
}
