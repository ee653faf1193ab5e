//! What a rule asks of the past of topics, where that is written out: so it's kept from when the rule is in force.

use crate::lang::Code;
use crate::lang::reader::file_span;
use crate::model::format_duration;
use crate::script::{Expression, PastMention};

use crate::lang::rule_file::decoder::Decoder;

impl Decoder<'_> {
    /// Notes what calls ask of the past, as far as the constants of the rule say it.
    pub(in crate::lang::rule_file) fn note_past(&mut self, mentions: &[PastMention]) {
        for mention in mentions {
            let asked = mention.resolve(|name| self.constants.find(name));
            self.past.extend(asked);
        }
    }

    /// Warns of windows that reach further back than the recorder does: what came before the rule can't fill them.
    pub(in crate::lang::rule_file) fn check_windows_in(&mut self, expression: &Expression) {
        let Some(kept) = self.context.recorded else { return };
        for mention in expression.past_mentions() {
            let window = mention.duration(|name| self.constants.find(name));
            let Some(window) = window.filter(|window| *window > kept) else { continue };
            let span = file_span(expression.source(), mention.at.clone());
            let message = format!(
                "`{}` is longer than the recorder keeps messages ({})",
                format_duration(window),
                format_duration(kept)
            );
            let found = self.findings.warning(Code::LONG_WINDOW, span, message);
            found.help("it fills up as time passes from when the rule is in force; `recorder: { keep: … }` in homerule.yaml keeps more");
        }
    }
}
