//! References to other rules: in actions, and in `holds()` and `running()` in expressions.

use std::ops::Range;

use crate::lang::diagnostic::near::Suggestion;
use crate::lang::reader::file_span;
use crate::lang::yaml::tree::Node;
use crate::lang::{Code, near};
use crate::model::RuleId;
use crate::rules::RuleReference;
use crate::script::Expression;

use crate::lang::rule_file::decoder::Decoder;

impl Decoder<'_> {
    /// Returns the rule that an action names.
    pub(in crate::lang::rule_file) fn rule_reference(&mut self, node: &Node) -> Option<RuleReference> {
        let scalar = self.scalar(node, "a rule's name")?;
        if scalar.text.as_str().contains("${") {
            let template = self.text_template(node, "a rule's name")?;
            if !self.constants.fix(&self.context.sandbox, &template) {
                return Some(RuleReference::Template(template));
            }
        }
        let fixed = self.fixed(node, "a rule's name")?;
        self.find_rule(&fixed.text, fixed.span).map(RuleReference::Fixed)
    }

    /// Returns the rule that `text` names. Reports an unknown or ambiguous one at `span`.
    pub(in crate::lang::rule_file) fn find_rule(&mut self, text: &str, span: Range<usize>) -> Option<RuleId> {
        let found = self.context.names.find(text, &self.file.stem);
        match found.as_slice() {
            [id] => {
                self.beside.insert(format!("rule {id}"));
                Some(id.clone())
            }
            [] => self.find_instance(text, span),
            several => {
                let ids: Vec<&str> = several.iter().map(RuleId::as_str).collect();
                let message = format!("there are several rules named `{text}`");
                let help = format!("write the file too; choose one of {}", near::list(&ids));
                self.findings.error(Code::AMBIGUOUS_RULE, span, message).help(help);
                None
            }
        }
    }

    /// Returns the instance that `text` names, of a rule whose instances come with their topics.
    fn find_instance(&mut self, text: &str, span: Range<usize>) -> Option<RuleId> {
        if let Some((rule, instance)) = text.strip_suffix(']').and_then(|text| text.split_once('[')) {
            let found = self.context.names.find(rule, &self.file.stem);
            if let [id] = found.as_slice()
                && self.context.each_topic.contains(id)
            {
                return Some(id.instance(instance));
            }
        }
        let instances = self.instances_of(text);
        let suggestion = match instances.as_slice() {
            [] => {
                let known: Vec<&str> = self.context.names.iter().flat_map(|id| [id.key(), id.as_str()]).collect();
                near::nearest(text, known).map(Suggestion::guess)
            }
            [first, ..] => Some(Suggestion::advice(format!("it has instances (`each`); name one, e.g. `{first}`"))),
        };
        let message = format!("there is no rule named `{text}`");
        if self.context.is_complete || suggestion.is_some() {
            let inside = self.inside_quotes(&span, text);
            let found = self.findings.error(Code::UNKNOWN_RULE, span, message);
            match inside {
                Some(inside) => found.suggest(inside, suggestion),
                None => found.help_if(suggestion.map(|suggestion| suggestion.help)),
            };
            return None;
        }
        // A file that can't be read doesn't take others with it.
        let found = self.findings.warning(Code::UNKNOWN_RULE, span, message);
        found.help("it may be in a file that can't be read");
        Some(if text.contains(':') { RuleId::from_text(text) } else { RuleId::new(&self.file.stem, text) })
    }

    /// Returns the bytes of `span` that are `text` as it was written, without its quotes.
    pub(in crate::lang::rule_file) fn inside_quotes(&self, span: &Range<usize>, text: &str) -> Option<Range<usize>> {
        let start = span.start + self.text.get(span.clone()).find(text)?;
        Some(start..start + text.len())
    }

    fn instances_of(&self, text: &str) -> Vec<String> {
        let is_meant = |id: &&RuleId| {
            let rule = id.maker();
            rule != **id && (rule.as_str() == text || rule.key() == text)
        };
        self.context.names.iter().filter(is_meant).map(|id| id.key().to_owned()).collect()
    }

    /// Checks the rules that an expression names in `holds()` and `running()`.
    pub(in crate::lang::rule_file) fn check_rules_in(&mut self, expression: &Expression) {
        let libraries = expression.libraries().map(|(name, hash)| format!("library {name} {hash:x}"));
        self.beside.extend(libraries);
        self.note_past(expression.past_mentions());
        self.check_windows_in(expression);
        self.check_calendars_in(expression);
        self.asks_waits |= expression.source().as_str().contains("remaining(");
        for mention in expression.rule_mentions() {
            let span = file_span(expression.source(), mention.at.clone());
            let id = match &mention.rule {
                Some(rule) => self.find_rule(rule, span.clone()),
                None => Some(self.id.clone()),
            };
            if let Some(id) = id.filter(|_| mention.is_holds) {
                self.check_holds(&id, span);
            }
        }
    }

    /// Reports a rule that has no `while`, so that `holds()` can't be asked about it.
    pub(in crate::lang::rule_file) fn check_holds(&mut self, id: &RuleId, span: Range<usize>) {
        if self.context.is_while(id) {
            return;
        }
        let message = format!("`holds()` needs a rule with `while`, but `{id}` has `when`");
        let help = "use `running()` to check for a run, or give that rule a `while` instead of its `when`";
        self.findings.error(Code::HOLDS_OF_WHEN, span, message).help(help);
    }
}
