//! Templates: values whose texts hold `${EXPR}` (spec 2.6).

use crate::model::Value;

use super::Expression;

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
}
