//! Reads single values from the tree: text, numbers, durations, filters, words. Reports what was expected where it
//! finds something else.
//!
//! A value that is fixed at load may contain `${…}` with constants, which are filled in here.

pub(super) mod constants;
mod expressions;
pub(super) mod fields;
pub(super) mod foreign;
mod ignored;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::model::schedule::{TimeOfDay, Weekdays};
use crate::model::{DurationError, Name, Place, PlacedText, Qos, Topic, TopicFilter, Value, ValuePath, parse_duration};
use crate::script::{ExpressionErrorKind, Sandbox};

use crate::lang::diagnostic::findings::Findings;
use crate::lang::reader::constants::{Constants, Unfixed};
use crate::lang::text::FileText;
use crate::lang::yaml::tree::{Node, NodeKind, Scalar};
use crate::lang::{Applies, Code, Diagnostic, near};
use foreign::Meant;

/// Reads the values of one file.
pub(in crate::lang) struct Reader<'a> {
    /// The file.
    pub(in crate::lang) text: FileText,
    /// What's wrong with it.
    pub(in crate::lang) findings: Findings,
    /// What `${…}` may read in values that are fixed at load.
    pub(in crate::lang) constants: Constants,
    /// Evaluates them; `None` where `${…}` has no meaning.
    pub(in crate::lang) sandbox: Option<&'a Sandbox>,
}

/// Text that is known at load.
#[derive(Debug, Clone)]
pub(in crate::lang) struct Fixed {
    /// The text.
    pub(in crate::lang) text: Arc<str>,
    /// Where it was written.
    pub(in crate::lang) span: Range<usize>,
    /// Where each of its characters was written; `None` if a constant was filled in.
    placed: Option<PlacedText>,
}

impl Fixed {
    /// Returns where in the file the bytes `range` of the text were written.
    pub(in crate::lang) fn span_of(&self, range: Range<usize>) -> Range<usize> {
        self.placed.as_ref().map_or(self.span.clone(), |placed| file_span(placed, range))
    }
}

