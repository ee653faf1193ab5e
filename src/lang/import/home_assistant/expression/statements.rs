//! Statements: what `{% set %}`, `{% if %}` and `{% for %}` leave behind, and macros, written out where they're called.

use super::calls::named_argument;
use super::lists::ids_of_list;
use super::render::{Piece, as_expression};
use super::scope::Macro;
use super::translator::{Answer, Refusal, Translator, refuse};
use super::written::{Kind, Written, level};
use crate::lang::import::home_assistant::jinja::{Expression, ExpressionKind, Part};

/// Loops over more items than this aren't written out.
const MOST_ITEMS: usize = 40;

impl Translator<'_> {
    /// Translates `{% set %}`. A namespace is the variables that it has.
    pub(super) fn set(&mut self, name: &str, value: &Expression) -> Result<(), Refusal> {
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

    /// Translates `{% for %}`: as a closure over the list, or written out where the items are known.
    pub(super) fn each(
        &mut self,
        name: &str,
        list: &Expression,
        condition: Option<&Expression>,
        parts: &[Part],
    ) -> Result<Vec<Piece>, Refusal> {
        if !super::literal::is_name(name) {
            return refuse(list.at, format!("`{name}` can't be the name of a variable here"));
        }
        let mut refusal = None;
        if !sets(parts) {
            match self.closure(name, list, condition, parts) {
                Ok(written) => return Ok(vec![Piece::Value(written)]),
                Err(why) => refusal = Some(why),
            }
        }
        match self.known_items(list)? {
            Some(items) if items.len() <= MOST_ITEMS => self.written_out(name, &items, condition, parts),
            _ => match refusal {
                Some(refusal) => Err(refusal),
                None => refuse(
                    list.at,
                    "a `{% for %}` that sets variables, over a list that isn't known, has no counterpart here: use `map`, `select` or `sum`",
                ),
            },
        }
    }

    fn closure(
        &mut self,
        name: &str,
        list: &Expression,
        condition: Option<&Expression>,
        parts: &[Part],
    ) -> Result<Written, Refusal> {
        let value = self.expression(list)?;
        let mut found = self.list_filter(value, "list", &[], &[], list.at)?;
        let before = self.locals.len();
        let kind = if found.kind == Kind::Records { Kind::Record } else { Kind::Any };
        self.locals.push((name.to_owned(), Written::atom(name, kind)));
        let inner = (|| {
            let condition = condition.map(|condition| self.expression(condition)).transpose()?;
            Ok((condition.map(|condition| condition.as_bool()), self.pieces(parts, 1)?))
        })();
        self.locals.truncate(before);
        let (condition, pieces) = inner?;
        if let Some(condition) = condition {
            found = Written::atom(format!("{}.filter(|{name}| {})", found.at(level::ATOM), condition.text), Kind::List);
        }
        let text = as_expression(&pieces).as_text();
        Ok(Written::atom(format!("ha::join({}.map(|{name}| {text}), '')", found.at(level::ATOM)), Kind::Text))
    }

    /// Returns the items of a list, if each of them is known.
    fn known_items(&mut self, list: &Expression) -> Result<Option<Vec<Written>>, Refusal> {
        if let ExpressionKind::List(items) = &list.kind {
            return items.iter().map(|item| self.expression(item)).collect::<Result<_, _>>().map(Some);
        }
        let value = self.expression(list)?;
        let is_object = matches!(&list.kind, ExpressionKind::Call(function, ..)
            if function.kind == ExpressionKind::Name("expand".to_owned()));
        Ok(match &value.kind {
            Kind::States(ids) if is_object => {
                Some(ids.iter().map(|id| Written::atom("", Kind::State(id.clone()))).collect())
            }
            Kind::States(ids) => Some(ids.iter().map(|id| Written::constant(id)).collect()),
            Kind::Domain(domain) => self
                .ids_of_domain(domain)
                .map(|ids| ids.iter().map(|id| Written::atom("", Kind::State(id.clone()))).collect()),
            Kind::List => ids_of_list(&value.text).map(|ids| ids.iter().map(|id| Written::constant(id)).collect()),
            _ => None,
        })
    }

    /// Translates the body for each item. What it sets is forgotten, except in a namespace.
    fn written_out(
        &mut self,
        name: &str,
        items: &[Written],
        condition: Option<&Expression>,
        parts: &[Part],
    ) -> Result<Vec<Piece>, Refusal> {
        let mut pieces = Vec::new();
        let asked = match condition {
            Some(condition) => self.each_condition(name, items, condition)?,
            None => Vec::new(),
        };
        for (index, item) in items.iter().enumerate() {
            let before = self.locals.len();
            self.locals.push((name.to_owned(), item.clone()));
            match condition {
                None => self.locals.push(("loop".to_owned(), Written::atom("()", Kind::Loop(index, items.len())))),
                Some(_) => self.locals.extend(filtered_loop(&asked, index)),
            }
            let one = match condition {
                Some(condition) => {
                    let branches = [(condition.clone(), parts.to_vec())];
                    self.branches(&branches, &[], 1).map(|piece| vec![piece])
                }
                None => self.pieces(parts, 1),
            };
            let set = self.locals.split_off(before);
            pieces.extend(one?);
            self.locals.extend(set.into_iter().filter(|(name, _)| name.contains('.') && !name.starts_with("loop.")));
        }
        Ok(pieces)
    }

    /// Returns for each item whether it's in the loop.
    fn each_condition(
        &mut self,
        name: &str,
        items: &[Written],
        condition: &Expression,
    ) -> Result<Vec<Written>, Refusal> {
        let mut found = Vec::new();
        for item in items {
            self.locals.push((name.to_owned(), item.clone()));
            let asked = self.expression(condition);
            self.locals.pop();
            found.push(asked?.as_bool());
        }
        Ok(found)
    }

    /// Translates `{% if %}`. What a branch sets counts behind it.
    pub(super) fn branches(
        &mut self,
        branches: &[(Expression, Vec<Part>)],
        otherwise: &[Part],
        depth: usize,
    ) -> Result<Piece, Refusal> {
        let before = self.locals.clone();
        let (mut found, mut ends) = (Vec::new(), Vec::new());
        for (condition, parts) in branches {
            self.locals.clone_from(&before);
            let condition = self.expression(condition)?.as_bool();
            let pieces = self.pieces(parts, depth + 1)?;
            ends.push((condition.clone(), self.locals.split_off(before.len())));
            found.push((condition, pieces));
        }
        self.locals.clone_from(&before);
        let otherwise = self.pieces(otherwise, depth + 1)?;
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
    pub(super) fn macro_call(
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

/// Returns `loop.…` of an item where only those are in the loop for which something holds.
fn filtered_loop(asked: &[Written], index: usize) -> Vec<(String, Written)> {
    let none_of = |of: &[Written]| {
        let texts: Vec<String> = of.iter().map(|one| one.at(level::OR)).collect();
        match texts.as_slice() {
            [] => Written::boolean(true),
            texts => Written::new(format!("not ({})", texts.join(" or ")), Kind::Bool, level::UNARY),
        }
    };
    let count =
        |of: &[Written]| of.iter().map(|one| format!("(if {} {{ 1 }} else {{ 0 }})", one.text)).collect::<Vec<_>>();
    let (before, behind) = (asked.get(..index).unwrap_or_default(), asked.get(index + 1..).unwrap_or_default());
    let number = |start: &str, of: &[Written]| {
        let mut parts = vec![start.to_owned()];
        parts.extend(count(of));
        Written::new(parts.join(" + "), Kind::Int, level::SUM)
    };
    [
        ("loop.first", none_of(before)),
        ("loop.last", none_of(behind)),
        ("loop.index", number("1", before)),
        ("loop.index0", number("0", before)),
        ("loop.length", number("0", asked)),
    ]
    .map(|(name, written)| (name.to_owned(), written))
    .into()
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

/// Returns whether parts set variables, wherever.
fn sets(parts: &[Part]) -> bool {
    parts.iter().any(|part| match part {
        Part::Set(..) | Part::SetBlock(..) => true,
        Part::If(branches, otherwise) => branches.iter().any(|(_, parts)| sets(parts)) || sets(otherwise),
        Part::For(_, _, _, parts) => sets(parts),
        Part::Text(_) | Part::Output(_) | Part::Macro(..) | Part::Other(..) => false,
    })
}
