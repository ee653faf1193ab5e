//! What a rule asks of the past of topics, where that is written out: so it's kept from when the rule is in force.

use crate::script::PastMention;

use crate::lang::rule_file::decoder::Decoder;

impl Decoder<'_> {
    /// Notes what calls ask of the past, as far as the constants of the rule say it.
    pub(in crate::lang::rule_file) fn note_past(&mut self, mentions: &[PastMention]) {
        for mention in mentions {
            let asked = mention.resolve(|name| self.constants.find(name));
            self.past.extend(asked);
        }
    }
}
