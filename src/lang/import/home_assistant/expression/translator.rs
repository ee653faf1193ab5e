//! The syntax tree to an expression.

use super::literal::{is_name, key_of};
use super::scope::{Macro, Scope};
use super::written::{Kind, Written, level};
use crate::lang::import::home_assistant::jinja::{Binary, Expression, ExpressionKind};
use crate::lang::import::home_assistant::yaml::Node;

/// Expressions longer than this are nobody's: variables that are written out grow.
const LONGEST: usize = 20_000;

/// Why a template isn't translated, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lang::import::home_assistant) struct Refusal {
    /// The byte of the template.
    pub(in crate::lang::import::home_assistant) at: usize,
    pub(in crate::lang::import::home_assistant) message: String,
}

pub(super) type Answer = Result<Written, Refusal>;

/// Translates the expressions of one template.
pub(in crate::lang::import::home_assistant) struct Translator<'a> {
    pub(super) scope: &'a Scope<'a>,
    /// The variables of `{% set %}`, and those of closures.
    pub(super) locals: Vec<(String, Written)>,
    /// The attributes of state objects that the template reads of each.
    pub(super) attributes: std::collections::BTreeSet<String>,
    /// Whether the template reads the name of each, and its domain.
    pub(super) reads_names: bool,
    pub(super) reads_domains: bool,
    /// What `{% macro %}` defines.
    pub(super) macros: Vec<(String, Macro)>,
    /// How deeply macros call each other here.
    pub(super) depth: usize,
    /// How many loops there are around it that are one value from all items.
    pub(super) loops: usize,
    /// How many loops were translated: those within loops that are written out count each time.
    pub(super) turns: usize,
}

pub(super) fn refuse<T>(at: usize, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { at, message: message.into() })
}

/// Returns the opposite of a condition.
pub(in crate::lang::import::home_assistant) fn negated(of: &Written) -> Written {
    Translator::not(of)
}

