//! Templates that are the same text in each run, told without a scope: the names of a notification's buttons.

use std::collections::BTreeMap;

use super::ast::{Binary, Expression, ExpressionKind, Part};
use super::parser::parse;

/// What stands for `context.id`, which Home Assistant makes anew for each run.
pub(in crate::lang::import::home_assistant) const CONTEXT: &str = "run";

/// Returns the text that a template gives in each run; `known` are the variables that are such.
pub(in crate::lang::import::home_assistant) fn plain_text(
    template: &str,
    known: &BTreeMap<String, String>,
) -> Option<String> {
    let parts = parse(template).ok()?;
    let texts = parts.iter().map(|part| match part {
        Part::Text(text) => Some(text.clone()),
        Part::Output(expression) => of(expression, known),
        _ => None,
    });
    let text: String = texts.collect::<Option<Vec<_>>>()?.concat();
    Some(text.trim().to_owned())
}

fn of(expression: &Expression, known: &BTreeMap<String, String>) -> Option<String> {
    match &expression.kind {
        ExpressionKind::Text(text) => Some(text.clone()),
        ExpressionKind::Name(name) => known.get(name).cloned(),
        ExpressionKind::Attribute(context, name) if name == "id" => {
            (context.kind == ExpressionKind::Name("context".to_owned())).then(|| CONTEXT.to_owned())
        }
        ExpressionKind::Binary(Binary::Concatenate | Binary::Add, left, right) => {
            Some(format!("{}{}", of(left, known)?, of(right, known)?))
        }
        ExpressionKind::Filter(value, name, arguments, named) if name == "string" => {
            (arguments.is_empty() && named.is_empty()).then(|| of(value, known)).flatten()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_made_with_the_context_are_the_same_in_each_run() {
        let known = BTreeMap::from([("arm".to_owned(), "ARM_run".to_owned())]);
        assert_eq!(plain_text("{{ 'ARM_' ~ context.id }}", &known).as_deref(), Some("ARM_run"));
        assert_eq!(plain_text("{{ arm }}", &known).as_deref(), Some("ARM_run"));
        assert_eq!(plain_text("{{ states('a.b') }}", &known), None);
    }
}
