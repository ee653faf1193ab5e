//! What commands write: answers on standard output, findings and errors on standard error. Colour only on a terminal.

use std::io::Write;

use serde::Serialize;

use crate::lang::{Colour, Diagnostic, Report, Sources};

use super::Failure;

/// Writes a line to standard output. A reader that went away is no failure of ours.
pub(super) fn line(text: &str) {
    let _ = writeln!(anstream::stdout(), "{text}");
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
