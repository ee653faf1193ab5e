//! What is known of a text that is made from texts that are known: `trigger.entity_id | replace('binary_sensor', 'light')` is one
//! of as many texts as entities trigger.

use super::literal::groups;
use super::scope::{FiredKind, NOTHING};
use super::translator::Translator;
use super::written::{Branches, Kind, Written};
use crate::lang::import::home_assistant::entities::{InputKind, Source};
use crate::lang::import::home_assistant::jinja::{Expression, ExpressionKind};
use crate::lang::import::home_assistant::words::slug;

/// More texts than this aren't written out.
const MOST: usize = 24;

/// A change of a text.
pub(super) type Change = Box<dyn Fn(&str) -> Option<String>>;

/// Domains whose states are `on` and `off`.
const SWITCHES: [&str; 8] =
    ["light", "switch", "binary_sensor", "input_boolean", "fan", "automation", "schedule", "siren"];

impl Translator<'_> {
    /// Returns the states that what is read may have, if these are all known.
    pub(in crate::lang::import::home_assistant) fn states_of_reading(&self, reading: &Written) -> Vec<String> {
        let home = self.scope.home;
        let fired: Vec<&str> = self
            .scope
            .fired
            .iter()
            .filter_map(|fired| match &fired.kind {
                FiredKind::Entity { id, attribute: None, .. } => Some(id.as_str()),
                _ => None,
            })
            .collect();
        if reading.text == "value" && !self.scope.words.is_empty() {
            return self.scope.words.clone();
        }
        let ids: Vec<&str> = match &reading.entity {
            Some(id) => vec![id],
            None if matches!(&*reading.text, "value" | "old") => fired,
            None => Vec::new(),
        };
        let mut found: Vec<String> = Vec::new();
        for id in &ids {
            let entity = home.entity(id);
            let states = match &entity.source {
                Source::Input { kind: InputKind::Choice { options }, .. } => options.clone(),
                _ if SWITCHES.contains(&entity.domain()) => vec!["on".to_owned(), "off".to_owned()],
                _ => return Vec::new(),
            };
            found.extend(states);
        }
        found.sort();
        found.dedup();
        found
    }

    /// Returns what `value` may be, each text changed; `None` if it may be a text that isn't known.
    pub(super) fn each_text(&self, value: &Written, change: &dyn Fn(&str) -> Option<String>) -> Option<Written> {
        if let Some(text) = &value.constant {
            if text.contains(NOTHING) {
                return Some(value.clone());
            }
            return change(text).map(|text| Written::constant(&text));
        }
        match (&value.branches, &value.kind) {
            (Some(branches), Kind::Text) => {
                let of =
                    branches.of.iter().map(|(condition, one)| Some((condition.clone(), self.each_text(one, change)?)));
                let of = of.collect::<Option<Vec<_>>>()?;
                Some(chosen(of, self.each_text(&branches.otherwise, change)?))
            }
            (None, Kind::Reading(codec)) => {
                let states = self.states_of_reading(value);
                if states.is_empty() || states.len() > MOST {
                    return None;
                }
                let of = states
                    .iter()
                    .map(|state| Some((Self::is_state(value, codec, state), Written::constant(&change(state)?))));
                // Another state (`unavailable`) makes no name of an action or an entity.
                Some(chosen(of.collect::<Option<Vec<_>>>()?, Written::constant(NOTHING)))
            }
            _ => None,
        }
    }

    /// Returns `made`, which `change` made of `before`, with the texts that it may be.
    pub(super) fn with_texts(
        &self,
        made: Written,
        before: &Written,
        change: &dyn Fn(&str) -> Option<String>,
    ) -> Written {
        let Some(known) = self.each_text(before, change) else { return made };
        if known.constant.is_some() {
            return known;
        }
        Written { branches: known.branches, constant: None, ..made }
    }

    /// Returns two texts one behind the other, with the texts that this may be; `text` is how it's written.
    pub(super) fn with_both(&self, made: Written, left: &Written, right: &Written) -> Written {
        let both = self.each_branch(left, &|one| self.each_text(right, &|two| Some(format!("{one}{two}"))));
        match both {
            Some(known) if known.constant.is_some() => known,
            Some(known) => Written { branches: known.branches, ..made },
            None => made,
        }
    }

    fn each_branch(&self, value: &Written, inner: &dyn Fn(&str) -> Option<Written>) -> Option<Written> {
        if let Some(text) = &value.constant {
            return inner(text);
        }
        let value = self.each_text(value, &|text| Some(text.to_owned()))?;
        let branches = value.branches.as_ref()?;
        let of = branches.of.iter().map(|(condition, one)| Some((condition.clone(), self.each_branch(one, inner)?)));
        let of = of.collect::<Option<Vec<_>>>()?;
        if of.len() > MOST {
            return None;
        }
        Some(chosen(of, self.each_branch(&branches.otherwise, inner)?))
    }

    /// Returns what a filter or a method makes of a text, if that is known without running it.
    pub(super) fn change(&mut self, name: &str, arguments: &[Expression]) -> Option<Change> {
        let mut texts = Vec::new();
        for argument in arguments {
            texts.push(self.expression(argument).ok()?.constant?);
        }
        let mut texts = texts.into_iter();
        let change: Change = match (name, texts.next(), texts.next()) {
            ("lower" | "casefold", None, _) => Box::new(|text| Some(text.to_lowercase())),
            ("upper", None, _) => Box::new(|text| Some(text.to_uppercase())),
            ("trim" | "strip", None, _) => Box::new(|text| Some(text.trim().to_owned())),
            ("string", None, _) => Box::new(|text| Some(text.to_owned())),
            ("slugify", None, _) => Box::new(|text| Some(slug(text))),
            ("capitalize", None, _) => Box::new(|text| Some(capitalized(text))),
            ("title", None, _) => Box::new(|text| Some(titled(text))),
            ("replace", Some(old), Some(new)) if !old.is_empty() => {
                Box::new(move |text| Some(text.replace(&old, &new)))
            }
            ("regex_replace", Some(pattern), new) => {
                let pattern = regex::Regex::new(&pattern).ok()?;
                let new = groups(&new.unwrap_or_default());
                Box::new(move |text| Some(pattern.replace_all(text, &*new).into_owned()))
            }
            _ => return None,
        };
        Some(change)
    }

    /// Returns what `x.split(between)[index]` makes of a text, and what `x` is.
    pub(super) fn part_of(&mut self, of: &Expression, index: i64) -> Option<(Written, Change)> {
        let ExpressionKind::Call(function, arguments, _) = &of.kind else { return None };
        let ExpressionKind::Attribute(whole, name) = &function.kind else { return None };
        let [between] = arguments.as_slice() else { return None };
        let between =
            self.expression(between).ok()?.constant.filter(|between| name == "split" && !between.is_empty())?;
        let whole = self.expression(whole).ok()?;
        let change = move |text: &str| {
            let parts: Vec<&str> = text.split(&*between).collect();
            let at = if index < 0 { i64::try_from(parts.len()).ok()? + index } else { index };
            parts.get(usize::try_from(at).ok()?).map(|part| (*part).to_owned())
        };
        Some((whole, Box::new(change)))
    }
}

/// Returns a choice that stays one among texts.
fn chosen(of: Vec<(Written, Written)>, otherwise: Written) -> Written {
    let made = Written::choice(of.clone(), otherwise.clone());
    if made.constant.is_some() || made.branches.is_some() {
        return made;
    }
    Written { branches: Some(Branches { of, otherwise: Box::new(otherwise) }), kind: Kind::Text, ..made }
}

/// Returns a text as Python's `capitalize` writes it.
fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect())
}

/// Returns a text as Python's `title` writes it.
fn titled(text: &str) -> String {
    let (mut written, mut begins) = (String::new(), true);
    for letter in text.chars() {
        if begins {
            written.extend(letter.to_uppercase());
        } else {
            written.extend(letter.to_lowercase());
        }
        begins = !letter.is_alphabetic();
    }
    written
}
