//! A compiled expression.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Name, PlacedText};

use super::code::Code;
use super::error::ExpressionError;
use super::mention::{CalendarMention, DeviceMention, InputMention, PastMention, RuleMention};

/// An expression that has been checked: it parses, and reads only names that can exist.
#[derive(Debug, Clone)]
pub struct Expression {
    pub(in crate::script) source: PlacedText,
    pub(in crate::script) code: Arc<Code>,
}

impl Expression {
    /// Returns the expression as it was written, and where.
    #[must_use]
    pub fn source(&self) -> &PlacedText {
        &self.source
    }

    /// Returns the expression as it was written, to be kept.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        Arc::clone(self.code.text.get_or_init(|| self.source.to_shared()))
    }

    /// Returns the variables that it reads, built-in ones too.
    #[must_use]
    pub fn variables(&self) -> &BTreeSet<Name> {
        &self.code.variables
    }

    /// Returns the comparisons in it that never give anything else.
    #[must_use]
    pub fn doubts(&self) -> &[ExpressionError] {
        &self.code.doubts
    }

    /// Returns the rules that it names in `holds('…')` and `running('…')`, where they are written out.
    #[must_use]
    pub fn rule_mentions(&self) -> &[RuleMention] {
        &self.code.rules
    }

    /// Returns the calendars that it names in `calendar('…')` and `holiday()`.
    #[must_use]
    pub fn calendar_mentions(&self) -> &[CalendarMention] {
        &self.code.calendars
    }

    /// Returns what it asks of the past of topics, as far as that is written out.
    #[must_use]
    pub fn past_mentions(&self) -> &[PastMention] {
        &self.code.past
    }

    /// Returns the devices that it names in `device("…")`, where they are written out.
    #[must_use]
    pub fn device_mentions(&self) -> &[DeviceMention] {
        &self.code.devices
    }

    /// Returns the inputs that it reads by name.
    #[must_use]
    pub fn input_mentions(&self) -> &[InputMention] {
        &self.code.named_inputs
    }
}

impl Expression {
    /// Returns the libraries whose functions it calls, each with a hash of all that these may do.
    pub fn libraries(&self) -> impl Iterator<Item = (&str, u64)> {
        self.code.libraries.iter().map(|library| (&*library.name, library.script.hash()))
    }
}
