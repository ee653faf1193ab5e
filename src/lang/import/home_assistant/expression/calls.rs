//! Functions of templates: of states, times and values.

use super::literal::quoted;
use super::scope::NOTHING;
use super::shown::Shown;
use super::translator::{Answer, Translator, refuse};
use super::written::{Kind, Written, Zone, level};
use crate::lang::import::home_assistant::entities::{Codec, Home, Source};
use crate::lang::import::home_assistant::jinja::{Expression, ExpressionKind};

type Named = [(String, Expression)];

impl Translator<'_> {
    pub(super) fn call(&mut self, function: &Expression, arguments: &[Expression], named: &Named, at: usize) -> Answer {
        match &function.kind {
            ExpressionKind::Name(name) => match self.macro_call(name, arguments, named, at) {
                Some(answer) => answer,
                None => self.function(name, arguments, named, at),
            },
            ExpressionKind::Attribute(of, name) => {
                let of = self.expression(of)?;
                self.method(&of, name, arguments, named, at)
            }
            _ => refuse(at, "this call isn't translated"),
        }
    }

    /// Returns the constant text of an argument, or the entity that triggered.
    fn entity_argument(&mut self, arguments: &[Expression], at: usize) -> Result<EntityArgument, super::Refusal> {
        let Some(argument) = arguments.first() else { return refuse(at, "the entity id is missing") };
        let written = self.expression(argument)?;
        if let Some(id) = &written.constant {
            return Ok(EntityArgument::Id(id.to_lowercase()));
        }
        if written.is_trigger_entity {
            return Ok(EntityArgument::Fired);
        }
        if let Some(branches) = &written.branches {
            let of: Option<Vec<_>> = branches
                .of
                .iter()
                .map(|(condition, value)| Some((condition.clone(), value.constant.clone()?)))
                .collect();
            if let (Some(of), Some(otherwise)) = (of, branches.otherwise.constant.clone()) {
                return Ok(EntityArgument::Chosen(of, otherwise));
            }
        }
        refuse(
            argument.at,
            "an entity id that is computed isn't translated: name the entity, or one trigger per entity",
        )
    }

    /// Calls `read` with each entity that the argument may be.
    fn of_entity(
        &mut self,
        arguments: &[Expression],
        at: usize,
        read: &mut dyn FnMut(&mut Self, &str) -> Answer,
        fired: &mut dyn FnMut(&mut Self) -> Answer,
    ) -> Answer {
        match self.entity_argument(arguments, at)? {
            EntityArgument::Id(id) => read(self, &id),
            EntityArgument::Fired => fired(self),
            EntityArgument::Chosen(of, otherwise) => {
                let mut branches = Vec::new();
                for (condition, id) in of {
                    branches.push((condition, read(self, &id)?));
                }
                let is_state = branches.iter().any(|(_, value)| matches!(value.kind, Kind::Reading(_)));
                let otherwise = if otherwise.contains(NOTHING) { String::new() } else { otherwise };
                let otherwise = match (&*otherwise, is_state) {
                    // No entity at all.
                    ("", true) => Written::constant("unknown"),
                    ("", false) => Written::atom("()", Kind::None),
                    (otherwise, _) => read(self, otherwise)?,
                };
                Ok(Written::choice(branches, otherwise))
            }
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table: an arm for each word")]
    fn function(&mut self, name: &str, arguments: &[Expression], named: &Named, at: usize) -> Answer {
        match name {
            "states" => {
                let shown = Self::shown(arguments, named, at)?;
                self.of_entity(arguments, at, &mut |this, id| this.shown_state(id, shown, at), &mut |this| {
                    if shown == Shown::default() {
                        return this.trigger_state("value", at);
                    }
                    let id = this.trigger_id_of_one(at)?;
                    this.shown_state(&id, shown, at)
                })
            }
            "is_state" => {
                let Some(wanted) = arguments.get(1) else { return refuse(at, "`is_state` needs a state") };
                let wanted = self.expression(wanted)?;
                let state = self.of_entity(arguments, at, &mut |this, id| this.state(id, at), &mut |this| {
                    this.trigger_state("value", at)
                })?;
                self.is_one_of(&state, &wanted, arguments.get(1))
            }
            "state_attr" | "is_state_attr" => {
                let Some(attribute) = arguments.get(1) else {
                    return refuse(at, format!("`{name}` needs an attribute"));
                };
                let attribute = self.expression(attribute)?;
                let Some(attribute) = attribute.constant else {
                    return refuse(at, "the name of an attribute that is computed isn't translated");
                };
                let value = self.of_entity(
                    arguments,
                    at,
                    &mut |this, id| this.entity_attribute(id, &attribute, at),
                    &mut |this| {
                        let fired = Written::atom("value", Kind::Fired("value"));
                        let of = this.attribute_of(&fired, "attributes", at)?;
                        this.attribute_of(&of, &attribute, at)
                    },
                )?;
                if name == "state_attr" {
                    return Ok(value);
                }
                let Some(wanted) = arguments.get(2) else { return refuse(at, "`is_state_attr` needs a value") };
                let wanted = self.expression(wanted)?;
                if wanted.kind == Kind::None {
                    // No attribute is none, there.
                    return Ok(Written::boolean(false));
                }
                Ok(Self::equal(&value, &wanted))
            }
            "has_value" => {
                let state = self.of_entity(arguments, at, &mut |this, id| this.state(id, at), &mut |this| {
                    this.trigger_state("value", at)
                })?;
                Ok(Self::has_value(&state))
            }
            "now" if arguments.is_empty() => Ok(Written::atom("now.unix", Kind::Time)),
            "utcnow" if arguments.is_empty() => {
                Ok(Written { zone: Zone::Utc, ..Written::atom("now.unix", Kind::Time) })
            }
            "today_at" => {
                let time = match arguments.first() {
                    None => quoted("00:00"),
                    Some(time) => self.expression(time)?.as_text(),
                };
                Ok(Written::atom(format!("unix_time(now.date + 'T' + {time})"), Kind::Time))
            }
            "as_timestamp" | "as_datetime" | "as_local" | "strptime" => {
                let Some(value) = arguments.first() else { return refuse(at, format!("`{name}` needs a value")) };
                let value = self.expression(value)?;
                if name == "strptime" {
                    let Some(format) = arguments.get(1) else { return refuse(at, "`strptime` needs a format") };
                    let format = self.expression(format)?;
                    if let Some(directives) =
                        format.constant.as_ref().filter(|format| !format.contains(['y', 'Y', 'j', 'd']))
                    {
                        // A time alone is of the first day that Python knows there.
                        let (text, format) = (value.as_text(), quoted(&format!("%Y-%m-%d {directives}")));
                        return Ok(Written::atom(format!("unix_time('1900-01-01 ' + {text}, {format})"), Kind::Time));
                    }
                    return Ok(Written::atom(format!("unix_time({}, {})", value.as_text(), format.text), Kind::Time));
                }
                let default = match arguments.get(1).or_else(|| named_argument(named, "default")) {
                    Some(default) => Some(self.expression(default)?),
                    None => None,
                };
                Ok(Self::moment(&value, default.as_ref(), name))
            }
            "relative_time" | "time_since" | "time_until" => {
                let Some(value) = arguments.first() else { return refuse(at, format!("`{name}` needs a time")) };
                if arguments.len() > 1 || !named.is_empty() {
                    return refuse(at, format!("`{name}` with a precision isn't translated"));
                }
                let value = self.expression(value)?;
                Self::distance(&value, name, at)
            }
            "timedelta" => self.timedelta(arguments, named, at),
            "float" | "int" | "bool" | "iif" | "is_number" | "max" | "min" | "average" | "round" | "typeof"
            | "sqrt" | "abs" | "log" | "median" => {
                let Some(value) = arguments.first() else { return refuse(at, format!("`{name}` needs a value")) };
                let several = matches!(name, "max" | "min" | "average" | "median") && arguments.len() > 1;
                if several {
                    let items: Vec<Written> =
                        arguments.iter().map(|item| self.expression(item)).collect::<Result<_, _>>()?;
                    let texts: Vec<String> = items.iter().map(|item| item.text.clone()).collect();
                    let same = items.first().map_or(Kind::Any, |item| item.kind.clone());
                    let list = Written::atom(format!("[{}]", texts.join(", ")), Kind::List);
                    let mut found = self.filter(list, name, &[], &[], at)?;
                    if items.iter().all(|item| item.kind == same) && matches!(name, "max" | "min") {
                        if matches!(same, Kind::Text | Kind::Reading(_)) {
                            return refuse(at, "the largest of texts is the last in the alphabet there: add `| float`");
                        }
                        found.kind = same;
                    }
                    return Ok(found);
                }
                let value = self.expression(value)?;
                self.filter(value, name, arguments.get(1..).unwrap_or_default(), named, at)
            }
            "zip" if named.is_empty() => {
                let lists: Vec<String> = arguments
                    .iter()
                    .map(|list| {
                        let list = self.expression(list)?;
                        self.list_filter(list, "list", &[], &[], at).map(|list| list.text)
                    })
                    .collect::<Result<_, _>>()?;
                Ok(Written::atom(format!("ha::zip([{}])", lists.join(", ")), Kind::List))
            }
            "range" => {
                let bounds: Vec<Written> =
                    arguments.iter().map(|item| self.expression(item)).collect::<Result<_, _>>()?;
                let texts: Vec<&str> = bounds.iter().map(|bound| &*bound.text).collect();
                let call = match texts.as_slice() {
                    [end] => format!("ha::range(0, {end}, 1)"),
                    [start, end] => format!("ha::range({start}, {end}, 1)"),
                    [start, end, step] => format!("ha::range({start}, {end}, {step})"),
                    _ => return refuse(at, "`range` needs one to three numbers"),
                };
                Ok(Written::atom(call, Kind::List))
            }
            "expand" => self.expand(arguments, at),
            "area_entities" | "label_entities" | "device_entities" | "floor_entities" => {
                let Some(written) = arguments.first() else { return refuse(at, format!("`{name}` needs an id")) };
                let Some(id) = self.expression(written)?.constant else {
                    return refuse(at, format!("`{name}` of something computed isn't translated"));
                };
                let key = name.replace("_entities", "_id");
                let Some(found) = self.scope.home.registries.expand(&key, &id) else {
                    return refuse(at, format!("`{id}` isn't in the registries (`.storage`) of this configuration"));
                };
                let texts: Vec<String> = found.iter().map(|id| quoted(id)).collect();
                let mut list = Written::atom(format!("[{}]", texts.join(", ")), Kind::List);
                list.kind = Kind::States(found);
                Ok(list)
            }
            "dict" | "namespace" if name == "dict" && arguments.is_empty() => {
                let mut texts = Vec::new();
                for (key, value) in named {
                    let value = self.expression(value)?;
                    texts.push(format!("{}: {}", super::literal::key_of(key), value.text));
                }
                Ok(Written::atom(format!("#{{ {} }}", texts.join(", ")), Kind::Map))
            }
            "strftime" => refuse(at, "`strftime` is a method of a time: `now().strftime(…)`"),
            _ => refuse(at, format!("the function `{name}` has no counterpart here")),
        }
    }

    /// Returns whether a state is `wanted`, which may be a list.
    fn is_one_of(&mut self, state: &Written, wanted: &Written, expression: Option<&Expression>) -> Answer {
        if wanted.kind == Kind::List {
            let Some(ExpressionKind::List(items)) = expression.map(|expression| &expression.kind) else {
                return Ok(Written::atom(
                    format!("{}.contains({})", wanted.at(level::ATOM), state.as_text()),
                    Kind::Bool,
                ));
            };
            let mut found: Option<Written> = None;
            for item in items {
                let item = self.expression(item)?;
                let one = Self::equal(state, &item);
                found = Some(match found {
                    Some(before) => Written::new(
                        format!("{} or {}", before.at(level::OR), one.at(level::OR)),
                        Kind::Bool,
                        level::OR,
                    ),
                    None => one,
                });
            }
            return Ok(found.unwrap_or_else(|| Written::boolean(false)));
        }
        Ok(Self::equal(state, wanted))
    }

    /// Returns the state of an entity.
    pub(super) fn state(&mut self, id: &str, at: usize) -> Answer {
        if !id.contains('.') {
            return refuse(at, format!("`{id}` isn't an entity id"));
        }
        let entity = self.scope.home.entity(id);
        if let Source::Derived { .. } | Source::Bridge = &entity.source {
            // Read by its topic.
        }
        let field = self.scope.home.field(&entity, None).or_else(|message| refuse(at, message))?;
        let said = field.text;
        let atom = Written::atom(field.expression, Kind::Reading(field.codec));
        Ok(Written { said: Some(said), entity: Some(id.to_owned()), ..atom })
    }

    pub(super) fn entity_attribute(&mut self, id: &str, attribute: &str, at: usize) -> Answer {
        if attribute == "friendly_name" {
            return self.friendly_name(id, at);
        }
        let registered = self.scope.home.registries.entities.get(id);
        if attribute == "device_class"
            && let Some(class) = registered.and_then(|entity| entity.class.as_deref())
        {
            return Ok(Written::constant(class));
        }
        let entity = self.scope.home.entity(id);
        let field = self.scope.home.field(&entity, Some(attribute)).or_else(|message| refuse(at, message))?;
        if attribute == "last_triggered" {
            return Ok(Written::atom(format!("ha::timestamp({})", field.expression), Kind::Time));
        }
        Ok(Written::atom(field.expression, Kind::Any))
    }

    pub(super) fn friendly_name(&mut self, id: &str, at: usize) -> Answer {
        let entity = self.scope.home.entity(id);
        if let Some(name) = Home::friendly_name(&entity) {
            return Ok(Written::constant(&name));
        }
        let plain = entity.object().replace('_', " ");
        match &entity.source {
            Source::Bridge => {
                let field =
                    self.scope.home.field(&entity, Some("friendly_name")).or_else(|message| refuse(at, message))?;
                Ok(Written::atom(field.expression, Kind::Any))
            }
            // Home Assistant has a name for it, which is only known where it says that.
            Source::Topic(_) => match self.scope.home.field(&entity, Some("friendly_name")) {
                Ok(field) => Ok(Written::atom(format!("({} ?? {})", field.expression, quoted(&plain)), Kind::Text)),
                Err(_) => Ok(Written::constant(&plain)),
            },
            _ => Ok(Written::constant(&plain)),
        }
    }

    fn has_value(state: &Written) -> Written {
        let text = match &state.kind {
            Kind::Reading(Codec::Raw) => format!("ha::has_value({})", state.as_text()),
            Kind::Reading(_) => {
                return Written::new(format!("{} != ()", state.at(level::SUM)), Kind::Bool, level::COMPARE);
            }
            _ => format!("ha::has_value({})", state.as_text()),
        };
        Written::atom(text, Kind::Bool)
    }

    /// Returns how far a time is away, in the largest unit: `5 minutes`.
    pub(super) fn distance(value: &Written, name: &str, at: usize) -> Answer {
        if value.kind != Kind::Time {
            return refuse(
                at,
                format!("`{name}` needs a time, in Home Assistant too: `as_datetime`, or `.last_changed`"),
            );
        }
        let function = if name == "time_until" { "ha::ahead" } else { "ha::ago" };
        Ok(Written::atom(format!("{function}({}, {})", value.text, value.as_text()), Kind::Text))
    }

    /// Returns what `as_timestamp`, `as_datetime` and `as_local` make of a value.
    pub(super) fn moment(value: &Written, default: Option<&Written>, name: &str) -> Written {
        let kind = if name == "as_timestamp" { Kind::Float } else { Kind::Time };
        let zone = match (name, &value.kind) {
            ("as_datetime", Kind::Int | Kind::Float | Kind::Number) => Zone::Utc,
            ("as_datetime", Kind::Time) => value.zone,
            ("as_datetime", _) => Zone::AsWritten,
            _ => Zone::Local,
        };
        Written { zone, ..Self::timestamp(value, default, kind) }
    }

    /// Returns when something was done that may never have been: `last_triggered`.
    pub(super) fn may_be_never(value: &Written) -> Option<&str> {
        let at = value.text.strip_prefix("ha::timestamp(")?.strip_suffix(')')?;
        at.starts_with("last_run(").then_some(at)
    }

    /// Returns seconds since 1970 of a time, a number or a text.
    pub(super) fn timestamp(value: &Written, default: Option<&Written>, kind: Kind) -> Written {
        if let (Some(at), Some(default)) = (Self::may_be_never(value), default) {
            return Written::atom(format!("ha::timestamp_or({at}, {})", default.text), kind);
        }
        let is_moment = matches!(value.kind, Kind::Int | Kind::Float | Kind::Number | Kind::Time);
        if is_moment {
            return Written { kind, ..value.clone() };
        }
        let text = if matches!(value.kind, Kind::Reading(_)) { value.as_text() } else { value.text.clone() };
        match default {
            None => Written::atom(format!("ha::timestamp({text})"), kind),
            Some(default) => {
                // A whole default is given as it is.
                let said = (kind == Kind::Float && default.kind == Kind::Int)
                    .then(|| format!("ha::timestamp_text_or({text}, {})", default.text));
                Written { said, ..Written::atom(format!("ha::timestamp_or({text}, {})", default.text), kind) }
            }
        }
    }

    fn timedelta(&mut self, arguments: &[Expression], named: &Named, at: usize) -> Answer {
        let order = ["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"];
        let mut parts: Vec<(String, &Expression)> =
            order.iter().zip(arguments).map(|(name, value)| ((*name).to_owned(), value)).collect();
        parts.extend(named.iter().map(|(name, value)| (name.clone(), value)));
        let (mut total, mut rest) = (0.0, Vec::new());
        for (name, value) in parts {
            let scale: f64 = match &*name {
                "weeks" => 604_800.0,
                "days" => 86_400.0,
                "hours" => 3600.0,
                "minutes" => 60.0,
                "seconds" => 1.0,
                "milliseconds" => 0.001,
                "microseconds" => 0.000_001,
                _ => return refuse(at, format!("`timedelta` has no `{name}`")),
            };
            let value = self.expression(value)?;
            if matches!(value.kind, Kind::Text | Kind::Reading(_)) {
                return refuse(at, "`timedelta` of a text fails in Home Assistant too: add `| float`");
            }
            match value.text.parse::<f64>() {
                Ok(number) => total += number * scale,
                Err(_) if (scale - 1.0).abs() < f64::EPSILON => rest.push(value.at(level::SUM)),
                Err(_) => rest.push(format!("{} * {scale}", value.at(level::PRODUCT))),
            }
        }
        if total != 0.0 || rest.is_empty() {
            rest.push(total.to_string());
        }
        let level = if rest.len() > 1 { level::SUM } else { level::PRODUCT };
        Ok(Written::new(rest.join(" + "), Kind::Span, level))
    }
}

/// What an argument that names an entity is.
enum EntityArgument {
    Id(String),
    /// The entity that triggered.
    Fired,
    /// One of several, and the last one.
    Chosen(Vec<(Written, String)>, String),
}

pub(super) fn named_argument<'n>(named: &'n Named, name: &str) -> Option<&'n Expression> {
    named.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}
