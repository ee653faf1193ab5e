//! Filters, with the meanings that Home Assistant gives them.

use super::calls::named_argument;
use super::scope::NOTHING;
use super::translator::{Answer, Translator, refuse};
use super::written::{Kind, Written, level};
use crate::lang::import::home_assistant::jinja::Expression;

type Named = [(String, Expression)];

impl Translator<'_> {
    /// Returns what a filter makes of a value, with the texts that this may be.
    pub(super) fn filter(
        &mut self,
        value: Written,
        name: &str,
        arguments: &[Expression],
        named: &Named,
        at: usize,
    ) -> Answer {
        let change = if named.is_empty() { self.change(name, arguments) } else { None };
        let Some(change) = change else { return self.filtered(value, name, arguments, named, at) };
        let before = value.clone();
        if let Some(known) = before.constant.as_ref().and_then(|text| change(text)) {
            return Ok(Written::constant(&known));
        }
        let made = match self.filtered(value, name, arguments, named, at) {
            // What has no counterpart here is written out where its texts are known.
            Err(refusal) => {
                let known = self.each_text(&before, &*change).filter(|known| !known.text.contains(NOTHING));
                return known.ok_or(refusal);
            }
            Ok(made) => made,
        };
        Ok(self.with_texts(made, &before, &*change))
    }

    #[expect(clippy::too_many_lines, reason = "a table: an arm for each word")]
    fn filtered(&mut self, value: Written, name: &str, arguments: &[Expression], named: &Named, at: usize) -> Answer {
        let argument = |this: &mut Self, index: usize, key: &str| -> Result<Option<Written>, super::Refusal> {
            match arguments.get(index).or_else(|| named_argument(named, key)) {
                Some(argument) => this.expression(argument).map(Some),
                None => Ok(None),
            }
        };
        let value = match value.kind {
            Kind::Undefined if !matches!(name, "default" | "d" | "iif" | "bool") => {
                return refuse(at, "what is filtered here isn't defined");
            }
            _ => value,
        };
        match name {
            "float" => {
                let default = argument(self, 0, "default")?;
                let number = match &value.kind {
                    Kind::Int | Kind::Number | Kind::Bool => {
                        Written::atom(format!("to_float({})", value.as_number(None).text), Kind::Float)
                    }
                    _ => value.as_number(default.as_ref().map(|default| &*default.text)),
                };
                // A default that isn't a number makes it either, and a whole one is given as it is.
                let is_number = |default: &Written| matches!(default.kind, Kind::Int | Kind::Float | Kind::Number);
                let kind = if default.as_ref().is_none_or(is_number) { Kind::Float } else { Kind::Any };
                let said = default.filter(|default| default.kind == Kind::Int && number.text.starts_with("number("));
                let said = said.map(|default| format!("ha::float_or({}, {})", value.text, default.text));
                Ok(Written { kind, said, ..number })
            }
            "int" => {
                let default = argument(self, 0, "default")?;
                if arguments.len() > 1 || named_argument(named, "base").is_some() {
                    return refuse(at, "`int` with a base isn't translated");
                }
                if value.kind == Kind::Int {
                    return Ok(value);
                }
                let is_number = default
                    .as_ref()
                    .is_none_or(|default| matches!(default.kind, Kind::Int | Kind::Float | Kind::Number));
                let text = match default {
                    Some(default) => format!("ha::int_or({}, {})", value.text, default.text),
                    None => format!("ha::int({})", value.text),
                };
                Ok(Written::atom(text, if is_number { Kind::Int } else { Kind::Any }))
            }
            "bool" => {
                let default = argument(self, 0, "default")?;
                match &value.kind {
                    Kind::Bool => Ok(value),
                    Kind::Reading(crate::lang::import::home_assistant::entities::Codec::OnOff)
                        if default.as_ref().is_none_or(|default| default.text == "false") =>
                    {
                        Ok(Written::new(format!("{} == true", value.at(level::SUM)), Kind::Bool, level::COMPARE))
                    }
                    _ => {
                        let is_bool = default.as_ref().is_none_or(|default| default.kind == Kind::Bool);
                        let text =
                            if matches!(value.kind, Kind::Reading(_)) { value.as_text() } else { value.text.clone() };
                        let text = match default {
                            Some(default) => format!("ha::bool_or({text}, {})", default.text),
                            None => format!("ha::bool({text})"),
                        };
                        Ok(Written::atom(text, if is_bool { Kind::Bool } else { Kind::Any }))
                    }
                }
            }
            "default" | "d" => {
                let default = argument(self, 0, "default_value")?.unwrap_or_else(|| Written::constant(""));
                let also_false = argument(self, 1, "boolean")?.is_some_and(|boolean| boolean.text == "true");
                match &value.kind {
                    Kind::Undefined => Ok(default),
                    Kind::Time if Self::may_be_never(&value).is_some() => {
                        let at = Self::may_be_never(&value).unwrap_or_default();
                        let kind = if default.kind == Kind::Int { Kind::Float } else { Kind::Time };
                        Ok(Written::atom(format!("ha::timestamp_or({at}, {})", default.text), kind))
                    }
                    _ if also_false => Ok(Written::choice(vec![(value.as_bool(), value)], default)),
                    // Nothing is undefined that Home Assistant knows: a state is always a text.
                    Kind::Any | Kind::Fired(_) => {
                        Ok(Written::atom(format!("({} ?? {})", value.text, default.text), Kind::Any))
                    }
                    _ => Ok(value),
                }
            }
            "round" => {
                let digits = argument(self, 0, "precision")?.unwrap_or_else(|| Written::atom("0", Kind::Int));
                let method = argument(self, 1, "method")?.and_then(|method| method.constant);
                let digits_text = digits.constant.clone().unwrap_or_else(|| digits.text.clone());
                let (digits_text, method) = match digits.constant.as_deref() {
                    Some(word @ ("ceil" | "floor" | "half")) => ("0".to_owned(), Some(word.to_owned())),
                    _ => (digits_text, method),
                };
                let number = value.as_number(None).text;
                let kind = match digits_text.parse::<i64>() {
                    Ok(0) => Kind::Int,
                    Ok(_) => Kind::Float,
                    Err(_) => Kind::Number,
                };
                let text = match method.as_deref() {
                    None | Some("common") => format!("ha::round({number}, {digits_text})"),
                    Some(word @ ("ceil" | "floor" | "half")) => format!("ha::round_{word}({number}, {digits_text})"),
                    Some(other) => return refuse(at, format!("`round` has no method `{other}`")),
                };
                Ok(Written::atom(text, kind))
            }
            "lower" | "upper" | "trim" | "capitalize" | "title" | "string" | "slugify" => {
                let text = value.as_text();
                if name == "string" {
                    return Ok(Written { constant: value.constant.clone(), ..Written::atom(text, Kind::Text) });
                }
                if arguments.len() > usize::from(name == "slugify") * 9 {
                    return refuse(at, format!("`{name}` with arguments isn't translated"));
                }
                let call = match name {
                    "lower" => "to_lower",
                    "upper" => "to_upper",
                    "trim" => "trim",
                    "capitalize" => "ha::capitalize",
                    "title" => "ha::title",
                    _ => return refuse(at, "`slugify` has no counterpart here"),
                };
                let is_atom = Written::new(
                    &*text,
                    Kind::Text,
                    if value.said.is_some() || value.kind == Kind::Text { value.level } else { level::ATOM },
                );
                Ok(if call.starts_with("ha::") {
                    Written::atom(format!("{call}({text})"), Kind::Text)
                } else {
                    Written::atom(format!("{}.{call}()", is_atom.at(level::ATOM)), Kind::Text)
                })
            }
            "replace" => {
                let (Some(old), Some(new)) = (argument(self, 0, "old")?, argument(self, 1, "new")?) else {
                    return refuse(at, "`replace` needs two texts");
                };
                let text = Written::new(
                    value.as_text(),
                    Kind::Text,
                    if value.kind == Kind::Text { value.level } else { level::ATOM },
                );
                Ok(Written::atom(
                    format!("{}.replace({}, {})", text.at(level::ATOM), old.as_text(), new.as_text()),
                    Kind::Text,
                ))
            }
            "multiply" | "add" => {
                let Some(by) = argument(self, 0, "amount")? else {
                    return refuse(at, format!("`{name}` needs a number"));
                };
                let sign = if name == "multiply" { '*' } else { '+' };
                let number = value.as_number(None);
                Ok(Written::atom(format!("(to_float({}) {sign} {})", number.text, by.at(level::UNARY)), Kind::Float))
            }
            "abs" => Ok(Written {
                kind: value.kind.clone(),
                ..Written::atom(format!("abs({})", value.as_number(None).text), Kind::Number)
            }),
            "sqrt" | "sin" | "cos" | "tan" => {
                Ok(Written::atom(format!("{name}(to_float({}))", value.as_number(None).text), Kind::Float))
            }
            "log" => Ok(match argument(self, 0, "base")? {
                Some(base) => Written::atom(
                    format!("(ln(to_float({})) / ln(to_float({})))", value.as_number(None).text, base.text),
                    Kind::Float,
                ),
                None => Written::atom(format!("ln(to_float({}))", value.as_number(None).text), Kind::Float),
            }),
            "is_number" => Ok(Written::new(format!("number({}) != ()", value.text), Kind::Bool, level::COMPARE)),
            "iif" => {
                let yes = argument(self, 0, "if_true")?.unwrap_or_else(|| Written::boolean(true));
                let no = argument(self, 1, "if_false")?.unwrap_or_else(|| Written::boolean(false));
                let condition = match &value.kind {
                    Kind::Undefined => Written::boolean(false),
                    _ => value.as_bool(),
                };
                if let Some(none) = argument(self, 2, "if_none")?
                    && !matches!(value.kind, Kind::Bool)
                {
                    let is_none = Written::new(format!("{} == ()", value.at(level::SUM)), Kind::Bool, level::COMPARE);
                    return Ok(Written::choice(vec![(is_none, none), (condition, yes)], no));
                }
                Ok(Written::choice(vec![(condition, yes)], no))
            }
            "timestamp_custom" => {
                let Some(format) = argument(self, 0, "date_format")? else {
                    return refuse(at, "`timestamp_custom` needs a format");
                };
                let local = argument(self, 1, "local")?.is_none_or(|local| local.text != "false");
                let time = Self::timestamp(&value, None, Kind::Time);
                let zone = if local { "" } else { ", 'UTC'" };
                Ok(Written::atom(format!("strftime({}, {}{zone})", time.text, format.text), Kind::Text))
            }
            "timestamp_local" => {
                let time = Self::timestamp(&value, None, Kind::Time);
                Ok(Written::atom(format!("strftime({}, '%Y-%m-%dT%H:%M:%S%:z')", time.text), Kind::Text))
            }
            "timestamp_utc" => {
                let time = Self::timestamp(&value, None, Kind::Time);
                Ok(Written::atom(format!("strftime({}, '%Y-%m-%dT%H:%M:%S+00:00', 'UTC')", time.text), Kind::Text))
            }
            "as_timestamp" | "as_datetime" | "as_local" => {
                let default = argument(self, 0, "default")?;
                Ok(Self::moment(&value, default.as_ref(), name))
            }
            "relative_time" | "time_since" | "time_until" if arguments.is_empty() && named.is_empty() => {
                Self::distance(&value, name, at)
            }
            "format" => {
                let Some(format) = value.constant.clone() else {
                    return refuse(at, "`format` of a text that is computed isn't translated");
                };
                let values: Vec<Written> =
                    arguments.iter().map(|argument| self.expression(argument)).collect::<Result<_, _>>()?;
                Self::percent_format(&format, &values, at)
            }
            "regex_match" | "regex_search" | "regex_replace" | "regex_findall" | "regex_findall_index" => {
                let find = argument(self, 0, "find")?;
                let find = match (find, name) {
                    (Some(find), _) => find,
                    (None, "regex_match" | "regex_search") => Written::constant(""),
                    (None, _) => return refuse(at, format!("`{name}` needs a pattern")),
                };
                self.regex(&value, name, &find, arguments, named, at)
            }
            "from_json" => Ok(Written::atom(format!("json({})", value.as_text()), Kind::Any)),
            "to_json" | "tojson" => Ok(Written::atom(format!("to_json({})", value.text), Kind::Text)),
            "ordinal" => Ok(Written::atom(format!("ha::ordinal(ha::int({}))", value.text), Kind::Text)),
            "wordcount" => Ok(Written::atom(format!("ha::words({}).len()", value.as_text()), Kind::Int)),
            "base64_encode" | "base64_decode" | "urlencode" | "md5" | "sha1" | "sha256" => {
                refuse(at, format!("the filter `{name}` has no counterpart here"))
            }
            "expand" if arguments.is_empty() && named.is_empty() => self.expanded(&[value], at),
            "state_attr" | "states" | "is_state" | "has_value" | "expand" => {
                refuse(at, format!("write `{name}(…)` as a function: as a filter it isn't translated"))
            }
            _ => self.list_filter(value, name, arguments, named, at),
        }
    }

    fn regex(
        &mut self,
        value: &Written,
        name: &str,
        find: &Written,
        arguments: &[Expression],
        named: &Named,
        at: usize,
    ) -> Answer {
        let Some(pattern) = &find.constant else { return refuse(at, "a pattern that is computed isn't translated") };
        let ignores = match arguments.get(1).or_else(|| named_argument(named, "ignorecase")) {
            Some(flag) if name != "regex_replace" && name != "regex_findall_index" => {
                self.expression(flag)?.text == "true"
            }
            _ => match named_argument(named, "ignorecase") {
                Some(flag) => self.expression(flag)?.text == "true",
                None => false,
            },
        };
        let mut pattern = pattern.clone();
        if name == "regex_match" {
            pattern = format!("^(?:{pattern})");
        }
        if ignores {
            pattern = format!("(?i){pattern}");
        }
        if let Err(error) = regex::Regex::new(&pattern) {
            let line = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
            return refuse(at, format!("this pattern has no counterpart here: {line}"));
        }
        if let (Some(text), "regex_match" | "regex_search") = (&value.constant, name) {
            return Ok(Written::boolean(regex::Regex::new(&pattern).is_ok_and(|pattern| pattern.is_match(text))));
        }
        let pattern = super::literal::quoted(&pattern);
        let text = value.as_text();
        Ok(match name {
            "regex_match" | "regex_search" => Written::atom(format!("matches({text}, {pattern})"), Kind::Bool),
            "regex_findall" => Written::atom(format!("find_all({text}, {pattern})"), Kind::List),
            "regex_findall_index" => {
                let index = match arguments.get(1).or_else(|| named_argument(named, "index")) {
                    Some(index) => self.expression(index)?.text,
                    None => "0".to_owned(),
                };
                Written::atom(format!("find_all({text}, {pattern})[{index}]"), Kind::Any)
            }
            _ => {
                let replaced = match arguments.get(1).or_else(|| named_argument(named, "replace")) {
                    Some(new) => self.expression(new)?,
                    None => Written::constant(""),
                };
                let Some(new) = &replaced.constant else {
                    return refuse(at, "a replacement that is computed isn't translated");
                };
                Written::atom(
                    format!("replace_all({text}, {pattern}, {})", super::literal::quoted(&super::literal::groups(new))),
                    Kind::Text,
                )
            }
        })
    }
}
