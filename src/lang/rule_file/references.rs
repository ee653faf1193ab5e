//! References to other rules: in actions, and in `holds()` and `running()` within expressions.

use std::ops::Range;

use crate::lang::reader::file_span;
use crate::lang::tree::Node;
use crate::lang::{Code, near};
use crate::model::{PlacedText, RuleId};
use crate::rules::RuleReference;
use crate::script::Expression;

use super::context::without_instance;
use super::decoder::Decoder;

impl Decoder<'_> {
    /// Returns the rule that an action names.
    pub(super) fn rule_reference(&mut self, node: &Node) -> Option<RuleReference> {
        let scalar = self.scalar(node, "a rule's name")?;
        if scalar.text.as_str().contains("${") {
            let template = self.text_template(node, "a rule's name")?;
            if self.constants.first_unknown(&template).is_some() {
                return Some(RuleReference::Template(template));
            }
        }
        let fixed = self.fixed(node, "a rule's name")?;
        self.find_rule(&fixed.text, fixed.span).map(RuleReference::Fixed)
    }

    /// Returns the rule that `text` names; an unknown or ambiguous one is reported at `span`.
    fn find_rule(&mut self, text: &str, span: Range<usize>) -> Option<RuleId> {
        let found = self.context.names.find(text, &self.file.stem);
        match found.as_slice() {
            [id] => {
                self.beside.insert(format!("rule {id}"));
                Some(id.clone())
            }
            [] => self.find_instance(text, span),
            several => {
                let ids: Vec<&str> = several.iter().map(RuleId::as_str).collect();
                let message = format!("several rules are named `{text}`");
                let help = format!("write the file too: {}", near::list(&ids));
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
        let help = match instances.as_slice() {
            [] => {
                let known: Vec<&str> = self.context.names.iter().flat_map(|id| [id.key(), id.as_str()]).collect();
                near::nearest(text, known).map(|name| format!("did you mean `{name}`?"))
            }
            [first, ..] => Some(format!("it has instances (`each`): name one, as in `{first}`")),
        };
        self.findings.error(Code::UNKNOWN_RULE, span, format!("no rule is named `{text}`")).help_if(help);
        None
    }

    fn instances_of(&self, text: &str) -> Vec<String> {
        let is_meant = |id: &&RuleId| {
            let rule = without_instance(id);
            rule != **id && (rule.as_str() == text || rule.key() == text)
        };
        self.context.names.iter().filter(is_meant).map(|id| id.key().to_owned()).collect()
    }

    /// Checks the rules that an expression asks for with `holds()` and `running()`.
    pub(super) fn check_rules_in(&mut self, expression: &Expression) {
        let source = expression.source();
        for question in questions(source.as_str()) {
            let span = |range: Range<usize>| file_span(source, range);
            let id = match &question.argument {
                Argument::None if question.function == "holds" => self.id.clone(),
                Argument::None | Argument::Computed => continue,
                Argument::Text(text, range) => match self.find_rule(text, span(range.clone())) {
                    Some(id) => id,
                    None => continue,
                },
            };
            if question.function == "holds" && !self.context.is_while(&id) {
                self.report_holds(&id, &question, source);
            }
        }
    }

    fn report_holds(&mut self, id: &RuleId, question: &Question, source: &PlacedText) {
        let message = format!("`holds()` asks whether a `while` rule has begun, and `{id}` has `when`");
        let span = file_span(source, question.at.clone());
        let help = "ask `running()` whether it has a run, or give that rule a `while` instead of its `when`";
        self.findings.error(Code::HOLDS_OF_WHEN, span, message).help(help);
    }
}

/// A call of `holds` or `running` in an expression.
#[derive(Debug, PartialEq)]
struct Question {
    function: &'static str,
    argument: Argument,
    /// The bytes of the whole call in the expression.
    at: Range<usize>,
}

#[derive(Debug, PartialEq)]
enum Argument {
    None,
    /// A text without anything put in, with its bytes, quotes not included.
    Text(String, Range<usize>),
    /// Known at run only.
    Computed,
}

/// Finds the calls of `holds` and `running` outside of texts.
fn questions(source: &str) -> Vec<Question> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut is_within_name = false;
    while let Some(letter) = source.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = source.get(at..).unwrap_or_default();
        if matches!(letter, '\'' | '"' | '`') {
            at += quoted_length(rest, letter);
            is_within_name = false;
            continue;
        }
        let question = if is_within_name { None } else { question_at(rest, at) };
        is_within_name = letter.is_alphanumeric() || matches!(letter, '_' | '.');
        match question {
            Some(question) => {
                at = question.at.end;
                found.push(question);
            }
            None => at += letter.len_utf8(),
        }
    }
    found
}

fn question_at(rest: &str, at: usize) -> Option<Question> {
    let function = ["holds", "running"].into_iter().find(|name| rest.starts_with(name))?;
    let after = rest.get(function.len()..)?;
    let inner = after.trim_start().strip_prefix('(')?;
    let inner_at = rest.len() - inner.len();
    let content = inner.trim_start();
    let content_at = inner_at + inner.len() - content.len();
    let quote = content.chars().next()?;
    if quote == ')' {
        return Some(Question { function, argument: Argument::None, at: at..at + content_at + 1 });
    }
    let computed = Question { function, argument: Argument::Computed, at: at..at + content_at };
    if !matches!(quote, '\'' | '"' | '`') {
        return Some(computed);
    }
    let length = quoted_length(content, quote);
    let text = content.get(1..length.saturating_sub(1))?;
    let end = content.get(length..)?;
    let closing = end.len() - end.trim_start().len();
    if text.contains("${") || text.contains('\\') || !end.trim_start().starts_with(')') {
        return Some(computed);
    }
    let start = at + content_at + 1;
    let argument = Argument::Text(text.to_owned(), start..start + text.len());
    Some(Question { function, argument, at: at..at + content_at + length + closing + 1 })
}

/// Returns the length of the quoted text that begins `rest`, quotes included.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (offset, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if letter == quote => return offset + letter.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_for_rules_are_found_outside_of_texts() {
        let source =
            "holds('a:b') and running( \"c\" ) and 'holds(\"d\")' == x and my_holds('e') and holds() or holds(f)";
        let found = questions(source);
        let arguments: Vec<_> = found.iter().map(|question| (question.function, &question.argument)).collect();
        assert_eq!(
            arguments,
            [
                ("holds", &Argument::Text("a:b".to_owned(), 7..10)),
                ("running", &Argument::Text("c".to_owned(), 27..28)),
                ("holds", &Argument::None),
                ("holds", &Argument::Computed),
            ]
        );
        assert_eq!(&source[found[1].at.clone()], "running( \"c\" )");
    }
}
