//! Templates: values whose texts hold `${EXPR}` (docs/language/actions.md).

use std::sync::Arc;

use crate::model::{BoundedText, PlacedText, TextTooLong, TopicFilter, Value};

use super::compiled::Expression;
use super::error::ExpressionError;
use crate::script::evaluation::failure::Failure;
use crate::script::evaluation::failure::nothing_in_text;
use crate::script::source::lexer::{Code, Lexer, syntax};

/// A value with expressions in its texts.
#[derive(Debug, Clone)]
pub enum Template {
    /// A value without any.
    Constant(Value),
    /// Just one `${EXPR}`: keeps the expression's type.
    Expression(Expression),
    /// A text with expressions in it. Maps and lists are put in as JSON; `()` is an error.
    Text(Vec<TextPart>),
    /// A list.
    List(Vec<Template>),
    /// A map, with its keys as written; a key gives a text.
    Map(Vec<(Template, Template)>),
}

/// A part of a text template.
#[derive(Debug, Clone)]
pub enum TextPart {
    /// Stands as it is.
    Literal(String),
    /// `${EXPR}`.
    Expression(Expression),
}

impl Template {
    /// Returns the value, where no expression is in it.
    #[must_use]
    pub fn as_constant(&self) -> Option<&Value> {
        match self {
            Template::Constant(value) => Some(value),
            Template::Expression(_) | Template::Text(_) | Template::List(_) | Template::Map(_) => None,
        }
    }

    /// Returns the expressions in it, in order.
    #[must_use]
    pub fn expressions(&self) -> Vec<&Expression> {
        match self {
            Template::Constant(_) => Vec::new(),
            Template::Expression(expression) => vec![expression],
            Template::Text(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    TextPart::Literal(_) => None,
                    TextPart::Expression(expression) => Some(expression),
                })
                .collect(),
            Template::List(items) => items.iter().flat_map(Template::expressions).collect(),
            Template::Map(entries) => {
                entries.iter().flat_map(|(key, value)| [key, value]).flat_map(Template::expressions).collect()
            }
        }
    }

    /// Returns the filter of the topics that it may give: each level with an expression in it is `+`. `None` where nothing of it
    /// is written out, or it's no topic.
    #[must_use]
    pub fn filter(&self) -> Option<TopicFilter> {
        let pattern = match self {
            Template::Constant(Value::Text(text)) => text.to_string(),
            Template::Text(parts) => {
                // U+FFFF isn't a character: it marks where an expression is.
                let mark = |part: &TextPart| match part {
                    TextPart::Literal(text) => text.clone(),
                    TextPart::Expression(_) => "\u{ffff}".to_owned(),
                };
                let marked: String = parts.iter().map(mark).collect();
                let level = |level: &str| if level.contains('\u{ffff}') { "+".to_owned() } else { level.to_owned() };
                marked.split('/').map(level).collect::<Vec<_>>().join("/")
            }
            Template::Constant(_) | Template::Expression(_) | Template::List(_) | Template::Map(_) => return None,
        };
        TopicFilter::parse(&pattern).ok()
    }

    /// Reads a text that may hold `${EXPR}`.
    pub(in crate::script) fn compile(
        source: &PlacedText,
        compile: impl Fn(&PlacedText) -> Result<Expression, ExpressionError>,
    ) -> Result<Template, ExpressionError> {
        let text = source.as_str();
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(dollar) = text.get(at..).and_then(|rest| rest.find("${")).map(|found| at + found) {
            if let Some(escaped) = text.get(at..dollar).and_then(|before| before.strip_suffix('$')) {
                literal.push_str(escaped);
                literal.push_str("${");
                at = dollar + 2;
                continue;
            }
            literal.push_str(text.get(at..dollar).unwrap_or_default());
            let mut lexer = Lexer::of_expression(text, dollar + 2);
            let Code { tokens, range } = lexer.code_of_template(dollar)?;
            at = lexer.position();
            if tokens.is_empty() {
                return Err(syntax(dollar..at, "an expression is missing between `${` and `}`"));
            }
            if !literal.is_empty() {
                parts.push(TextPart::Literal(std::mem::take(&mut literal)));
            }
            let expression = compile(&source.slice(range.clone())).map_err(|error| error.moved(range.start))?;
            parts.push(TextPart::Expression(expression));
        }
        literal.push_str(text.get(at..).unwrap_or_default());
        if parts.is_empty() {
            return Ok(Template::Constant(Value::text(literal)));
        }
        if !literal.is_empty() {
            parts.push(TextPart::Literal(literal));
        }
        Ok(match parts.as_slice() {
            [TextPart::Expression(only)] => Template::Expression(only.clone()),
            _ => Template::Text(parts),
        })
    }

    /// Renders the template, whose expressions `evaluate` gives. A text that is put together has at most `longest` bytes.
    pub(in crate::script) fn render(
        &self,
        longest: usize,
        evaluate: &mut dyn FnMut(&Expression) -> Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        match self {
            Template::Constant(value) => Ok(value.clone()),
            Template::Expression(expression) => evaluate(expression),
            Template::Text(parts) => {
                let mut text = BoundedText::new(longest);
                for part in parts {
                    match part {
                        TextPart::Literal(literal) => text.push(literal).map_err(|error| too_long(parts, error))?,
                        TextPart::Expression(expression) => {
                            let value = evaluate(expression)?;
                            if value.is_null() {
                                let source = expression.source();
                                return Err(Failure::of(source, nothing_in_text(source.as_str().trim())));
                            }
                            text.show(&value).map_err(|error| Failure::of_expression(expression, error.to_string()))?;
                        }
                    }
                }
                Ok(Value::text(text.into_text()))
            }
            Template::List(items) => {
                let items = items.iter().map(|item| item.render(longest, evaluate)).collect::<Result<_, _>>()?;
                Ok(Value::List(Arc::new(items)))
            }
            Template::Map(entries) => {
                let mut map =
                    crate::model::Map::with_capacity_and_hasher(entries.len(), crate::model::Hashing::default());
                for (key, value) in entries {
                    let key = match key.render(longest, evaluate)? {
                        Value::Text(key) => key,
                        other => other.to_string().into(),
                    };
                    map.insert(key, value.render(longest, evaluate)?);
                }
                Ok(Value::Map(Arc::new(map)))
            }
        }
    }
}

/// Returns the failure of a text that grows beyond its limit where no expression stands: told at the first.
fn too_long(parts: &[TextPart], error: TextTooLong) -> Failure {
    let expression = parts.iter().find_map(|part| match part {
        TextPart::Expression(expression) => Some(expression),
        TextPart::Literal(_) => None,
    });
    let message = error.to_string();
    expression.map_or_else(|| Failure::plain(&message), |expression| Failure::of_expression(expression, &message))
}