impl<'a> Translator<'a> {
    pub(in crate::lang::import::home_assistant) fn new(scope: &'a Scope<'a>) -> Translator<'a> {
        Translator {
            scope,
            locals: Vec::new(),
            attributes: std::collections::BTreeSet::new(),
            reads_names: true,
            reads_domains: false,
            macros: Vec::new(),
            depth: 0,
            loops: 0,
            turns: 0,
        }
    }

    pub(super) fn expression(&mut self, expression: &Expression) -> Answer {
        let at = expression.at;
        let written = match &expression.kind {
            ExpressionKind::None => Written::atom("()", Kind::None),
            ExpressionKind::Bool(value) => Written::boolean(*value),
            ExpressionKind::Int(number) => Written::atom(number.to_string(), Kind::Int),
            ExpressionKind::Float(number) => Written::atom(format!("{number:?}"), Kind::Float),
            ExpressionKind::Text(text) => Written::constant(text),
            ExpressionKind::Name(name) => self.name(name, at)?,
            ExpressionKind::List(items) => {
                let items: Vec<Written> = items.iter().map(|item| self.expression(item)).collect::<Result<_, _>>()?;
                let states: Option<Vec<String>> = items
                    .iter()
                    .map(|item| match &item.kind {
                        Kind::State(id) => Some(id.clone()),
                        _ => None,
                    })
                    .collect();
                if let Some(ids) = states.filter(|ids| !ids.is_empty()) {
                    return Ok(Written::atom("", Kind::States(ids)));
                }
                let texts: Vec<String> = items.iter().map(Self::item_text).collect();
                Written::atom(format!("[{}]", texts.join(", ")), Kind::List)
            }
            ExpressionKind::Map(entries) => {
                let (mut texts, mut members) = (Vec::new(), Vec::new());
                for (key, value) in entries {
                    let key = self.expression(key)?;
                    let Some(key) = key.constant.or_else(|| (key.kind == Kind::Int).then_some(key.text)) else {
                        return refuse(at, "a map whose keys are computed isn't translated");
                    };
                    let value = self.expression(value)?;
                    texts.push(format!("{}: {}", key_of(&key), Self::item_text(&value)));
                    members.push((key, value));
                }
                Written { members: Some(members), ..Written::atom(format!("#{{ {} }}", texts.join(", ")), Kind::Map) }
            }
            ExpressionKind::Attribute(of, name) => self.attribute(of, name, at)?,
            ExpressionKind::Item(of, index) => self.item(of, index, at)?,
            ExpressionKind::Slice(of, from, to) => self.slice(of, from.as_deref(), to.as_deref(), at)?,
            ExpressionKind::Call(function, arguments, named) => self.call(function, arguments, named, at)?,
            ExpressionKind::Filter(value, name, arguments, named) => {
                let value = self.value_or_undefined(value)?;
                self.filter(value, name, arguments, named, at)?
            }
            ExpressionKind::Test(value, name, arguments, named, is_not) => {
                let value = self.value_or_undefined(value)?;
                if !named.is_empty() && !matches!(&**name, "search" | "match") {
                    return refuse(at, format!("the test `{name}` with named arguments isn't translated"));
                }
                let found = match &**name {
                    "search" | "match" => self.filter(value, &format!("regex_{name}"), arguments, named, at)?,
                    _ => self.test(&value, name, arguments, at)?,
                };
                if *is_not { Self::not(&found) } else { found }
            }
            ExpressionKind::Not(inner) => {
                let inner = self.expression(inner)?.as_bool();
                Self::not(&inner)
            }
            ExpressionKind::Negative(inner) => {
                let inner = self.expression(inner)?;
                if matches!(inner.kind, Kind::Text | Kind::Reading(_)) {
                    return refuse(at, "a minus before a text fails in Home Assistant too: add `| float`");
                }
                let kind = inner.kind.clone();
                Written::new(format!("-{}", inner.at(level::UNARY + 1)), kind, level::UNARY)
            }
            ExpressionKind::Binary(operator, left, right) => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                let made = Self::binary(*operator, &left, &right, at)?;
                match operator {
                    Binary::Concatenate | Binary::Add if made.kind == Kind::Text => self.with_both(made, &left, &right),
                    _ => made,
                }
            }
            ExpressionKind::Choice(condition, value, otherwise) => {
                let condition = self.expression(condition)?.as_bool();
                let value = self.expression(value)?;
                let otherwise = match otherwise {
                    Some(otherwise) => self.expression(otherwise)?,
                    None => Written::constant(""),
                };
                Written::choice(vec![(condition, value)], otherwise)
            }
        };
        if written.text.len() > LONGEST {
            return refuse(at, "the expression would be far too long: what it sets is used too often");
        }
        Ok(written)
    }

    /// Returns an item of a list or a map: the text of what is text there.
    pub(super) fn item_text(item: &Written) -> String {
        match item.kind {
            Kind::Reading(_) => item.as_text(),
            // A whole number of a payload has no point; what `float` made has.
            Kind::Float if item.text.starts_with("number(") => format!("to_float({})", item.text),
            _ => item.text.clone(),
        }
    }

    /// Returns a value that may be undefined, for `default` and `is defined`.
    fn value_or_undefined(&mut self, expression: &Expression) -> Answer {
        match &expression.kind {
            ExpressionKind::Name(name) if self.find(name).is_none() => Ok(Written::atom("()", Kind::Undefined)),
            _ => self.expression(expression),
        }
    }

    pub(super) fn not(of: &Written) -> Written {
        match &*of.text {
            "true" => Written::boolean(false),
            "false" => Written::boolean(true),
            _ => Written::new(format!("not {}", of.at(level::UNARY + 1)), Kind::Bool, level::UNARY),
        }
    }

    fn find(&self, name: &str) -> Option<Written> {
        let local = self.locals.iter().rev().find(|(known, _)| known == name).map(|(_, written)| written.clone());
        local.or_else(|| self.scope.variables.get(name).cloned()).or_else(|| {
            let root = match name {
                "states" => "states",
                "trigger" => "trigger",
                "wait" if self.scope.waits => "wait",
                "repeat" if self.scope.repeats => "repeat",
                "this" => "this",
                "context" => "context",
                _ => return None,
            };
            Some(Written::atom(root, Kind::Root(root)))
        })
    }

    fn name(&self, name: &str, at: usize) -> Answer {
        if let Some(found) = self.find(name) {
            return Ok(found);
        }
        if self.scope.is_script && !matches!(name, "wait" | "repeat") {
            // A field that nobody gives: its defaults aren't applied in Home Assistant either.
            return Ok(Written::atom("()", Kind::Undefined));
        }
        match name {
            "pi" => Ok(Written::atom("3.141592653589793", Kind::Float)),
            "e" => Ok(Written::atom("2.718281828459045", Kind::Float)),
            "wait" => refuse(at, "there is no `wait_for_trigger` or `wait_template` before it"),
            "repeat" => refuse(at, "there is no `repeat` around it"),
            "value" | "value_json" => refuse(at, format!("`{name}` is only known in the template of a trigger")),
            _ => refuse(at, format!("`{name}` isn't defined")),
        }
    }

    fn attribute(&mut self, of: &Expression, name: &str, at: usize) -> Answer {
        if let ExpressionKind::Name(namespace) = &of.kind
            && let Some(found) = self.find(&format!("{namespace}.{name}"))
        {
            return Ok(found);
        }
        let of = self.expression(of)?;
        self.attribute_of(&of, name, at)
    }

    pub(super) fn attribute_of(&mut self, of: &Written, name: &str, at: usize) -> Answer {
        match &of.kind {
            Kind::Root("states") => Ok(Written::atom("", Kind::Domain(name.to_owned()))),
            Kind::Domain(domain) => Ok(Written::atom("", Kind::State(format!("{domain}.{name}")))),
            Kind::State(entity) => self.state_object(entity, name, at),
            Kind::Root("trigger") => self.trigger(false, name, at),
            Kind::Root("wait") => match name {
                "trigger" => Ok(Written::atom("wait.trigger", Kind::Root("wait.trigger"))),
                "completed" => Ok(Written::new("not wait.timed_out", Kind::Bool, level::UNARY)),
                "remaining" => Ok(Written::atom("wait.remaining", Kind::Root("wait.remaining"))),
                _ => refuse(at, format!("`wait.{name}` isn't known here")),
            },
            Kind::Root("wait.trigger") => self.trigger(true, name, at),
            Kind::Root("repeat") => match name {
                "index" => Ok(Written::atom("repeat.index", Kind::Int)),
                "item" => Ok(self.repeat_item()),
                "first" => Ok(Written::new("repeat.index == 1", Kind::Bool, level::COMPARE)),
                "last" => match self.scope.turns {
                    Some(turns) => Ok(Written::new(format!("repeat.index == {turns}"), Kind::Bool, level::COMPARE)),
                    None => refuse(at, "`repeat.last` is only known here where the number of turns is written out"),
                },
                _ => refuse(at, format!("`repeat.{name}` isn't known here")),
            },
            Kind::Root("context") => match name {
                "id" => Ok(Written::constant(crate::lang::import::home_assistant::jinja::CONTEXT)),
                _ => refuse(at, format!("`context.{name}` isn't known here: who or what began a run isn't told")),
            },
            Kind::Root("this") => match name {
                "entity_id" => Ok(Written::constant(&format!("automation.{}", self.scope.rule.replace('-', "_")))),
                "attributes" => Ok(Written::atom("this", Kind::Root("this.attributes"))),
                _ => refuse(at, format!("`this.{name}` isn't known here")),
            },
            Kind::Root("this.attributes") => match name {
                "last_triggered" => {
                    let run = super::literal::quoted(&self.scope.rule);
                    Ok(Written::atom(format!("ha::timestamp(last_run({run})?.at)"), Kind::Time))
                }
                _ => refuse(at, format!("`this.attributes.{name}` isn't known here")),
            },
            Kind::Fired(_) | Kind::Root(_) => self.fired(of, name, at),
            Kind::Time => Self::time_attribute(of, name, at),
            Kind::Span => match name {
                "seconds" => Ok(Written::atom(format!("ha::modulo(ha::int({}), 86400)", of.text), Kind::Int)),
                "days" => Ok(Written::atom(format!("floor({} / 86400)", of.at(level::PRODUCT)), Kind::Int)),
                _ => refuse(at, format!("`.{name}` of a `timedelta` isn't translated")),
            },
            Kind::Text | Kind::Reading(_) | Kind::Int | Kind::Float | Kind::Number | Kind::Bool | Kind::List => {
                refuse(at, format!("`.{name}` isn't something that this value has"))
            }
            Kind::Loop(index, count) => Self::of_loop(*index, *count, name, at),
            Kind::Namespace => refuse(at, format!("the namespace has no `{name}` yet")),
            Kind::None | Kind::Undefined => refuse(at, format!("`.{name}` of something that isn't there")),
            Kind::Record if name == "attributes" && !self.attributes.is_empty() => {
                Ok(Written::atom(format!("{}.attributes", of.at(level::ATOM)), Kind::Map))
            }
            Kind::Record if !matches!(name, "entity_id" | "state" | "name" | "domain" | "object_id") => {
                refuse(at, format!("`.{name}` of each state isn't translated"))
            }
            Kind::Map if of.text == "repeat.item" && of.members.is_some() => {
                let known = of.members.iter().flatten().find(|(key, _)| key == name);
                Ok(known.map_or_else(|| Self::member(of, name), |(_, value)| value.clone()))
            }
            Kind::Map | Kind::Any | Kind::Records | Kind::Record | Kind::States(_) => Ok(Self::member(of, name)),
        }
    }

    /// Returns the item of the innermost `repeat`: one of the known texts, or anything.
    fn repeat_item(&self) -> Written {
        let texts: Option<Vec<&str>> = self.scope.items.iter().map(Node::as_text).collect();
        let Some(texts) = texts else { return self.repeat_map() };
        let Some((last, others)) = texts.split_last() else {
            return Written::atom("repeat.item", Kind::Any);
        };
        let branches = others.iter().map(|item| {
            let is_it = format!("repeat.item == {}", super::literal::quoted(item));
            (Written::new(is_it, Kind::Bool, level::COMPARE), Written::constant(item))
        });
        let written = Written::choice(branches.collect(), Written::constant(last));
        if written.constant.is_some() {
            return written;
        }
        Written { text: "repeat.item".to_owned(), kind: Kind::Text, ..written }
    }

    /// Returns the item of the innermost `repeat` over maps, whose texts are known by the turn.
    fn repeat_map(&self) -> Written {
        let item = Written::atom("repeat.item", Kind::Map);
        let maps: Option<Vec<_>> = self.scope.items.iter().map(Node::as_map).collect();
        let Some(maps) = maps else { return Written::atom("repeat.item", Kind::Any) };
        let mut members: Vec<(String, Written)> = Vec::new();
        for entry in maps.iter().flat_map(|entries| entries.iter()) {
            let name = entry.name();
            if members.iter().any(|(known, _)| known == name) {
                continue;
            }
            let member = Self::member(&item, name);
            let texts = maps.iter().map(|entries| {
                let value = entries.iter().find(|entry| entry.name() == name);
                value.map_or(Some(""), |entry| entry.value.as_text())
            });
            let Some(texts) = texts.collect::<Option<Vec<_>>>() else {
                members.push((name.to_owned(), member));
                continue;
            };
            let last = Written::constant(texts.last().copied().unwrap_or_default());
            let branches = texts.iter().enumerate().take(texts.len().saturating_sub(1)).map(|(index, text)| {
                let is_it = format!("repeat.index == {}", index + 1);
                (Written::new(is_it, Kind::Bool, level::COMPARE), Written::constant(text))
            });
            let chosen = Written::choice(branches.collect(), last);
            let value = if chosen.constant.is_some() {
                chosen
            } else {
                Written { text: member.text, level: member.level, kind: Kind::Text, ..chosen }
            };
            members.push((name.to_owned(), value));
        }
        Written { members: Some(members), ..item }
    }

    /// Returns the member of a map that `index` names, `otherwise` if none is, where all are texts: as one of these.
    pub(super) fn chosen_member(of: &Written, index: &Written, otherwise: Written, text: String) -> Written {
        let members = of.members.iter().flatten();
        let branches: Option<Vec<(Written, Written)>> = members
            .map(|(key, value)| {
                value.constant.as_ref()?;
                Some((Self::equal(index, &Written::constant(key)), value.clone()))
            })
            .collect();
        match branches.filter(|branches| !branches.is_empty() && otherwise.constant.is_some()) {
            Some(branches) => {
                let kind = if otherwise.constant.as_deref() == Some("") { Kind::Any } else { Kind::Text };
                let chosen = Written::choice(branches, otherwise);
                Written { text, kind, said: None, ..chosen }
            }
            None => Written::atom(text, Kind::Any),
        }
    }

    /// Returns a member of a map, `()` where there is none.
    pub(super) fn member(of: &Written, name: &str) -> Written {
        let of = of.at(level::ATOM);
        let text =
            if is_name(name) { format!("{of}?.{name}") } else { format!("{of}[{}]", super::literal::quoted(name)) };
        Written::atom(text, Kind::Any)
    }

    fn item(&mut self, of: &Expression, index: &Expression, at: usize) -> Answer {
        let number = match &index.kind {
            ExpressionKind::Int(number) => Some(*number),
            ExpressionKind::Negative(inner) => match inner.kind {
                ExpressionKind::Int(number) => Some(-number),
                _ => None,
            },
            _ => None,
        };
        if let Some((whole, change)) = number.and_then(|number| self.part_of(of, number)) {
            let made = self.item_of(of, index, at)?;
            return Ok(match self.each_text(&whole, &*change) {
                Some(known) if known.constant.is_some() => known,
                Some(known) => Written { kind: Kind::Text, branches: known.branches, ..made },
                None => made,
            });
        }
        self.item_of(of, index, at)
    }

    fn item_of(&mut self, of: &Expression, index: &Expression, at: usize) -> Answer {
        let of = self.expression(of)?;
        let index = self.expression(index)?;
        match (&of.kind, &index.constant) {
            (Kind::Root("states"), Some(entity)) if entity.contains('.') => {
                Ok(Written::atom("", Kind::State(entity.clone())))
            }
            (Kind::Root("states"), Some(domain)) => Ok(Written::atom("", Kind::Domain(domain.clone()))),
            (Kind::Root("states"), None) => refuse(at, "an entity id that is computed isn't translated"),
            (Kind::Map, Some(name)) if of.members.is_some() => {
                let found = of.members.iter().flatten().find(|(key, _)| key == name);
                Ok(found.map_or_else(|| Written::atom("()", Kind::Undefined), |(_, value)| value.clone()))
            }
            (_, Some(name)) if !matches!(of.kind, Kind::Text | Kind::Reading(_) | Kind::List) => {
                self.attribute_of(&of, name, at)
            }
            (Kind::Map, None) => Ok(Self::chosen_member(
                &of,
                &index,
                Written::constant(""),
                format!("{}[{}]", of.at(level::ATOM), index.as_text()),
            )),
            (Kind::Text | Kind::Reading(_), _) => {
                Ok(Written::atom(format!("ha::letter({}, {})", of.as_text(), index.text), Kind::Text))
            }
            _ => Ok(Written::atom(format!("ha::item({}, {})", of.text, index.text), Kind::Any)),
        }
    }

    fn slice(&mut self, of: &Expression, from: Option<&Expression>, to: Option<&Expression>, at: usize) -> Answer {
        let of = self.expression(of)?;
        let mut end = |bound: Option<&Expression>| match bound {
            None => Ok("()".to_owned()),
            Some(bound) => self.expression(bound).map(|bound| bound.text),
        };
        let (from, to) = (end(from)?, end(to)?);
        match &of.kind {
            Kind::Text | Kind::Reading(_) => {
                Ok(Written::atom(format!("ha::slice({}, {from}, {to})", of.as_text()), Kind::Text))
            }
            Kind::List | Kind::Any | Kind::Records => {
                Ok(Written::atom(format!("ha::slice({}, {from}, {to})", of.text), of.kind.clone()))
            }
            _ => refuse(at, "a part of this isn't translated"),
        }
    }

    /// Returns `.name` of a state object.
    fn state_object(&mut self, entity: &str, name: &str, at: usize) -> Answer {
        match name {
            "state" => self.state(entity, at),
            "attributes" => Ok(Written::atom("", Kind::State(format!("{entity}!attributes")))),
            "entity_id" => Ok(Written::constant(entity)),
            "object_id" => Ok(Written::constant(entity.split_once('.').map_or("", |(_, object)| object))),
            "domain" => Ok(Written::constant(entity.split('.').next().unwrap_or_default())),
            "name" => self.friendly_name(entity, at),
            "state_with_unit" => self.shown_state(entity, super::shown::Shown { is_rounded: true, has_unit: true }, at),
            "last_changed" | "last_updated" | "last_reported" => self.changed(entity, name, at),
            _ => match entity.strip_suffix("!attributes") {
                Some(entity) => self.entity_attribute(entity, name, at),
                None => refuse(at, format!("`.{name}` of a state isn't translated")),
            },
        }
    }

    /// Returns when an entity's state changed, or when it was last heard.
    fn changed(&self, entity: &str, name: &str, at: usize) -> Answer {
        let found = self.scope.home.entity(entity);
        let field = self.scope.home.field(&found, None).or_else(|message| refuse(at, message))?;
        let what = if name == "last_changed" { "changed_at" } else { "at" };
        match field.word {
            "state" => {
                let topic = super::literal::quoted(&field.name);
                Ok(Written {
                    zone: super::written::Zone::Utc,
                    ..Written::atom(format!("last({topic}).{what}.unix"), Kind::Time)
                })
            }
            "input" => {
                let topic = super::literal::quoted(&format!("homerule/input/{}", field.name));
                Ok(Written {
                    zone: super::written::Zone::Utc,
                    ..Written::atom(format!("last({topic}).{what}.unix"), Kind::Time)
                })
            }
            "device" if name != "last_changed" => {
                let device = super::literal::quoted(&field.name);
                Ok(Written {
                    zone: super::written::Zone::Utc,
                    ..Written::atom(format!("(now.unix - device({device}).age)"), Kind::Time)
                })
            }
            _ => refuse(at, format!("when `{entity}` last changed isn't known here: use `for`")),
        }
    }
}
