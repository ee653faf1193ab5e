//! Methods of Python's texts, times and maps.

use super::literal::quoted;
use super::translator::{Answer, Translator, refuse};
use super::written::{Kind, Written, Zone, level};
use crate::lang::import::home_assistant::jinja::Expression;

impl Translator<'_> {
    pub(super) fn method(
        &mut self,
        of: &Written,
        name: &str,
        arguments: &[Expression],
        named: &[(String, Expression)],
        at: usize,
    ) -> Answer {
        if of.kind == Kind::Time && name == "replace" {
            return self.time_replace(of, arguments, named, at);
        }
        if !named.is_empty() && name != "format" {
            return refuse(at, format!("`.{name}(…)` with named arguments isn't translated"));
        }
        let values: Vec<Written> = arguments.iter().map(|value| self.expression(value)).collect::<Result<_, _>>()?;
        if matches!(of.kind, Kind::Text | Kind::Reading(_))
            && let Some(change) = self.change(name, arguments)
        {
            let made = Self::method_of(of, name, &values, named, at)?;
            return Ok(self.with_texts(made, of, &*change));
        }
        Self::method_of(of, name, &values, named, at)
    }

    fn method_of(of: &Written, name: &str, values: &[Written], named: &[(String, Expression)], at: usize) -> Answer {
        match &of.kind {
            Kind::Time => return Self::time_method(of, name, values, at),
            Kind::Span if name == "total_seconds" => {
                return Ok(Written { kind: Kind::Float, ..of.clone() });
            }
            Kind::Map | Kind::Any if matches!(name, "get" | "keys" | "values" | "items") => {
                return match (name, values) {
                    ("get", [key]) => {
                        let text = format!("{}[{}]", of.at(level::ATOM), key.as_text());
                        Ok(Self::chosen_member(of, key, Written::constant(""), text))
                    }
                    ("get", [key, default]) => {
                        let text =
                            format!("({}[{}] ?? {})", of.at(level::ATOM), key.as_text(), Self::item_text(default));
                        Ok(Self::chosen_member(of, key, default.clone(), text))
                    }
                    ("items", []) => Ok(match &of.members {
                        Some(members) => {
                            let pair = |(key, value): &(String, Written)| {
                                format!("[{}, {}]", quoted(key), Self::item_text(value))
                            };
                            let pairs: Vec<String> = members.iter().map(pair).collect();
                            Written::atom(format!("[{}]", pairs.join(", ")), Kind::List)
                        }
                        None => Written::atom(format!("ha::items({})", of.text), Kind::List),
                    }),
                    ("keys", []) => Ok(Self::keys(of)),
                    ("values", []) => Ok(Written::atom(format!("{}.values()", of.at(level::ATOM)), Kind::List)),
                    _ => refuse(at, format!("`.{name}(…)` isn't translated")),
                };
            }
            Kind::Any if matches!(name, "total_seconds" | "strftime" | "timestamp" | "isoformat") => {
                let time = Written::atom(format!("ha::timestamp({})", of.text), Kind::Time);
                return Self::time_method(&time, name, values, at);
            }
            Kind::List | Kind::Records if matches!(name, "count" | "index") => {
                let [item] = values else { return refuse(at, format!("`.{name}(…)` needs one value")) };
                return Ok(Written::atom(format!("ha::{name}_in({}, {})", of.text, Self::item_text(item)), Kind::Int));
            }
            Kind::Text | Kind::Reading(_) | Kind::Any => {}
            _ => return refuse(at, format!("`.{name}(…)` of this isn't translated")),
        }
        let text = of.as_text();
        let text = if of.said.is_none() && of.kind == Kind::Text { of.at(level::ATOM) } else { text };
        let arguments: Vec<String> = values.iter().map(Written::as_text).collect();
        let found = match (name, arguments.as_slice()) {
            ("lower" | "casefold", []) => (format!("{text}.to_lower()"), Kind::Text),
            ("upper", []) => (format!("{text}.to_upper()"), Kind::Text),
            ("strip", []) => (format!("{text}.trim()"), Kind::Text),
            ("title" | "capitalize", []) => (format!("ha::{name}({text})"), Kind::Text),
            ("replace", [old, new]) => (format!("{text}.replace({old}, {new})"), Kind::Text),
            ("split", []) => (format!("ha::words({text})"), Kind::List),
            ("split", [between, _]) if values.get(1).is_some_and(|most| most.kind == Kind::Int) => {
                let most = values.get(1).map(|most| most.text.clone()).unwrap_or_default();
                (format!("ha::split_at_most({text}, {between}, {most})"), Kind::List)
            }
            ("rsplit", [between, _]) if values.get(1).is_some_and(|most| most.text == "1") => {
                (format!("ha::split_once_behind({text}, {between})"), Kind::List)
            }
            ("count", [part]) => (format!("({text}.split({part}).len() - 1)"), Kind::Int),
            ("lstrip", []) => (format!("replace_all({text}, {}, '')", quoted("^\\s+")), Kind::Text),
            ("rstrip", []) => (format!("replace_all({text}, {}, '')", quoted("\\s+$")), Kind::Text),
            ("isalpha", []) => (format!("matches({text}, {})", quoted("^\\p{L}+$")), Kind::Bool),
            ("split", [between]) => (format!("{text}.split({between})"), Kind::List),
            ("startswith", [start]) => (format!("{text}.starts_with({start})"), Kind::Bool),
            ("endswith", [end]) => (format!("{text}.ends_with({end})"), Kind::Bool),
            ("find", [part]) => (format!("{text}.index_of({part})"), Kind::Int),
            ("join", [_]) => {
                let list = values.first().map(|list| list.text.clone()).unwrap_or_default();
                (format!("ha::join({list}, {text})"), Kind::Text)
            }
            ("isdigit" | "isnumeric", []) => (format!("matches({text}, '^[0-9]+$')"), Kind::Bool),
            ("format", _) => {
                let Some(format) = &of.constant else {
                    return refuse(at, "`.format(…)` of a text that is computed isn't translated");
                };
                return brace_format(format, values, named.len(), at);
            }
            _ => return refuse(at, format!("`.{name}(…)` isn't translated")),
        };
        Ok(Written::atom(found.0, found.1))
    }

    /// Returns `.replace(hour=7, minute=0)` of a time.
    fn time_replace(
        &mut self,
        of: &Written,
        arguments: &[Expression],
        named: &[(String, Expression)],
        at: usize,
    ) -> Answer {
        const PARTS: [(&str, &str); 6] =
            [("year", "%Y"), ("month", "%m"), ("day", "%d"), ("hour", "%H"), ("minute", "%M"), ("second", "%S")];
        let is_known = |name: &String| PARTS.iter().any(|(part, _)| part == name) || name == "microsecond";
        if !arguments.is_empty() || !named.iter().all(|(name, _)| is_known(name)) {
            return refuse(at, "`.replace(…)` of a time takes `hour=`, `minute=` and the like");
        }
        let mut parts = Vec::new();
        for (part, directive) in PARTS {
            parts.push(match named.iter().find(|(name, _)| name == part) {
                Some((_, value)) => {
                    let value = self.expression(value)?;
                    if matches!(value.kind, Kind::Text | Kind::Reading(_)) {
                        return refuse(at, "`.replace(…)` of a time needs numbers, in Home Assistant too");
                    }
                    value.text
                }
                None => format!("strftime({}, '{directive}')", of.text),
            });
        }
        Ok(Written::atom(format!("ha::moment_of([{}])", parts.join(", ")), Kind::Time))
    }

    fn time_method(of: &Written, name: &str, values: &[Written], at: usize) -> Answer {
        let zone = match (of.zone, name) {
            (_, "timestamp" | "astimezone" | "as_local") | (Zone::Local, _) => "",
            (Zone::Utc, _) => ", 'UTC'",
            (Zone::AsWritten, _) => return refuse(at, "in which zone this time is isn't known here: add `| as_local`"),
        };
        let is_now = of.text == "now.unix" && zone.is_empty();
        let time = &of.text;
        let found = match (name, values) {
            ("strftime", [format]) => {
                let known = [("%H:%M:%S", "now.time"), ("%Y-%m-%d", "now.date")];
                if let Some((_, text)) =
                    known.iter().find(|(known, _)| is_now && format.constant.as_deref() == Some(*known))
                {
                    return Ok(Written::atom(*text, Kind::Text));
                }
                (format!("strftime({time}, {}{zone})", format.text), Kind::Text)
            }
            ("timestamp", []) => (time.clone(), Kind::Float),
            ("isoformat", []) => (format!("strftime({time}, '%Y-%m-%dT%H:%M:%S%:z'{zone})"), Kind::Text),
            ("weekday", []) => (format!("(ha::int(strftime({time}, '%u'{zone})) - 1)"), Kind::Int),
            ("isoweekday", []) => (format!("ha::int(strftime({time}, '%u'{zone}))"), Kind::Int),
            ("isocalendar", []) => {
                let part = |directive: &str| format!("ha::int(strftime({time}, '{directive}'{zone}))");
                (format!("[{}, {}, {}]", part("%G"), part("%V"), part("%u")), Kind::List)
            }
            ("date", []) => (format!("strftime({time}, '%Y-%m-%d'{zone})"), Kind::Text),
            ("time", []) => (format!("strftime({time}, '%H:%M:%S'{zone})"), Kind::Text),
            ("astimezone" | "as_local", _) => (time.clone(), Kind::Time),
            _ => return refuse(at, format!("`.{name}(…)` of a time isn't translated")),
        };
        Ok(Written { level: of.level.min(level::ATOM), ..Written::atom(found.0, found.1) })
    }

    pub(super) fn time_attribute(of: &Written, name: &str, at: usize) -> Answer {
        let directive = match name {
            "hour" => "%H",
            "minute" => "%M",
            "second" => "%S",
            "day" => "%d",
            "month" => "%m",
            "year" => "%Y",
            "microsecond" => return Ok(Written::atom("0", Kind::Int)),
            _ => return refuse(at, format!("`.{name}` of a time isn't translated")),
        };
        let zone = match of.zone {
            Zone::Local => "",
            Zone::Utc => ", 'UTC'",
            Zone::AsWritten => return refuse(at, "in which zone this time is isn't known here: add `| as_local`"),
        };
        if of.text == "now.unix" && zone.is_empty() {
            return Ok(Written::atom(format!("now.{name}"), Kind::Int));
        }
        Ok(Written::atom(format!("ha::int(strftime({}, '{directive}'{zone}))", of.text), Kind::Int))
    }

    /// Returns `'%.1f' | format(x)`.
    pub(super) fn percent_format(format: &str, values: &[Written], at: usize) -> Answer {
        let mut parts: Vec<String> = Vec::new();
        let mut values = values.iter();
        let mut rest = format;
        while let Some((before, after)) = rest.split_once('%') {
            if !before.is_empty() {
                parts.push(quoted(before));
            }
            if let Some(after) = after.strip_prefix('%') {
                parts.push(quoted("%"));
                rest = after;
                continue;
            }
            let end = after.find(|letter: char| letter.is_ascii_alphabetic());
            let Some((spec, rest_of)) = end.map(|end| after.split_at(end)) else {
                return refuse(at, "this format isn't translated");
            };
            let kind = rest_of.chars().next().unwrap_or_default();
            let Some(value) = values.next() else { return refuse(at, "this format needs another value") };
            parts.push(
                directive(value, spec, kind)
                    .ok_or(super::Refusal { at, message: format!("`%{spec}{kind}` isn't translated") })?,
            );
            rest = rest_of.get(1..).unwrap_or_default();
        }
        if !rest.is_empty() {
            parts.push(quoted(rest));
        }
        let level = if parts.len() == 1 { level::ATOM } else { level::SUM };
        Ok(Written::new(parts.join(" + "), Kind::Text, level))
    }
}

