//! A text that is put together from parts and never grows beyond a limit.

use std::fmt::{self, Write};

use thiserror::Error;

/// A text within a limit.
#[derive(Debug)]
pub struct BoundedText {
    text: String,
    longest: usize,
}

/// Why a text can't take more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{}", BoundedText::too_long(*.0))]
pub struct TextTooLong(usize);

impl BoundedText {
    /// Returns an empty text that takes `longest` bytes.
    #[must_use]
    pub fn new(longest: usize) -> BoundedText {
        BoundedText { text: String::with_capacity(longest.min(64)), longest }
    }

    /// Returns what `value` shows.
    ///
    /// # Errors
    /// When that is longer than `longest` bytes. No more than these are ever held.
    pub fn of(value: &dyn fmt::Display, longest: usize) -> Result<String, TextTooLong> {
        let mut text = BoundedText::new(longest);
        text.show(value)?;
        Ok(text.into_text())
    }

    /// Returns what is said of a text longer than `longest` bytes.
    #[must_use]
    pub fn too_long(longest: usize) -> String {
        format!("a text grows beyond its limit of {}", crate::model::format_size(longest))
    }

    /// Adds a part.
    ///
    /// # Errors
    /// When the text would be too long.
    pub fn push(&mut self, part: &str) -> Result<(), TextTooLong> {
        if self.text.len().saturating_add(part.len()) > self.longest {
            return Err(TextTooLong(self.longest));
        }
        self.text.push_str(part);
        Ok(())
    }

    /// Adds what `value` shows.
    ///
    /// # Errors
    /// When the text would be too long.
    pub fn show(&mut self, value: &dyn fmt::Display) -> Result<(), TextTooLong> {
        write!(self, "{value}").map_err(|_| TextTooLong(self.longest))
    }

    /// Returns the text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }
}

impl Write for BoundedText {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.push(part).map_err(|_| fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_what_fits_and_no_more() {
        let mut text = BoundedText::new(5);
        assert_eq!(text.push("abc"), Ok(()));
        assert_eq!(text.push("def"), Err(TextTooLong(5)));
        assert_eq!(text.show(&12), Ok(()));
        assert_eq!(text.into_text(), "abc12");
    }

    #[test]
    fn the_limit_is_told() {
        let told = BoundedText::of(&"x".repeat(2000), 1024).map_err(|error| error.to_string());
        assert_eq!(told, Err("a text grows beyond its limit of 1 KiB".to_owned()));
    }
}
