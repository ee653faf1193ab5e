//! Decodes ranges of numbers: `above`, `below` and `hysteresis`, in triggers and conditions.

use crate::lang::Code;
use crate::lang::reader::fields::Fields;
use crate::lang::yaml::tree::Node;
use crate::rules::Range;

use super::decoder::Decoder;
use super::trigger::optional;

/// Whether a range may have a hysteresis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hysteresis {
    /// In a trigger.
    Allowed,
    /// In a condition.
    Unknown,
}

/// A number that may be invalid, and where it is.
type Given<'n> = (Option<f64>, &'n Node);

impl Decoder<'_> {
    /// Returns the range that the keys describe, or none if none of them is there.
    #[expect(clippy::option_option, reason = "not given, given and broken, given and read are three things")]
    pub(super) fn range(&mut self, fields: &mut Fields<'_>, hysteresis: Hysteresis) -> Option<Option<Range>> {
        let above = fields.take("above").map(|node| (self.number(node), node));
        let below = fields.take("below").map(|node| (self.number(node), node));
        let margin = match hysteresis {
            Hysteresis::Allowed => fields.take("hysteresis").map(|node| (self.number(node), node)),
            Hysteresis::Unknown => None,
        };
        if let Some(margin) = margin {
            self.check_margin(margin, above.is_some() || below.is_some())?;
        }
        if let (Some(above), Some(below)) = (above, below) {
            self.check_order(above, below)?;
        }
        let above = optional(above.map(|(number, _)| number))?;
        let below = optional(below.map(|(number, _)| number))?;
        let hysteresis = optional(margin.map(|(number, _)| number))?.unwrap_or(0.0);
        let is_given = above.is_some() || below.is_some();
        Some(is_given.then_some(Range { above, below, hysteresis }))
    }

    fn check_margin(&mut self, (margin, node): Given<'_>, has_range: bool) -> Option<()> {
        let span = self.mark(node);
        if !has_range {
            let message = "`hysteresis` has no effect without `above` or `below`";
            let found = self.findings.error(Code::KEY_WITHOUT_EFFECT, span, message);
            found.help("it says how far the number must leave the range before it can enter it again");
            return None;
        }
        if margin.is_some_and(|margin| margin < 0.0) {
            self.findings.error(Code::OUT_OF_RANGE, span, "`hysteresis` can't be negative");
            return None;
        }
        Some(())
    }

    fn check_order(&mut self, (low, low_node): Given<'_>, (high, high_node): Given<'_>) -> Option<()> {
        let (Some(low), Some(high)) = (low, high) else { return Some(()) };
        if low < high {
            return Some(());
        }
        let (low_span, high_span) = (self.mark(low_node), self.mark(high_node));
        let message = format!("no number is above {low} and below {high}");
        let found = self.findings.error(Code::EMPTY_RANGE, high_span, message);
        found.relate(low_span, "`above` is here").help("`above` and `below` together mean between; swap them");
        None
    }
}
