//! Statements: what `{% set %}` and `{% if %}` leave behind, and macros, written out where they're called.

use super::super::calls::named_argument;
use super::super::render::{Piece, as_expression};
use super::super::scope::Macro;
use super::super::translator::{Answer, Refusal, Translator, refuse};
use super::super::written::{Kind, Written, level};
use crate::lang::import::home_assistant::jinja::{Expression, ExpressionKind, Part};

impl Translator<'_> {
    /// Translates `{% set %}`. A namespace is the variables that it has.
    pub(in crate::lang::import::home_assistant::expression) fn set(
        &mut self,
        name: &str,
        value: &Expression,
    ) -> Result<(), Refusal> {
        if let ExpressionKind::Call(function, arguments, named) = &value.kind
            && function.kind == ExpressionKind::Name("namespace".to_owned())
        {
            if !arguments.is_empty() {
                return refuse(value.at, "a `namespace` made from a map isn't translated: `namespace(count=0)`");
            }
            for (key, value) in named {
                let written = self.expression(value)?;
                self.locals.push((format!("{name}.{key}"), written));
            }
            self.locals.push((name.to_owned(), Written::atom("()", Kind::Namespace)));
            return Ok(());
        }
        let written = self.expression(value)?;
        self.locals.push((name.to_owned(), written));
        Ok(())
    }

    /// Translates `{% if %}`. What a branch sets counts behind it.
    pub(in crate::lang::import::home_assistant::expression) fn branches(
        &mut self,
        branches: &[(Expression, Vec<Part>)],
        otherwise: &[Part],
        depth: usize,
    ) -> Result<Piece, Refusal> {
        let before = self.locals.clone();
        let (mut found, mut ends) = (Vec::new(), Vec::new());
        let mut always = None;
        for (condition, parts) in branches {
            self.locals.clone_from(&before);
            let condition = self.expression(condition)?.as_bool();
            if condition.text == "false" {
                continue;
            }
            if condition.text == "true" {
                always = Some(parts);
                break;
            }
            let pieces = self.pieces(parts, depth + 1)?;
            ends.push((condition.clone(), self.locals.split_off(before.len())));
            found.push((condition, pieces));
        }
        self.locals.clone_from(&before);
        let otherwise = self.pieces(always.map_or(otherwise, Vec::as_slice), depth + 1)?;
        let last = self.locals.split_off(before.len());
        self.locals = before;
        let mut names: Vec<String> = Vec::new();
        for (name, _) in ends.iter().flat_map(|(_, set)| set).chain(&last) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        for name in names {
            let old = self.locals.iter().rev().find(|(known, _)| *known == name).map(|(_, written)| written.clone());
            let old = old.unwrap_or_else(|| Written::atom("()", Kind::Undefined));
            let of = |set: &[(String, Written)]| {
                set.iter()
                    .rev()
                    .find(|(known, _)| *known == name)
                    .map_or_else(|| old.clone(), |(_, written)| written.clone())
            };
            let branches: Vec<(Written, Written)> =
                ends.iter().map(|(condition, set)| (condition.clone(), of(set))).collect();
            let written = match branches.as_slice() {
                [(condition, value)] => grown(&old, condition, value, &of(&last)),
                _ => None,
            };
            let written = written.unwrap_or_else(|| Written::choice(branches, of(&last)));
            self.locals.push((name, written));
        }
        Ok(Piece::If(found, otherwise))
    }
}

/// How deeply macros may call each other.
const DEEPEST: usize = 8;

impl Translator<'_> {
    /// Returns what a macro gives, which is a text; `None` if there is no macro of this name.
    pub(in crate::lang::import::home_assistant::expression) fn macro_call(
        &mut self,
        name: &str,
        arguments: &[Expression],
        named: &[(String, Expression)],
        at: usize,
    ) -> Option<Answer> {
        let (_, called) = self.macros.iter().rev().find(|(known, _)| known == name)?.clone();
        Some(self.written_macro(&called, arguments, named, at))
    }

    fn written_macro(
        &mut self,
        called: &Macro,
        arguments: &[Expression],
        named: &[(String, Expression)],
        at: usize,
    ) -> Answer {
        if self.depth >= DEEPEST {
            return refuse(at, "macros that call themselves have no counterpart here");
        }
        if arguments.len() > called.parameters.len() {
            return refuse(at, "this macro has fewer parameters, in Home Assistant too");
        }
        let mut given = Vec::new();
        for (index, (parameter, default)) in called.parameters.iter().enumerate() {
            let argument = arguments.get(index).or_else(|| named_argument(named, parameter)).or(default.as_ref());
            let value = match argument {
                Some(argument) => self.expression(argument)?,
                None => Written::atom("()", Kind::Undefined),
            };
            given.push((parameter.clone(), value));
        }
        let before = self.locals.len();
        self.locals.extend(given);
        self.depth += 1;
        let pieces = self.pieces(&called.parts, 1);
        self.depth -= 1;
        self.locals.truncate(before);
        let written = as_expression(&pieces?);
        Ok(match written.kind {
            Kind::Text => written,
            _ => Written { branches: written.branches.clone(), ..Written::atom(written.as_text(), Kind::Text) },
        })
    }
}

/// Returns a value that one branch makes longer: `count + 1` where it holds, and `count` where not, as
/// `count + (if … { 1 } else { 0 })`, so that it doesn't double with each branch.
fn grown(old: &Written, condition: &Written, value: &Written, otherwise: &Written) -> Option<Written> {
    let nothing = match value.kind {
        Kind::Int | Kind::Float | Kind::Number => "0",
        Kind::Text => "''",
        Kind::List => "[]",
        _ => return None,
    };
    let more = value.text.strip_prefix(&old.at(level::SUM))?.strip_prefix(" + ")?;
    let is_same = old.kind == value.kind && otherwise == old;
    let text = format!("{} + (if {} {{ {more} }} else {{ {nothing} }})", old.at(level::SUM), condition.text);
    is_same.then(|| Written::new(text, value.kind.clone(), level::SUM))
}
