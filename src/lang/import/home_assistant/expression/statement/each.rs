//! `{% for %}`: as a closure over the list, or written out where the items are known.

use super::super::lists::ids_of_list;
use super::super::literal::is_name;
use super::super::render::{Piece, as_expression};
use super::super::translator::{Answer, Refusal, Translator, refuse};
use super::super::written::{Kind, Written, level};
use crate::lang::import::home_assistant::jinja::{Expression, ExpressionKind, Part};

/// Loops over more items than this aren't written out.
const MOST_ITEMS: usize = 40;

/// More loops than this, those within loops each time, aren't translated in one template.
const MOST_LOOPS: usize = 2_000;

/// Values longer than this aren't carried through a loop.
pub(super) const LONGEST: usize = 20_000;

/// What a loop does: the names of its items, what it goes through and which items it takes, and its body.
pub(super) struct Loop<'p> {
    names: &'p [String],
    pub(super) list: &'p Expression,
    pub(super) condition: Option<&'p Expression>,
    pub(super) parts: &'p [Part],
}

impl Loop<'_> {
    /// Returns the parameter of the closure.
    pub(super) fn parameter(&self) -> &str {
        match self.names {
            [name] => name,
            _ => "item",
        }
    }

    /// Returns what each name is, given the kind of the items.
    pub(super) fn bound(&self, kind: Kind) -> Vec<(String, Written)> {
        if let [name] = self.names {
            return vec![(name.clone(), Written::atom(name, kind))];
        }
        let part = |(index, name): (usize, &String)| {
            (name.clone(), Written::atom(format!("ha::item(item, {index})"), Kind::Any))
        };
        self.names.iter().enumerate().map(part).collect()
    }
}

