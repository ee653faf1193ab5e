//! The daemon's log, on standard error.

use std::io::Write;

use thiserror::Error;
use tracing::{error, warn};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::api::Finding;
use crate::daemon::observers::screen::Format;

/// What an operator wants to see. The broker tells of each connection.
const DEFAULT: &str = "warn,homerule=info,mqtt5=error";

/// The filter can't be read.
#[derive(Debug, Error)]
#[error(
    "`--log {filter}` can't be read: {reason}. Write a level, `debug`, or one for a part, `homerule::daemon=debug`"
)]
pub struct LogError {
    filter: String,
    reason: String,
}

/// Starts the log with what `--log` says.
pub(in crate::daemon) fn start(filter: Option<&str>, format: Format) -> Result<(), LogError> {
    let wanted = filter.unwrap_or(DEFAULT);
    let filter = EnvFilter::try_new(wanted)
        .map_err(|error| LogError { filter: wanted.to_owned(), reason: error.to_string() })?;
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A program that uses us as a library may have a log of its own.
    let _ = match format {
        Format::Json => log.json().try_init(),
        Format::Text => {
            let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            log.with_target(false).with_ansi(is_terminal).compact().try_init()
        }
    };
    Ok(())
}

/// Says what was found in the home's files: to people with the source line, to programs as entries of the log.
pub(in crate::daemon) fn report(findings: &[Finding], format: Format) {
    for finding in findings {
        match format {
            // Colour is taken out where it doesn't go to a terminal. Nobody reads a closed standard error.
            Format::Text => drop(writeln!(anstream::stderr(), "{}", finding.text)),
            Format::Json if finding.is_error() => {
                error!(place = finding.place(), code = finding.code, "{}", finding.message);
            }
            Format::Json => warn!(place = finding.place(), code = finding.code, "{}", finding.message),
        }
    }
}