impl<'a> Reader<'a> {
    /// Returns a reader of a file in which `${…}` has no meaning.
    pub(in crate::lang) fn new(text: FileText) -> Reader<'a> {
        let findings = Findings::new(text.file());
        Reader { text, findings, constants: Constants::default(), sandbox: None }
    }

    /// Returns where `node` is.
    pub(in crate::lang) fn place(&self, node: &Node) -> Place {
        self.text.place(node.span.start)
    }

    /// Returns the bytes to mark for `node`: its first line.
    pub(in crate::lang) fn mark(&self, node: &Node) -> Range<usize> {
        self.text.first_line(&node.span)
    }

    /// Reports that something else was expected: `expected` is like `a duration (`5m`)`.
    pub(in crate::lang) fn wrong_type(&mut self, node: &Node, expected: &str) -> &mut Diagnostic {
        let message = format!("expected {expected}, found {}", node.describe());
        self.findings.error(Code::WRONG_TYPE, self.text.first_line(&node.span), message)
    }

    /// Returns the single value. Reports a list, a map or an empty value.
    pub(in crate::lang) fn scalar<'n>(&mut self, node: &'n Node, expected: &str) -> Option<&'n Scalar> {
        match &node.kind {
            NodeKind::Scalar(scalar) if !scalar.value.is_null() => (!self.is_cut(node, scalar)).then_some(scalar),
            _ => {
                self.wrong_type(node, expected);
                None
            }
        }
    }

    /// Returns text that is fixed at load, with its constants filled in.
    pub(in crate::lang) fn fixed(&mut self, node: &Node, expected: &str) -> Option<Fixed> {
        let scalar = self.scalar(node, expected)?;
        self.fixed_scalar(scalar, node, expected)
    }

    fn fixed_scalar(&mut self, scalar: &Scalar, node: &Node, expected: &str) -> Option<Fixed> {
        let text = scalar.text.as_str();
        let Some(sandbox) = self.sandbox.filter(|_| text.contains("${")) else {
            return Some(Fixed { text: text.into(), span: node.span.clone(), placed: Some(scalar.text.clone()) });
        };
        let value = self.evaluate(sandbox, &scalar.text)?;
        match value {
            Value::Null | Value::List(_) | Value::Map(_) | Value::Blob(_) => {
                let message = format!("expected {expected}, but `{text}` is {}", value.kind());
                self.findings.error(Code::WRONG_TYPE, node.span.clone(), message);
                None
            }
            _ => Some(Fixed { text: value.to_string().into(), span: node.span.clone(), placed: None }),
        }
    }

    /// Evaluates text with `${…}` that may only read constants.
    fn evaluate(&mut self, sandbox: &Sandbox, text: &PlacedText) -> Option<Value> {
        let names = self.constants.names();
        let template = match sandbox.compile_text(text, &names) {
            Ok(template) => template,
            Err(mut error) => {
                if error.kind == ExpressionErrorKind::UnknownVariable && error.near.is_none() {
                    error.help = Some(ONLY_CONSTANTS.to_owned());
                }
                self.expression_error(text, &error);
                return None;
            }
        };
        if self.constants.breaks(&template) {
            return None;
        }
        let span = file_span(text, 0..text.as_str().len());
        let unknown = match self.constants.first_unknown(&template) {
            Some(name) => format!("`{name}`"),
            None => match self.constants.render(sandbox, &template) {
                Ok(value) => return Some(value),
                Err(Unfixed::ReadsHome(what)) => what,
                Err(Unfixed::Fails(failure)) => {
                    self.findings.error(Code::CONSTANT_FAILED, span, failure.message);
                    return None;
                }
            },
        };
        let message = format!("this is fixed when the rules load, but {unknown} is only known when a rule runs");
        self.findings.error(Code::NOT_CONSTANT, span, message).help(ONLY_CONSTANTS);
        None
    }

    /// Returns a value that is fixed at load: any scalar, list or map, with its constants filled in.
    pub(in crate::lang) fn value(&mut self, node: &Node) -> Option<Value> {
        match &node.kind {
            NodeKind::Scalar(scalar) if self.is_cut(node, scalar) => None,
            NodeKind::Closure(_) => {
                self.wrong_type(node, "a value");
                None
            }
            NodeKind::Scalar(scalar) => match self.sandbox.filter(|_| scalar.text.as_str().contains("${")) {
                Some(sandbox) => self.evaluate(sandbox, &scalar.text),
                None => Some(scalar.value.clone()),
            },
            NodeKind::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.value(item)).collect();
                Some(Value::List(Arc::new(items.into_iter().collect::<Option<_>>()?)))
            }
            NodeKind::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|entry| Some((Arc::from(entry.key.as_str()), self.value(&entry.value)?)))
                    .collect();
                Some(Value::Map(Arc::new(entries.into_iter().collect::<Option<_>>()?)))
            }
        }
    }

    /// Returns the values of a list, or of a single value.
    pub(in crate::lang) fn values(&mut self, node: &Node) -> Option<Vec<Value>> {
        match &node.kind {
            NodeKind::List(items) if items.is_empty() => {
                self.wrong_type(node, "a value, or a list of them");
                None
            }
            NodeKind::List(items) => {
                let values: Vec<_> = items.iter().map(|item| self.value(item)).collect();
                values.into_iter().collect()
            }
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => Some(vec![self.value(node)?]),
        }
    }

    /// Returns a boolean.
    pub(in crate::lang) fn flag(&mut self, node: &Node) -> Option<bool> {
        match node.as_scalar().map(|scalar| (&scalar.value, scalar.text.as_str())) {
            Some((Value::Bool(flag), _)) => Some(*flag),
            Some((Value::Text(_), text)) if text.contains("${") => match self.value(node)? {
                Value::Bool(flag) => Some(flag),
                _ => {
                    self.wrong_type(node, "`true` or `false`");
                    None
                }
            },
            Some((_, word @ ("on" | "yes" | "off" | "no"))) => {
                let meant = matches!(word, "on" | "yes").to_string();
                let found = self.wrong_type(node, "`true` or `false`");
                found.help(format!("YAML 1.2 reads `{word}` as text; write `{meant}`"));
                found.fix(node.span.clone(), meant, Applies::Safe);
                None
            }
            _ => {
                self.wrong_type(node, "`true` or `false`");
                None
            }
        }
    }

    /// Returns a number.
    pub(in crate::lang) fn number(&mut self, node: &Node) -> Option<f64> {
        let fixed = self.fixed(node, "a number")?;
        let is_number = node.as_scalar().is_some_and(|scalar| !matches!(scalar.value, Value::Text(_)));
        let number = crate::lang::yaml::scalar::resolve(&fixed.text).as_number().filter(|number| number.is_finite());
        if number.is_none() || !(is_number || fixed.placed.is_none()) {
            self.wrong_type(node, "a number");
            return None;
        }
        number
    }

    /// Returns a whole number within `range`.
    pub(in crate::lang) fn integer(&mut self, node: &Node, range: Range<u64>) -> Option<u64> {
        let fixed = self.fixed(node, "a whole number")?;
        let Value::Int(number) = crate::lang::yaml::scalar::resolve(&fixed.text) else {
            self.wrong_type(node, "a whole number");
            return None;
        };
        match u64::try_from(number) {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                let message = match range.end {
                    u64::MAX => format!("`{number}` is too small; it must be at least {}", range.start),
                    end => format!("`{number}` isn't between {} and {}", range.start, end - 1),
                };
                self.findings.error(Code::OUT_OF_RANGE, node.span.clone(), message);
                None
            }
        }
    }

    /// Returns a duration.
    pub(in crate::lang) fn duration(&mut self, node: &Node) -> Option<Duration> {
        let fixed = self.fixed(node, "a duration (`30s`, `5m`, `1h30m`)")?;
        match parse_duration(&fixed.text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.duration_error(&fixed, &error);
                None
            }
        }
    }

    /// Reports text that isn't a duration, or an offset.
    pub(in crate::lang) fn duration_error(&mut self, fixed: &Fixed, error: &DurationError) {
        let found = self.findings.error(Code::BAD_DURATION, fixed.span.clone(), error.to_string());
        if let Some(suggestion) = error.suggestion().filter(|_| fixed.placed.is_some()) {
            let applies = if error.is_sure() { Applies::Safe } else { Applies::Unsure };
            found.fix(fixed.span_of(0..fixed.text.len()), suggestion, applies);
        }
    }

    /// Returns a duration that isn't zero.
    pub(in crate::lang) fn interval(&mut self, node: &Node) -> Option<Duration> {
        let duration = self.duration(node)?;
        if duration.is_zero() {
            self.findings.error(Code::OUT_OF_RANGE, node.span.clone(), "this duration must be longer than zero");
            return None;
        }
        Some(duration)
    }

    /// Returns a topic filter.
    pub(in crate::lang) fn filter(&mut self, node: &Node) -> Option<TopicFilter> {
        let fixed = self.fixed(node, "a topic filter (`home/+room/tv`)")?;
        self.parse_filter(&fixed)
    }

    /// Returns `fixed` as a topic filter.
    pub(in crate::lang) fn parse_filter(&mut self, fixed: &Fixed) -> Option<TopicFilter> {
        use crate::model::FilterError;
        let error = match TopicFilter::parse(&fixed.text) {
            Ok(filter) => return Some(filter),
            Err(error) => error,
        };
        let (part, help) = match &error {
            FilterError::RestNotLast => (
                fixed.text.find('#').map(|at| at..at + 1),
                Some("for one level in the middle use `+`: `a/+/b`".to_owned()),
            ),
            FilterError::MixedLevel(level) => {
                (fixed.text.find(level.as_str()).map(|at| at..at + level.len()), mixed_help(level))
            }
            FilterError::BadName(name) => (fixed.text.rfind(name.as_str()).map(|at| at..at + name.len()), None),
            FilterError::NameTwice(name) => (
                fixed.text.rfind(name.as_str()).map(|at| at..at + name.len()),
                Some("give each wildcard its own name".to_owned()),
            ),
            FilterError::Empty | FilterError::Control | FilterError::TooLong | FilterError::TooDeep => (None, None),
        };
        let span = part.map_or(self.text.first_line(&fixed.span), |part| fixed.span_of(part));
        self.findings.error(Code::BAD_FILTER, span, error.to_string()).help_if(help);
        None
    }

    /// Returns a topic.
    pub(in crate::lang) fn topic(&mut self, node: &Node) -> Option<Topic> {
        let fixed = self.fixed(node, "a topic")?;
        Topic::parse(&fixed.text)
            .map_err(|error| self.findings.error(Code::BAD_TOPIC, fixed.span, error.to_string()))
            .ok()
    }

    /// Returns a path into a value.
    pub(in crate::lang) fn path(&mut self, node: &Node) -> Option<ValuePath> {
        let fixed = self.fixed(node, "a path (`a.b[0]`)")?;
        ValuePath::parse(&fixed.text)
            .map_err(|error| {
                let end = fixed.text.len();
                let span = fixed.span_of(error.offset.min(end.saturating_sub(1))..end);
                self.findings.error(Code::BAD_PATH, span, error.to_string())
            })
            .ok()
    }

    /// Returns a time of day.
    pub(in crate::lang) fn time_of_day(&mut self, node: &Node) -> Option<TimeOfDay> {
        let fixed = self.fixed(node, "a time of day (`\"07:30\"`)")?;
        TimeOfDay::parse(&fixed.text)
            .map_err(|error| self.findings.error(Code::BAD_TIME, fixed.span, error.to_string()))
            .ok()
    }

    /// Returns weekdays: one, a range, or a list of these.
    pub(in crate::lang) fn weekdays(&mut self, node: &Node) -> Option<Weekdays> {
        let items: &[Node] = match &node.kind {
            NodeKind::List(items) if !items.is_empty() => items,
            _ => std::slice::from_ref(node),
        };
        let mut days: Option<Weekdays> = None;
        let mut is_broken = false;
        for item in items {
            let Some(fixed) = self.fixed(item, "a weekday (`mon`), a range (`mon-fri`) or a list of these") else {
                is_broken = true;
                continue;
            };
            match Weekdays::parse(&fixed.text) {
                Ok(more) => days = Some(days.map_or(more, |days| days.union(more))),
                Err(error) => {
                    self.findings.error(Code::BAD_WEEKDAY, fixed.span, error.to_string());
                    is_broken = true;
                }
            }
        }
        days.filter(|_| !is_broken)
    }

    /// Returns a quality of service: 0, 1 or 2.
    pub(in crate::lang) fn qos(&mut self, node: &Node) -> Option<Qos> {
        let number = self.integer(node, 0..3)?;
        u8::try_from(number).ok().and_then(|number| Qos::try_from(number).ok())
    }

    /// Returns what one of the words in `known` means.
    pub(in crate::lang) fn word<T: Copy>(&mut self, node: &Node, known: &[(&'static str, T)]) -> Option<T> {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        #[cfg(test)]
        crate::lang::schema::asked::note_words(&words);
        let expected = format!("one of {}", near::list(&words));
        let fixed = self.fixed(node, &expected)?;
        if let Some((_, meaning)) = known.iter().find(|(word, _)| **word == *fixed.text) {
            return Some(*meaning);
        }
        let message = format!("`{}` isn't allowed here", fixed.text);
        let foreign = foreign::Place::Value.meant(&fixed.text, &words).map(Meant::suggestion);
        let suggestion = foreign.or_else(|| near::suggestion(&fixed.text, &words));
        let inside = fixed.span_of(0..fixed.text.len());
        self.findings.error(Code::UNKNOWN_WORD, fixed.span, message).suggest(inside, suggestion);
        None
    }

    /// Returns text for people. Reports a list or a map.
    pub(in crate::lang) fn plain_text(&mut self, node: &Node) -> Option<Arc<str>> {
        Some(self.fixed(node, "text")?.text)
    }

    /// Returns the texts of a list, or of a single one.
    pub(in crate::lang) fn texts(&mut self, node: &Node) -> Vec<Arc<str>> {
        match &node.kind {
            NodeKind::List(items) => items.iter().filter_map(|item| self.plain_text(item)).collect(),
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => {
                self.plain_text(node).into_iter().collect()
            }
        }
    }

    /// Returns the name of a variable. Reports one that is reserved or unreadable.
    pub(in crate::lang) fn variable_name(&mut self, key: &PlacedText, span: &Range<usize>) -> Option<Name> {
        let name = key.as_str();
        let mut letters = name.chars();
        let begins_well = letters.next().is_some_and(|first| first.is_alphabetic() || first == '_');
        if !begins_well || !letters.all(|letter| letter.is_alphanumeric() || letter == '_') {
            let message = format!("`{name}` isn't a valid name for a variable");
            let found = self.findings.error(Code::BAD_NAME, span.clone(), message);
            found.help("use letters, digits and `_`, and don't start with a digit");
            return None;
        }
        self.refuse_reserved(name, span.clone(), "variable")?;
        Some(name.into())
    }

    /// Reports a variable or wildcard that would hide a built-in variable, or is a keyword.
    pub(in crate::lang) fn refuse_reserved(&mut self, name: &str, span: Range<usize>, what: &str) -> Option<()> {
        let is_variable = crate::script::BUILT_IN_VARIABLES.contains(&name) && name != crate::script::EVENT;
        let is_word = RHAI_WORDS.contains(&name);
        if !is_variable && !is_word {
            return Some(());
        }
        let why = if is_variable { "a built-in variable" } else { "a keyword of the expression language" };
        let found =
            self.findings.error(Code::RESERVED_NAME, span, format!("a {what} can't be named `{name}`, which is {why}"));
        found.help(format!("choose another name, e.g. `my_{name}`"));
        None
    }
}

/// The help for text that is fixed at load and reads something else.
const ONLY_CONSTANTS: &str = "only constants work here: those in the file's `let`, and the variables of `each`";

/// Rhai's keywords, which can't be variables.
const RHAI_WORDS: [&str; 44] = [
    "let", "const", "if", "else", "while", "loop", "for", "in", "do", "until", "break", "continue", "return", "throw",
    "try", "catch", "switch", "fn", "private", "import", "export", "as", "global", "this", "true", "false", "and",
    "or", "not", "var", "static", "shared", "goto", "match", "case", "default", "new", "use", "with", "module",
    "package", "spawn", "thread", "async",
];

/// Returns the bytes of the file at which the bytes `range` of `text` were written.
pub(in crate::lang) fn file_span(text: &PlacedText, range: Range<usize>) -> Range<usize> {
    let source = text.as_str();
    let end = range.end.min(source.len());
    let start = range.start.min(end);
    let file_start = text.file_offset(start);
    let last = source.get(start..end).and_then(|part| part.char_indices().last());
    let file_end = last.map_or(file_start, |(offset, letter)| text.file_offset(start + offset) + letter.len_utf8());
    file_start..file_end.max(file_start)
}

fn mixed_help(level: &str) -> Option<String> {
    let text = level.trim_matches(['+', '#']);
    level.ends_with(['+', '#']).then(|| format!("to name a wildcard, write `+{text}`"))
}
