//! What a check found.

use serde::Serialize;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) outcome: Outcome,
    pub(super) message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) help: Option<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// As it should be.
    Ok,
    /// Worth knowing: the home runs.
    Warning,
    /// The home doesn't run with it, or not as it should.
    Error,
}

impl Finding {
    pub(super) fn ok(message: impl Into<String>) -> Finding {
        Finding { outcome: Outcome::Ok, message: message.into(), help: None }
    }

    pub(super) fn warning(message: impl Into<String>, help: impl Into<String>) -> Finding {
        Finding { outcome: Outcome::Warning, message: message.into(), help: Some(help.into()) }
    }

    pub(super) fn error(message: impl Into<String>, help: impl Into<String>) -> Finding {
        Finding { outcome: Outcome::Error, message: message.into(), help: Some(help.into()) }
    }
}

impl Outcome {
    /// Returns its word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Error => "error",
        }
    }

    /// Returns `text` in its colour, which is left out where it goes to no terminal.
    pub(super) fn coloured(self, text: &str) -> String {
        let colour = match self {
            Outcome::Ok => 32,
            Outcome::Warning => 33,
            Outcome::Error => 31,
        };
        format!("\x1b[{colour}m{text}\x1b[0m")
    }
}