/// Returns one directive of a format: `%.1f`, `%02d`, `%s`.
fn directive(value: &Written, spec: &str, kind: char) -> Option<String> {
    let zeros = |text: String, spec: &str| {
        let width = spec.strip_prefix('0').unwrap_or(spec);
        if width.is_empty() {
            return Some(text);
        }
        width.parse::<u32>().ok()?;
        let fill = if spec.starts_with('0') { "'0'" } else { "' '" };
        Some(format!("ha::padded({text}, {width}, {fill})"))
    };
    match kind {
        's' if spec.is_empty() => Some(value.as_text()),
        'd' | 'i' => zeros(format!("ha::text(ha::int({}))", value.text), spec),
        'f' => {
            let (width, digits) = spec.split_once('.').unwrap_or((spec, "6"));
            digits.parse::<u32>().ok()?;
            zeros(format!("decimal({}, {digits})", value.as_number(None).text), width)
        }
        _ => None,
    }
}

/// Returns `'{} is {:.1f}'.format(a, b)`.
fn brace_format(format: &str, values: &[Written], named: usize, at: usize) -> Answer {
    if named > 0 {
        return refuse(at, "`.format(name=…)` isn't translated");
    }
    let mut parts = Vec::new();
    let mut next = 0;
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        if before.contains('}') || after.starts_with('{') {
            return refuse(at, "`{{` in a format isn't translated");
        }
        if !before.is_empty() {
            parts.push(quoted(before));
        }
        let Some((field, after)) = after.split_once('}') else { return refuse(at, "this format isn't closed") };
        let (index, spec) = field.split_once(':').unwrap_or((field, ""));
        let index = if index.is_empty() {
            next += 1;
            next - 1
        } else {
            match index.parse::<usize>() {
                Ok(index) => index,
                Err(_) => return refuse(at, format!("`{{{field}}}` isn't translated")),
            }
        };
        let Some(value) = values.get(index) else { return refuse(at, "this format needs another value") };
        let kind = match spec.chars().last() {
            None => 's',
            // A width alone: numbers stand at the right.
            Some(last) if last.is_ascii_digit() && value.kind == Kind::Int => 'd',
            Some(last) => last,
        };
        let spec = spec.strip_suffix(kind).unwrap_or(spec);
        let part = directive(value, spec, kind);
        parts.push(part.ok_or(super::Refusal { at, message: format!("`{{{field}}}` isn't translated") })?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(quoted(rest));
    }
    let level = if parts.len() == 1 { level::ATOM } else { level::SUM };
    Ok(Written::new(parts.join(" + "), Kind::Text, level))
}
