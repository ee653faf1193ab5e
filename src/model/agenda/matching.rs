//! Which events are meant: those in whose title a pattern is found.

use std::fmt;

use regex::Regex;

/// A pattern for the titles of events.
#[derive(Debug, Clone)]
pub struct Matching(Regex);

impl Matching {
    /// Returns the pattern that `text` is.
    ///
    /// # Errors
    /// In words, when it isn't a regular expression.
    pub fn parse(text: &str) -> Result<Matching, String> {
        Regex::new(text).map(Matching).map_err(|error| error.to_string())
    }

    /// Returns whether it's found in a title.
    #[must_use]
    pub fn finds(&self, summary: &str) -> bool {
        self.0.is_match(summary)
    }
}

impl PartialEq for Matching {
    fn eq(&self, other: &Matching) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl fmt::Display for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}
