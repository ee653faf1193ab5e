//! Filters of lists, and lists of states.

use std::fmt::Write as _;

use super::calls::named_argument;
use super::literal::{is_name, key_of, quoted};
use super::translator::{Answer, Translator, refuse};
use super::written::{Kind, Written, level};
use crate::lang::import::home_assistant::entities::{Home, Source};
use crate::lang::import::home_assistant::jinja::Expression;

type Named = [(String, Expression)];

/// More entities than this aren't listed in one expression.
const MOST_ENTITIES: usize = 500;

impl Translator<'_> {
    #[expect(clippy::too_many_lines, reason = "a table: an arm for each word")]
    pub(super) fn list_filter(
        &mut self,
        value: Written,
        name: &str,
        arguments: &[Expression],
        named: &Named,
        at: usize,
    ) -> Answer {
        let known = [
            "length",
            "count",
            "list",
            "join",
            "min",
            "max",
            "sum",
            "map",
            "select",
            "reject",
            "selectattr",
            "rejectattr",
            "first",
            "last",
            "random",
            "sort",
            "unique",
            "reverse",
            "average",
            "median",
            "flatten",
        ];
        if !known.contains(&name) {
            return refuse(at, format!("the filter `{name}` has no counterpart here"));
        }
        let list = self.as_list(value, name, at)?;
        let list_text = list.at(level::ATOM);
        let argument = |this: &mut Self, index: usize, key: &str| -> Result<Option<Written>, super::Refusal> {
            match arguments.get(index).or_else(|| named_argument(named, key)) {
                Some(argument) => this.expression(argument).map(Some),
                None => Ok(None),
            }
        };
        let of_list = |text: String, kind: Kind| Ok(Written::atom(text, kind));
        match name {
            "list" if matches!(list.kind, Kind::Text) => of_list(format!("{list_text}.to_chars()"), Kind::List),
            "list" if list.kind == Kind::Map => Ok(Self::keys(&list)),
            "list" if list.kind == Kind::Any => of_list(format!("ha::list({})", list.text), Kind::List),
            "list" => Ok(list),
            "length" | "count" => of_list(format!("{list_text}.len()"), Kind::Int),
            "join" => {
                let between = argument(self, 0, "d")?.unwrap_or_else(|| Written::constant(""));
                if let Some(attribute) = argument(self, 1, "attribute")? {
                    let mapped = self.mapped(&list, &attribute, at)?;
                    return of_list(format!("ha::join({}, {})", mapped.text, between.as_text()), Kind::Text);
                }
                of_list(format!("ha::join({}, {})", list.text, between.as_text()), Kind::Text)
            }
            "min" | "max" | "sum" | "average" | "median" => {
                let list = match argument(self, usize::from(name == "sum") * 9, "attribute")? {
                    Some(attribute) => self.mapped(&list, &attribute, at)?,
                    None => list,
                };
                let kind = if matches!(name, "average" | "median") { Kind::Float } else { Kind::Any };
                of_list(format!("ha::{name}_of({})", list.text), kind)
            }
            "first" | "last" => {
                of_list(format!("ha::{}({})", if name == "last" { "last_of" } else { name }, list.text), Kind::Any)
            }
            "random" => of_list(format!("random({})", list.text), Kind::Any),
            "unique" | "sort" | "reverse" => {
                if named.iter().any(|(key, value)| {
                    !(key == "reverse"
                        && name == "sort"
                        && matches!(value.kind, crate::lang::import::home_assistant::jinja::ExpressionKind::Bool(_)))
                }) || !arguments.is_empty()
                {
                    return refuse(at, format!("`{name}` with arguments isn't translated"));
                }
                let text = match name {
                    "unique" => format!("ha::unique({})", list.text),
                    "sort"
                        if named.iter().any(|(_, value)| {
                            value.kind == crate::lang::import::home_assistant::jinja::ExpressionKind::Bool(true)
                        }) =>
                    {
                        format!("{list_text}.sort().reverse()")
                    }
                    "sort" => format!("{list_text}.sort()"),
                    _ => format!("{list_text}.reverse()"),
                };
                of_list(text, list.kind.clone())
            }
            "flatten" if arguments.is_empty() && named.is_empty() => {
                of_list(format!("ha::flat({})", list.text), Kind::List)
            }
            "flatten" => refuse(at, "`flatten` with levels isn't translated"),
            "map" => match named_argument(named, "attribute") {
                Some(attribute) => {
                    let attribute = self.expression(attribute)?;
                    self.mapped(&list, &attribute, at)
                }
                None => {
                    let Some(filter) = argument(self, 0, "filter")?.and_then(|filter| filter.constant) else {
                        return refuse(at, "`map` needs a filter or `attribute=`");
                    };
                    let item = Written::atom("x", Kind::Any);
                    let rest = arguments.get(1..).unwrap_or_default();
                    let mapped = if matches!(&*filter, "states" | "state_attr") {
                        return self.states_of(&list, &filter, rest, at);
                    } else {
                        self.filter(item, &filter, rest, named, at)?
                    };
                    of_list(format!("{list_text}.map(|x| {})", Self::item_text(&mapped)), Kind::List)
                }
            },
            _ => self.selected(&list, name, arguments, at),
        }
    }

    /// Returns the keys of a map: in their order where that is written out.
    pub(super) fn keys(map: &Written) -> Written {
        match &map.members {
            Some(members) => {
                let keys: Vec<String> = members.iter().map(|(key, _)| quoted(key)).collect();
                Written::atom(format!("[{}]", keys.join(", ")), Kind::List)
            }
            None => Written::atom(format!("{}.keys()", map.at(level::ATOM)), Kind::List),
        }
    }

    /// Returns a value as a list: state objects as records.
    fn as_list(&mut self, value: Written, name: &str, at: usize) -> Answer {
        match &value.kind {
            // Those of an area or a label are ids; those of `expand` are state objects.
            Kind::States(_) if !value.text.is_empty() => Ok(Written::atom(value.text, Kind::List)),
            Kind::States(ids) => {
                let ids = ids.clone();
                self.records(&ids, at)
            }
            Kind::Domain(domain) => match self.ids_of_domain(domain) {
                Some(ids) => self.records(&ids, at),
                None => refuse(
                    at,
                    format!(
                        "all of `states.{domain}` aren't known without the registries (`.storage`): name the entities"
                    ),
                ),
            },
            Kind::Root("states") => refuse(at, "all states of Home Assistant aren't known here: name the entities"),
            Kind::Text | Kind::Reading(_)
                if matches!(name, "length" | "count" | "list" | "first" | "last" | "reverse") =>
            {
                Ok(Written::new(
                    value.as_text(),
                    Kind::Text,
                    if value.kind == Kind::Text { value.level } else { level::ATOM },
                ))
            }
            Kind::List | Kind::Any | Kind::Map | Kind::Records => Ok(value),
            _ => refuse(at, format!("`{name}` needs a list")),
        }
    }

    /// Returns the entities of a domain, if all of them are known.
    pub(super) fn ids_of_domain(&self, domain: &str) -> Option<Vec<String>> {
        let home = self.scope.home;
        let known = home.registries.entities.keys().chain(home.entities.keys());
        let ids: std::collections::BTreeSet<String> =
            known.filter(|id| id.split('.').next() == Some(domain)).cloned().collect();
        let are_known = home.registries.are_there || home.has_file;
        (are_known && !ids.is_empty()).then(|| ids.into_iter().collect())
    }

    /// Returns the records of state objects.
    fn records(&mut self, ids: &[String], at: usize) -> Answer {
        let mut texts = Vec::new();
        for id in ids {
            let state = self.state(id, at)?;
            let entity = self.scope.home.entity(id);
            let plain = quoted(&entity.object().replace('_', " "));
            let name = match Home::friendly_name(&entity) {
                Some(name) => quoted(&name),
                None if !self.reads_names => plain,
                None => match self.scope.home.field(&entity, Some("friendly_name")) {
                    Ok(field) => format!("({} ?? {plain})", field.expression),
                    Err(_) => plain,
                },
            };
            let state = state.as_text();
            let attributes = self.attributes_of(id);
            let mut parts = format!("entity_id: {}, state: {state}, name: {name}", quoted(id));
            if self.reads_domains {
                let (domain, object) = (quoted(entity.domain()), quoted(entity.object()));
                let _ = write!(parts, ", domain: {domain}, object_id: {object}");
            }
            texts.push(format!("#{{ {parts}{attributes} }}"));
        }
        Ok(Written::atom(format!("[{}]", texts.join(", ")), Kind::Records))
    }

    /// Returns the attributes of an entity that the template reads, as a part of its record.
    fn attributes_of(&self, id: &str) -> String {
        if self.attributes.is_empty() {
            return String::new();
        }
        let home = self.scope.home;
        let entity = home.entity(id);
        let class = home.registries.entities.get(id).and_then(|registered| registered.class.as_deref());
        let one = |name: &String| {
            let value = match (name.as_str(), class) {
                ("device_class", Some(class)) => quoted(class),
                _ => home.field(&entity, Some(name)).map_or_else(|_| "()".to_owned(), |field| field.expression),
            };
            format!("{}: {value}", key_of(name))
        };
        let each: Vec<String> = self.attributes.iter().map(one).collect();
        format!(", attributes: #{{ {} }}", each.join(", "))
    }

    /// Returns `map('states')` of a list of entity ids that is known.
    fn states_of(&mut self, list: &Written, filter: &str, rest: &[Expression], at: usize) -> Answer {
        let unknown = || refuse(at, "entity ids that are computed aren't translated");
        let attribute = match (filter, rest) {
            ("state_attr", [attribute]) => Some(self.expression(attribute)?.constant),
            _ => None,
        };
        if list.kind == Kind::Records {
            return refuse(
                at,
                format!("`map('{filter}')` of state objects isn't translated: use `map(attribute='state')`"),
            );
        }
        // Of state objects that were chosen by what they are, only the ids were left.
        let chosen = [".map(|x| x.entity_id)", ".map(|x| x?.entity_id)"];
        if let Some(records) = chosen.iter().find_map(|end| list.text.strip_suffix(end))
            && records.starts_with("[#{ entity_id: ")
        {
            let member = match &attribute {
                None => Some("state".to_owned()),
                Some(Some(name)) if name == "friendly_name" => Some("name".to_owned()),
                Some(Some(name)) if self.attributes.contains(name) => Some(format!("attributes?.{name}")),
                Some(_) => None,
            };
            let Some(member) = member else { return unknown() };
            return Ok(Written::atom(format!("{records}.map(|x| x.{member})"), Kind::List));
        }
        let inner = list.text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let Some(inner) = inner.filter(|_| filter == "states" && rest.is_empty() || attribute.is_some()) else {
            return unknown();
        };
        let mut texts = Vec::new();
        for id in inner.split(", ") {
            let id = id.trim_matches(['\'', '"']);
            if !id.contains('.') || id.contains(' ') {
                return unknown();
            }
            texts.push(match &attribute {
                None => self.state(id, at)?.as_text(),
                Some(Some(attribute)) => self.entity_attribute(id, attribute, at)?.text,
                Some(None) => return unknown(),
            });
        }
        Ok(Written::atom(format!("[{}]", texts.join(", ")), Kind::List))
    }

    /// Returns `map(attribute='…')`.
    fn mapped(&self, list: &Written, attribute: &Written, at: usize) -> Answer {
        let Some(name) = &attribute.constant else {
            return refuse(at, "an attribute that is computed isn't translated");
        };
        let member = self
            .member_of(list, name)
            .ok_or(super::Refusal { at, message: format!("`{name}` of state objects isn't translated") })?;
        Ok(Written::atom(format!("{}.map(|x| {member})", list.at(level::ATOM)), Kind::List))
    }

    fn member_of(&self, list: &Written, name: &str) -> Option<String> {
        let is_kept = name.strip_prefix("attributes.").is_some_and(|name| self.attributes.contains(name));
        if !is_kept
            && list.kind == Kind::Records
            && !matches!(name, "entity_id" | "state" | "name" | "domain" | "object_id" | "attributes.friendly_name")
        {
            return None;
        }
        let name = name.strip_prefix("attributes.friendly_").unwrap_or(name);
        let mut text = String::from("x");
        for part in name.split('.') {
            if is_name(part) {
                text.push_str("?.");
                text.push_str(part);
            } else {
                let _ = write!(text, "[{}]", quoted(part));
            }
        }
        Some(text)
    }

    /// Returns `select`, `reject`, `selectattr` and `rejectattr`.
    fn selected(&mut self, list: &Written, name: &str, arguments: &[Expression], at: usize) -> Answer {
        if let Some(found) = self.selected_texts(list, name, arguments) {
            return Ok(found);
        }
        let mut rest = arguments;
        let item = if name.ends_with("attr") {
            let Some((attribute, tests)) = arguments.split_first() else {
                return refuse(at, format!("`{name}` needs an attribute"));
            };
            rest = tests;
            let Some(attribute) = self.expression(attribute)?.constant else {
                return refuse(at, "an attribute that is computed isn't translated");
            };
            let Some(member) = self.member_of(list, &attribute) else {
                return refuse(at, format!("`{attribute}` of state objects isn't translated"));
            };
            let is_text = list.kind == Kind::Records && !attribute.starts_with("attributes.");
            let kind = if is_text { Kind::Text } else { Kind::Any };
            Written::atom(member, kind)
        } else {
            Written::atom("x", Kind::Any)
        };
        let condition = match rest.split_first() {
            None => item.as_bool(),
            Some((test, rest)) => {
                let Some(test) = self.expression(test)?.constant else {
                    return refuse(at, format!("`{name}` needs a test"));
                };
                if test == "is_state" {
                    let (Some(wanted), Kind::List) = (rest.first(), &list.kind) else {
                        return refuse(at, "`is_state` as a test needs a list of entity ids and a state");
                    };
                    return self.select_states(list, name, wanted, at);
                }
                self.test(&item, &test, rest, at)?
            }
        };
        let condition = if name.starts_with("reject") { Self::not(&condition) } else { condition };
        let kind = if list.kind == Kind::Records { Kind::Records } else { Kind::List };
        Ok(Written::atom(format!("{}.filter(|x| {})", list.at(level::ATOM), condition.text), kind))
    }

    /// Returns those of a list of known texts that are selected, if each is known to be or not.
    fn selected_texts(&mut self, list: &Written, name: &str, arguments: &[Expression]) -> Option<Written> {
        if list.kind != Kind::List || !matches!(name, "select" | "reject") {
            return None;
        }
        let texts = ids_of_list(&list.text).filter(|texts| !texts.is_empty())?;
        let (test, rest) = arguments.split_first()?;
        let test = self.expression(test).ok()?.constant.filter(|test| test != "is_state")?;
        let mut found = Vec::new();
        for text in texts {
            let is_so = match &*test {
                "match" | "search" => {
                    self.filter(Written::constant(&text), &format!("regex_{test}"), rest, &[], 0).ok()?
                }
                _ => self.test(&Written::constant(&text), &test, rest, 0).ok()?,
            };
            match &*is_so.text {
                "true" | "false" if (is_so.text == "true") == (name == "select") => found.push(quoted(&text)),
                "true" | "false" => {}
                _ => return None,
            }
        }
        Some(Written::atom(format!("[{}]", found.join(", ")), Kind::List))
    }

    /// Returns those of a list of entity ids that are in a state.
    fn select_states(&mut self, list: &Written, name: &str, wanted: &Expression, at: usize) -> Answer {
        let wanted = self.expression(wanted)?;
        let inner = list.text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or_default();
        let ids: Vec<String> = inner.split(", ").map(|id| id.trim_matches(['\'', '"']).to_owned()).collect();
        if ids.iter().any(|id| !id.contains('.') || id.contains(' ')) {
            return refuse(at, "entity ids that are computed aren't translated");
        }
        let records = self.records(&ids, at)?;
        let sign = if name == "reject" { "!=" } else { "==" };
        Ok(Written::atom(
            format!("{}.filter(|x| x.state {sign} {}).map(|x| x.entity_id)", records.text, wanted.as_text()),
            Kind::List,
        ))
    }

    /// Returns `expand(…)`: the state objects of entities, groups written out.
    pub(super) fn expand(&mut self, arguments: &[Expression], at: usize) -> Answer {
        let given: Vec<Written> =
            arguments.iter().map(|argument| self.expression(argument)).collect::<Result<_, _>>()?;
        self.expanded(&given, at)
    }

    /// Returns the state objects of entities, groups written out.
    #[expect(clippy::match_same_arms, reason = "an arm for each way to name entities")]
    pub(super) fn expanded(&mut self, given: &[Written], at: usize) -> Answer {
        let mut ids: Vec<String> = Vec::new();
        for written in given {
            match (&written.kind, &written.constant) {
                (Kind::State(id), _) => ids.push(id.clone()),
                (Kind::States(more), _) => ids.extend(more.iter().cloned()),
                (_, Some(id)) => ids.push(id.clone()),
                (Kind::List, _) => {
                    let inner =
                        written.text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or_default();
                    ids.extend(
                        inner.split(", ").filter(|id| !id.is_empty()).map(|id| id.trim_matches(['\'', '"']).to_owned()),
                    );
                }
                _ => return refuse(at, "`expand` of something computed isn't translated"),
            }
        }
        // In the order in which Home Assistant looks them up: the last one first.
        let mut found: Vec<String> = Vec::new();
        while let Some(id) = ids.pop() {
            if !id.contains('.') || id.contains(' ') {
                return refuse(at, "`expand` of something computed isn't translated");
            }
            match self.scope.home.entity(&id).source {
                Source::Derived { members, .. } if id.starts_with("group.") => ids.extend(members),
                _ if id.starts_with("group.") => {
                    return refuse(at, format!("the members of `{id}` aren't known: it isn't in this configuration"));
                }
                _ if found.contains(&id) => {}
                _ => found.push(id),
            }
            if found.len() > MOST_ENTITIES {
                return refuse(at, "these are far too many entities");
            }
        }
        Ok(Written::atom("", Kind::States(found)))
    }
}

/// Returns the texts of a list that is written out, if it's one of texts only.
pub(super) fn ids_of_list(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    if inner.is_empty() {
        return Some(Vec::new());
    }
    let text = |part: &str| {
        let part = part.strip_prefix('\'')?.strip_suffix('\'')?;
        (!part.contains(['\'', '\\', '$'])).then(|| part.to_owned())
    };
    inner.split(", ").map(text).collect()
}
