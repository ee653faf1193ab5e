//! Decodes how often a rule may run: `limit` and `storm` (docs/language/modes.md).

use crate::lang::Code;
use crate::lang::reader::fields::Fields;
use crate::lang::reader::foreign::Place;
use crate::lang::yaml::tree::Node;
use crate::rules::{RateLimit, Storm};

use super::decoder::Decoder;

/// How many runs a limit may allow.
const MOST: u64 = 10_000;

impl Decoder<'_> {
    /// Returns how many runs may begin in a time.
    pub(super) fn limit(&mut self, node: &Node) -> Option<RateLimit> {
        let fields = Fields::of(node, "`limit`", &self.reader.text, &mut self.reader.findings)?;
        let mut fields = fields.at(Place::Elsewhere);
        let times = fields.need("times", &self.reader.text).and_then(|node| self.integer(node, 1..MOST + 1));
        let within = fields.need("in", &self.reader.text).and_then(|node| self.interval(node));
        fields.finish(&mut self.reader.findings);
        Some(RateLimit { times: usize::try_from(times?).unwrap_or(usize::MAX), within: within? })
    }

    /// Returns what happens when the rule runs very often: `off`, `stop`, or how many runs in ten seconds are many.
    pub(super) fn storm(&mut self, node: &Node) -> Option<Storm> {
        match node.as_scalar().map(|scalar| scalar.text.as_str()) {
            Some("off") => return Some(Storm::Off),
            Some("stop") => return Some(Storm::Stop),
            _ => {}
        }
        if node.as_scalar().is_some_and(|scalar| scalar.text.as_str().parse::<u64>().is_ok()) {
            let most = self.integer(node, 1..MOST + 1)?;
            return Some(Storm::Beyond(usize::try_from(most).unwrap_or(usize::MAX)));
        }
        let span = self.mark(node);
        let found = self.findings.error(Code::UNKNOWN_WORD, span, "`storm` is `off`, `stop`, or a number of runs");
        found.help("e.g. `storm: 500` for a rule that may run 500 times in 10 s");
        None
    }
}
