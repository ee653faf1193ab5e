//! Tests: what stands behind `is`.

use super::translator::{Answer, Translator, refuse};
use super::written::{Kind, Written, level};
use crate::lang::import::home_assistant::jinja::{Binary, Expression};

impl Translator<'_> {
    pub(super) fn test(&mut self, value: &Written, name: &str, arguments: &[Expression], at: usize) -> Answer {
        let compare = |text: String| Ok(Written::new(text, Kind::Bool, level::COMPARE));
        let operand = |this: &mut Self| match arguments.first() {
            Some(argument) => this.expression(argument),
            None => refuse(at, format!("the test `{name}` needs a value")),
        };
        match name {
            "defined" | "undefined" => {
                let found = match &value.kind {
                    Kind::Undefined => Written::boolean(false),
                    Kind::State(entity) => {
                        let state = self.state(&entity.clone(), at)?;
                        Written::new(format!("{} != ()", state.at(level::SUM)), Kind::Bool, level::COMPARE)
                    }
                    Kind::Fired(variable) => Written::new(format!("{variable} != ()"), Kind::Bool, level::COMPARE),
                    Kind::Any => Written::new(format!("{} != ()", value.at(level::SUM)), Kind::Bool, level::COMPARE),
                    _ => Written::boolean(true),
                };
                Ok(if name == "defined" { found } else { Self::not(&found) })
            }
            "none" => match &value.kind {
                Kind::None => Ok(Written::boolean(true)),
                Kind::Root("wait.trigger") => Ok(Written::atom("wait.timed_out", Kind::Bool)),
                Kind::Fired(variable) => compare(format!("{variable} == ()")),
                Kind::Any => compare(format!("{} == ()", value.at(level::SUM))),
                Kind::Time if Self::may_be_never(value).is_some() => {
                    let at = Self::may_be_never(value).unwrap_or_default();
                    compare(format!("{at} == ()"))
                }
                Kind::State(entity) => {
                    let state = self.state(&entity.clone(), at)?;
                    compare(format!("{} == ()", state.at(level::SUM)))
                }
                _ => Ok(Written::boolean(false)),
            },
            "number" => match &value.kind {
                Kind::Int | Kind::Float | Kind::Number => Ok(Written::boolean(true)),
                Kind::Text | Kind::Reading(_) => Ok(Written::boolean(false)),
                _ => Ok(Written::atom(format!("['i64', 'f64'].contains(type_of({}))", value.text), Kind::Bool)),
            },
            "string" => match &value.kind {
                Kind::Text | Kind::Reading(_) => Ok(Written::boolean(true)),
                Kind::Any => compare(format!("type_of({}) == 'string'", value.text)),
                _ => Ok(Written::boolean(false)),
            },
            "is_number" => compare(format!("number({}) != ()", value.text)),
            "odd" | "even" => Ok(Written::atom(format!("is_{name}({})", value.text), Kind::Bool)),
            "divisibleby" => {
                let by = operand(self)?;
                compare(format!("{} % {} == 0", value.at(level::PRODUCT), by.at(level::UNARY)))
            }
            "true" => compare(format!("{} == true", value.at(level::SUM))),
            "false" => compare(format!("{} == false", value.at(level::SUM))),
            "eq" | "equalto" | "==" | "sameas" => {
                let other = operand(self)?;
                Ok(Self::equal(value, &other))
            }
            "ne" | "!=" => {
                let other = operand(self)?;
                Self::binary(Binary::NotEqual, value, &other, at)
            }
            "lt" | "lessthan" | "<" | "le" | "<=" | "gt" | "greaterthan" | ">" | "ge" | ">=" => {
                let other = operand(self)?;
                let operator = match name {
                    "lt" | "lessthan" | "<" => Binary::Less,
                    "le" | "<=" => Binary::LessEqual,
                    "gt" | "greaterthan" | ">" => Binary::Greater,
                    _ => Binary::GreaterEqual,
                };
                Self::binary(operator, value, &other, at)
            }
            "in" => {
                let list = operand(self)?;
                Self::binary(Binary::In, value, &list, at)
            }
            "contains" => {
                let item = operand(self)?;
                Self::binary(Binary::In, &item, value, at)
            }
            "search" | "match" => {
                let filter = if name == "search" { "regex_search" } else { "regex_match" };
                self.filter(value.clone(), filter, arguments, &[], at)
            }
            "list" | "sequence" | "iterable" => match &value.kind {
                Kind::List | Kind::Records | Kind::States(_) => Ok(Written::boolean(true)),
                Kind::Text | Kind::Reading(_) => Ok(Written::boolean(name != "list")),
                Kind::Any if name == "list" => compare(format!("type_of({}) == 'array'", value.text)),
                _ => refuse(at, format!("the test `{name}` isn't translated here")),
            },
            "mapping" => compare(format!("type_of({}) == 'map'", value.text)),
            "lower" | "upper" => {
                let text = value.as_text();
                compare(format!("{text} == {text}.to_{name}()"))
            }
            _ => refuse(at, format!("the test `{name}` has no counterpart here")),
        }
    }
}