impl Translator<'_> {
    /// Translates `{% for %}`.
    pub(in crate::lang::import::home_assistant::expression) fn each(
        &mut self,
        names: &[String],
        list: &Expression,
        condition: Option<&Expression>,
        parts: &[Part],
    ) -> Result<Vec<Piece>, Refusal> {
        if let Some(name) = names.iter().find(|name| !is_name(name)) {
            return refuse(list.at, format!("`{name}` can't be the name of a variable here"));
        }
        self.turns += 1;
        if self.turns > MOST_LOOPS {
            return refuse(list.at, "there are far too many loops within loops");
        }
        let turns = Loop { names, list, condition, parts };
        let before = self.locals.clone();
        let mut refusal = None;
        if !sets(parts) {
            match self.closure(&turns) {
                Ok(written) => return Ok(vec![Piece::Value(written)]),
                Err(why) => refusal = Some(why),
            }
            self.locals.clone_from(&before);
        }
        let known = self.known_items(list, names.len()).unwrap_or_default();
        if let Some(items) = known.filter(|items| items.len() <= MOST_ITEMS) {
            match self.written_out(&turns, &items) {
                Ok(pieces) => return Ok(pieces),
                Err(why) => refusal = refusal.or(Some(why)),
            }
            self.locals.clone_from(&before);
        }
        match self.carried_on(&turns) {
            Ok(pieces) => Ok(pieces),
            Err(why) => {
                self.locals = before;
                Err(refusal.unwrap_or(why))
            }
        }
    }

    /// Returns `loop.NAME` of a loop that is written out.
    pub(in crate::lang::import::home_assistant::expression) fn of_loop(
        index: usize,
        count: usize,
        name: &str,
        at: usize,
    ) -> Answer {
        let number = |number: usize| Ok(Written::atom(number.to_string(), Kind::Int));
        match name {
            "index" => number(index + 1),
            "index0" => number(index),
            "revindex" => number(count - index),
            "revindex0" => number(count - index - 1),
            "length" => number(count),
            "first" => Ok(Written::boolean(index == 0)),
            "last" => Ok(Written::boolean(index + 1 == count)),
            _ => refuse(at, format!("`loop.{name}` isn't translated")),
        }
    }

    fn closure(&mut self, turns: &Loop<'_>) -> Result<Written, Refusal> {
        let (mut found, kind) = self.items(turns)?;
        let name = turns.parameter();
        let before = self.locals.len();
        self.locals.extend(turns.bound(kind));
        let inner = (|| {
            let condition = turns.condition.map(|condition| self.expression(condition)).transpose()?;
            Ok((condition.map(|condition| condition.as_bool()), self.pieces(turns.parts, 1)?))
        })();
        self.locals.truncate(before);
        let (condition, pieces) = inner?;
        if let Some(condition) = condition {
            found = Written::atom(format!("{}.filter(|{name}| {})", found.at(level::ATOM), condition.text), Kind::List);
        }
        let text = as_expression(&pieces).as_text();
        Ok(Written::atom(format!("ha::join({}.map(|{name}| {text}), '')", found.at(level::ATOM)), Kind::Text))
    }

    /// Returns the list that a loop goes through, and the kind of its items.
    pub(super) fn items(&mut self, turns: &Loop<'_>) -> Result<(Written, Kind), Refusal> {
        let value = self.expression(turns.list)?;
        let found = self.list_filter(value, "list", &[], &[], turns.list.at)?;
        let kind = if found.kind == Kind::Records { Kind::Record } else { Kind::Any };
        Ok((found, kind))
    }

    /// Returns the items of a list, each taken apart into `count` values, if each of them is known.
    fn known_items(&mut self, list: &Expression, count: usize) -> Result<Option<Vec<Vec<Written>>>, Refusal> {
        if count != 1 {
            return self.known_pairs(list, count);
        }
        let found = self.known_values(list)?;
        Ok(found.map(|items| items.into_iter().map(|item| vec![item]).collect()))
    }

    fn known_values(&mut self, list: &Expression) -> Result<Option<Vec<Written>>, Refusal> {
        if let ExpressionKind::List(items) = &list.kind {
            return items.iter().map(|item| self.expression(item)).collect::<Result<_, _>>().map(Some);
        }
        if let Some(numbers) = range(list) {
            return Ok(Some(numbers.map(|number| Written::atom(number.to_string(), Kind::Int)).collect()));
        }
        let value = self.expression(list)?;
        Ok(match &value.kind {
            // Those of an area or a label are ids; those of `expand` are state objects.
            Kind::States(ids) if value.text.is_empty() => {
                Some(ids.iter().map(|id| Written::atom("", Kind::State(id.clone()))).collect())
            }
            Kind::States(ids) => Some(ids.iter().map(|id| Written::constant(id)).collect()),
            Kind::Domain(domain) => self
                .ids_of_domain(domain)
                .map(|ids| ids.iter().map(|id| Written::atom("", Kind::State(id.clone()))).collect()),
            Kind::List => ids_of_list(&value.text).map(|ids| ids.iter().map(|id| Written::constant(id)).collect()),
            Kind::Map => value.members.map(|members| members.iter().map(|(key, _)| Written::constant(key)).collect()),
            _ => None,
        })
    }

    /// Returns the items of `zip(…)`, of `.items()` and of a list of lists.
    fn known_pairs(&mut self, list: &Expression, count: usize) -> Result<Option<Vec<Vec<Written>>>, Refusal> {
        match &list.kind {
            ExpressionKind::List(items) => {
                let mut found = Vec::new();
                for item in items {
                    match &item.kind {
                        ExpressionKind::List(parts) if parts.len() == count => {
                            found.push(parts.iter().map(|part| self.expression(part)).collect::<Result<_, _>>()?);
                        }
                        _ => return Ok(None),
                    }
                }
                Ok(Some(found))
            }
            ExpressionKind::Call(function, lists, _) if lists.len() == count => {
                if function.kind != ExpressionKind::Name("zip".to_owned()) {
                    return Ok(None);
                }
                let mut columns = Vec::new();
                for list in lists {
                    let Some(column) = self.known_values(list)? else { return Ok(None) };
                    columns.push(column);
                }
                let length = columns.iter().map(Vec::len).min().unwrap_or(0);
                let row = |index| columns.iter().filter_map(|column| column.get(index).cloned()).collect();
                Ok(Some((0..length).map(row).collect()))
            }
            ExpressionKind::Call(function, arguments, _) if arguments.is_empty() && count == 2 => {
                let ExpressionKind::Attribute(of, name) = &function.kind else { return Ok(None) };
                if name != "items" {
                    return Ok(None);
                }
                let members = self.expression(of)?.members;
                let pair = |(key, value): (String, Written)| vec![Written::constant(&key), value];
                Ok(members.map(|members| members.into_iter().map(pair).collect()))
            }
            _ => Ok(None),
        }
    }

    /// Translates the body for each item. What it sets is forgotten, except in a namespace.
    fn written_out(&mut self, turns: &Loop<'_>, items: &[Vec<Written>]) -> Result<Vec<Piece>, Refusal> {
        let mut pieces = Vec::new();
        let bound = |item: &[Written]| turns.names.iter().cloned().zip(item.iter().cloned()).collect::<Vec<_>>();
        let mut asked = Vec::new();
        if let Some(condition) = turns.condition {
            for item in items {
                let before = self.locals.len();
                self.locals.extend(bound(item));
                let one = self.expression(condition);
                self.locals.truncate(before);
                asked.push(one?.as_bool());
            }
        }
        for (index, item) in items.iter().enumerate() {
            let before = self.locals.len();
            self.locals.extend(bound(item));
            match turns.condition {
                None => self.locals.push(("loop".to_owned(), Written::atom("()", Kind::Loop(index, items.len())))),
                Some(_) => self.locals.extend(filtered_loop(&asked, index)),
            }
            let one = match turns.condition {
                Some(condition) => {
                    let branches = [(condition.clone(), turns.parts.to_vec())];
                    self.branches(&branches, &[], 1).map(|piece| vec![piece])
                }
                None => self.pieces(turns.parts, 1),
            };
            let set = self.locals.split_off(before);
            pieces.extend(one?);
            self.locals.extend(set.into_iter().filter(|(name, _)| name.contains('.') && !name.starts_with("loop.")));
            if self.locals.iter().skip(before).any(|(_, written)| written.text.len() > LONGEST) {
                return refuse(turns.list.at, "the expression would be far too long: what it sets is used too often");
            }
        }
        Ok(pieces)
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

/// Returns the numbers of `range(…)`, if its bounds are written out and they aren't many.
fn range(list: &Expression) -> Option<impl Iterator<Item = i64> + use<>> {
    let ExpressionKind::Call(function, bounds, named) = &list.kind else { return None };
    if function.kind != ExpressionKind::Name("range".to_owned()) || !named.is_empty() {
        return None;
    }
    let number = |bound: &Expression| match bound.kind {
        ExpressionKind::Int(number) => Some(number),
        _ => None,
    };
    let (from, to) = match bounds.as_slice() {
        [to] => (0, number(to)?),
        [from, to] => (number(from)?, number(to)?),
        _ => return None,
    };
    let is_short =
        to.checked_sub(from).and_then(|count| usize::try_from(count).ok()).is_some_and(|it| it <= MOST_ITEMS);
    is_short.then_some(from..to)
}

/// Returns whether parts set variables, wherever.
fn sets(parts: &[Part]) -> bool {
    let mut names = Vec::new();
    set_names(parts, &mut names);
    !names.is_empty()
}

/// Adds the names that parts set, wherever, each once.
pub(super) fn set_names(parts: &[Part], names: &mut Vec<String>) {
    for part in parts {
        match part {
            Part::Set(name, _) | Part::SetBlock(name, _) if !names.contains(name) => names.push(name.clone()),
            Part::If(branches, otherwise) => {
                for (_, parts) in branches {
                    set_names(parts, names);
                }
                set_names(otherwise, names);
            }
            Part::For(_, _, _, parts) => set_names(parts, names),
            Part::Set(..)
            | Part::SetBlock(..)
            | Part::Text(_)
            | Part::Output(_)
            | Part::Macro(..)
            | Part::Other(..) => {}
        }
    }
}
