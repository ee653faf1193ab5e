//! Buttons that may be pressed: each has a key that works once.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::engine::instant::Shift;
use crate::model::{Name, RuleId};

use super::notice::NoticeButton;

/// How many bytes of a digest are a key.
const KEY_BYTES: usize = 16;

/// The buttons of one notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) target: Name,
    pub(super) rule: RuleId,
    /// The buttons; `None`: it was pressed.
    pub(super) buttons: Vec<Option<NoticeButton>>,
    /// Until when they may be pressed.
    pub(super) until: Timestamp,
}

impl Asked {
    /// Returns whether all were pressed.
    pub(super) fn is_answered(&self) -> bool {
        self.buttons.iter().all(Option::is_none)
    }

    pub(super) fn shift(&mut self, by: SignedDuration) {
        self.until.shift(by);
    }
}

/// Returns the key of a notice's button: nobody guesses it who doesn't know the home's secret.
pub(super) fn key(secret: &[u8], notice: u64, button: usize) -> String {
    let mut digest = Sha256::new();
    digest.update(secret);
    digest.update(notice.to_be_bytes());
    digest.update(u64::try_from(button).unwrap_or(u64::MAX).to_be_bytes());
    hex(digest.finalize().get(..KEY_BYTES).unwrap_or_default())
}

/// Returns bytes as digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // A string takes all that is written to it.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_button_has_a_key_of_its_own_that_depends_on_the_secret() {
        let keys = [key(b"a", 1, 0), key(b"a", 1, 1), key(b"a", 2, 0), key(b"b", 1, 0)];
        let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!((distinct.len(), keys[0].len()), (4, 32));
    }
}
