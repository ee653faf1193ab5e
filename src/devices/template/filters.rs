//! The filters, functions and tests that Home Assistant adds to Jinja, and those of Jinja that Python does another way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Kwargs, Rest, Value as Jinja, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::convert::{from_jinja, text_of, to_jinja};
use super::methods::{bounded, replaced};
use super::numbers::{float, int, round, truncated};
use super::printf::percent;
use super::regexes::{regex, replacement};
use crate::model::{Map, Value};

type Given = Result<Jinja, Error>;

/// Registers all of them.
pub(super) fn register(environment: &mut Environment<'static>) {
    numbers(environment);
    texts(environment);
    patterns(environment);
    lists(environment);
    others(environment);
}

/// What a message doesn't have: nothing is said.
fn nothing(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.to_owned())
}

/// Returns `default` where there is one, as Home Assistant's filters do for what isn't a number.
fn or(value: &Jinja, default: Option<Jinja>, kwargs: &Kwargs) -> Given {
    if value.is_undefined() {
        return Err(nothing("it isn't there"));
    }
    default.or_else(|| kwargs.get("default").ok()).ok_or_else(|| nothing("not a number, and no default"))
}

fn numbers(environment: &mut Environment<'static>) {
    // Longer than most: one row for each filter reads best in one place.
    let to_float = |value: Jinja, default: Option<Jinja>, kwargs: Kwargs| match float(&value) {
        Some(number) => Ok(Jinja::from(number)),
        None => or(&value, default, &kwargs),
    };
    environment.add_filter("float", to_float);
    environment.add_function("float", to_float);
    let to_int = |value: Jinja, default: Option<Jinja>, base: Option<u32>, kwargs: Kwargs| {
        let base = base.or_else(|| kwargs.get("base").ok()).unwrap_or(10);
        int(&value, base).map_or_else(|| or(&value, default, &kwargs), |number| Ok(Jinja::from(number)))
    };
    environment.add_filter("int", to_int);
    environment.add_function("int", to_int);
    environment.add_filter("round", rounded);
    environment.add_filter("abs", |value: Jinja| match float(&value) {
        Some(_) if value.kind() == ValueKind::String => Err(nothing("not a number")),
        Some(number) if value.kind() == ValueKind::Bool => Ok(Jinja::from(truncated(number))),
        Some(_) if value.is_integer() => {
            i64::try_from(value).map(|number| Jinja::from(number.saturating_abs())).map_err(|_| nothing("too large"))
        }
        Some(number) => Ok(Jinja::from(number.abs())),
        None => Err(nothing("not a number")),
    });
    environment.add_filter("multiply", |value: Jinja, by: f64, default: Option<Jinja>, kwargs: Kwargs| {
        float(&value).map_or_else(|| or(&value, default, &kwargs), |number| Ok(Jinja::from(number * by)))
    });
    environment.add_filter("add", |value: Jinja, with: f64, default: Option<Jinja>, kwargs: Kwargs| {
        float(&value).map_or_else(|| or(&value, default, &kwargs), |number| Ok(Jinja::from(number + with)))
    });
    for (name, function) in [
        ("sin", f64::sin as fn(f64) -> f64),
        ("cos", f64::cos),
        ("tan", f64::tan),
        ("asin", f64::asin),
        ("acos", f64::acos),
        ("atan", f64::atan),
        ("sqrt", f64::sqrt),
    ] {
        let apply = move |value: Jinja, default: Option<Jinja>, kwargs: Kwargs| {
            let number = float(&value).map(function).filter(|number| !number.is_nan());
            number.map_or_else(|| or(&value, default, &kwargs), |number| Ok(Jinja::from(number)))
        };
        environment.add_filter(name, apply);
        environment.add_function(name, apply);
    }
    let log = |value: Jinja, base: Option<f64>, default: Option<Jinja>, kwargs: Kwargs| {
        let number = float(&value).filter(|number| *number > 0.0);
        let logarithm = number.map(|number| base.map_or_else(|| number.ln(), |base| number.ln() / base.ln()));
        logarithm.map_or_else(|| or(&value, default, &kwargs), |number| Ok(Jinja::from(number)))
    };
    environment.add_filter("log", log);
    environment.add_function("log", log);
    for (name, value) in [("pi", std::f64::consts::PI), ("e", std::f64::consts::E), ("tau", std::f64::consts::TAU)] {
        environment.add_global(name, value);
    }
    for (name, operation) in [
        ("bitwise_and", (|a, b| a & b) as fn(i64, i64) -> i64),
        ("bitwise_or", |a, b| a | b),
        ("bitwise_xor", |a, b| a ^ b),
    ] {
        environment.add_filter(name, move |a: Jinja, b: Jinja| match (whole(&a), whole(&b)) {
            (Some(a), Some(b)) => Ok(operation(a, b)),
            _ => Err(nothing("not whole numbers")),
        });
    }
    environment.add_filter("ord", |value: &str| {
        let mut letters = value.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => Ok(u32::from(letter)),
            _ => Err(nothing("not one letter")),
        }
    });
    let is_number = |value: Jinja| {
        if value.is_undefined() {
            return Err(nothing("it isn't there"));
        }
        Ok(float(&value).is_some_and(f64::is_finite))
    };
    environment.add_test("number", |value: Jinja| matches!(value.kind(), ValueKind::Number | ValueKind::Bool));
    environment.add_filter("is_number", is_number);
    environment.add_function("is_number", is_number);
    environment.add_test("is_number", is_number);
}

/// Returns the whole number that a value is.
fn whole(value: &Jinja) -> Option<i64> {
    let is_whole = value.kind() == ValueKind::Bool || value.is_integer();
    is_whole.then(|| float(value).map(truncated)).flatten().and_then(|number| i64::try_from(number).ok())
}

/// Home Assistant's `round`: a whole number for no digits, and methods that go one way.
fn rounded(value: Jinja, digits: Option<i32>, method: Option<&str>, default: Option<Jinja>, kwargs: Kwargs) -> Given {
    let digits = digits.or_else(|| kwargs.get("precision").ok()).unwrap_or(0);
    let named: Option<String> = kwargs.get("method").ok();
    let Some(number) = float(&value).filter(|number| number.is_finite()) else { return or(&value, default, &kwargs) };
    let unit = 10f64.powi(digits.clamp(-300, 300));
    let result = match method.or(named.as_deref()) {
        Some("ceil") => (number * unit).ceil() / unit,
        Some("floor") => (number * unit).floor() / unit,
        Some("half") => (number * 2.0).round_ties_even() / 2.0,
        _ => round(number, digits),
    };
    Ok(if digits == 0 { Jinja::from(truncated(result)) } else { Jinja::from(result) })
}

fn texts(environment: &mut Environment<'static>) {
    environment.add_filter("string", |value: Jinja| text_of(&value));
    environment.add_filter("lower", |value: Jinja| text_of(&value).to_lowercase());
    environment.add_filter("upper", |value: Jinja| text_of(&value).to_uppercase());
    environment.add_filter("title", |value: Jinja| title(&text_of(&value)));
    environment.add_filter("wordcount", |value: Jinja| {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        text_of(&value).split(|letter: char| !is_word(letter)).filter(|word| !word.is_empty()).count()
    });
    environment.add_filter("truncate", truncate);
    environment.add_filter("trim", |value: Jinja, letters: Option<&str>| {
        let text = text_of(&value);
        letters.map_or_else(
            || text.trim().to_owned(),
            |letters| text.trim_matches(|letter| letters.contains(letter)).to_owned(),
        )
    });
    environment.add_filter("replace", |value: Jinja, from: Jinja, to: Jinja, _: Rest<Jinja>| {
        replaced(&text_of(&value), &text_of(&from), &text_of(&to))
    });
    environment.add_filter("format", |value: Jinja, values: Rest<Jinja>| {
        percent(&text_of(&value), &values).ok_or_else(|| nothing("a format that isn't one"))
    });
    environment.add_filter("indent", |value: Jinja, _: Rest<Jinja>| text_of(&value));
    environment.add_filter("join", |value: Jinja, separator: Option<&str>| {
        let items: Vec<String> = value.try_iter()?.map(|item| text_of(&item)).collect();
        bounded(items.join(separator.unwrap_or_default()))
    });
    environment.add_filter("base64_encode", |value: Jinja| bounded(STANDARD.encode(text_of(&value))));
    environment.add_filter("base64_decode", |value: Jinja| {
        let bytes = STANDARD.decode(text_of(&value)).map_err(|_| nothing("not base64"))?;
        String::from_utf8(bytes).map_err(|_| nothing("not a text"))
    });
    let slugify = |value: Jinja| {
        let plain: String = text_of(&value)
            .to_lowercase()
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
            .collect();
        plain.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
    };
    environment.add_filter("slugify", slugify);
    environment.add_function("slugify", slugify);
}

/// Jinja's `title`: a word begins after a space, a dash or an opening bracket.
fn title(text: &str) -> String {
    let mut titled = String::new();
    let mut begins = true;
    for letter in text.chars() {
        if begins {
            titled.extend(letter.to_uppercase());
        } else {
            titled.extend(letter.to_lowercase());
        }
        begins = letter.is_whitespace() || matches!(letter, '-' | '(' | '{' | '[' | '<');
    }
    titled
}

/// Jinja's `truncate`: whole words, unless `killwords` says otherwise.
fn truncate(
    value: Jinja,
    length: Option<usize>,
    killwords: Option<bool>,
    end: Option<&str>,
    leeway: Option<usize>,
) -> String {
    let (text, length, end) = (text_of(&value), length.unwrap_or(255), end.unwrap_or("..."));
    if text.chars().count() <= length.saturating_add(leeway.unwrap_or(5)) {
        return text;
    }
    let kept: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    match kept.rsplit_once(' ') {
        Some((words, _)) if !killwords.unwrap_or(false) => format!("{words}{end}"),
        _ => format!("{kept}{end}"),
    }
}

fn patterns(environment: &mut Environment<'static>) {
    // Python's `match` is anchored at the begin.
    let matches = |value: Jinja, find: Option<&str>, ignores_case: Option<bool>| -> Result<bool, Error> {
        let anchored = format!("^(?:{})", find.unwrap_or_default());
        Ok(regex(&anchored, ignores_case.unwrap_or(false))?.is_match(&text_of(&value)))
    };
    environment.add_filter("regex_match", matches);
    environment.add_test("match", matches);
    let search = |value: Jinja, find: Option<&str>, ignores_case: Option<bool>| -> Result<bool, Error> {
        Ok(regex(find.unwrap_or_default(), ignores_case.unwrap_or(false))?.is_match(&text_of(&value)))
    };
    environment.add_filter("regex_search", search);
    environment.add_test("search", search);
    environment.add_filter(
        "regex_replace",
        |value: Jinja, find: Option<&str>, replace: Option<&str>, ignores_case: Option<bool>, kwargs: Kwargs| {
            let named = |name| kwargs.get::<Option<String>>(name).ok().flatten();
            let (find, replace) = (
                find.map(str::to_owned).or_else(|| named("find")),
                replace.map(str::to_owned).or_else(|| named("replace")),
            );
            let regex = regex(&find.unwrap_or_default(), ignores_case.unwrap_or(false))?;
            bounded(regex.replace_all(&text_of(&value), replacement(&replace.unwrap_or_default())).into_owned())
        },
    );
    environment.add_filter("regex_findall", |value: Jinja, find: Option<&str>, ignores_case: Option<bool>| {
        Ok::<_, Error>(to_jinja(&found(&text_of(&value), find.unwrap_or_default(), ignores_case.unwrap_or(false))?))
    });
    environment.add_filter(
        "regex_findall_index",
        |value: Jinja, find: Option<&str>, index: Option<i64>, ignores_case: Option<bool>| {
            let found = to_jinja(&found(&text_of(&value), find.unwrap_or_default(), ignores_case.unwrap_or(false))?);
            let index = index.unwrap_or(0);
            let length = i64::try_from(found.len().unwrap_or(0)).unwrap_or(0);
            let item = found.get_item(&Jinja::from(if index < 0 { length + index } else { index }))?;
            if item.is_undefined() { Err(nothing("the pattern isn't found")) } else { Ok(item) }
        },
    );
}

/// Returns what Python's `findall` gives: the matches, their only group, or lists of their groups.
fn found(text: &str, pattern: &str, ignores_case: bool) -> Result<Value, Error> {
    const MOST: usize = 1000;
    let regex = regex(pattern, ignores_case)?;
    let group = |captures: &regex::Captures<'_>, at| captures.get(at).map_or("", |found| found.as_str()).into();
    let all = regex.captures_iter(text).take(MOST).map(|captures| match captures.len() {
        1 => group(&captures, 0),
        2 => group(&captures, 1),
        count => Value::List((1..count).map(|at| group(&captures, at)).collect::<Vec<Value>>().into()),
    });
    Ok(Value::List(all.collect::<Vec<Value>>().into()))
}

fn lists(environment: &mut Environment<'static>) {
    for (name, wants_least) in [("min", true), ("max", false)] {
        environment.add_function(name, move |values: Rest<Jinja>| {
            let items: Vec<Jinja> = match values.as_slice() {
                [one] if one.kind() != ValueKind::String => one.try_iter()?.collect(),
                several => several.to_vec(),
            };
            best_of(items, wants_least)
        });
        environment
            .add_filter(name, move |list: Jinja, _: Rest<Jinja>| best_of(list.try_iter()?.collect(), wants_least));
    }
    let average = |value: Jinja, rest: Rest<Jinja>| {
        let items: Vec<Jinja> = if value.kind() == ValueKind::Seq {
            value.try_iter()?.collect()
        } else {
            [vec![value], rest.to_vec()].concat()
        };
        let numbers: Vec<f64> = items.iter().filter_map(float).collect();
        let count = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        if numbers.is_empty() {
            Err(nothing("an empty list"))
        } else {
            Ok(numbers.iter().sum::<f64>() / f64::from(count))
        }
    };
    environment.add_filter("average", average);
    environment.add_function("average", average);
    let contains = |list: Jinja, value: Jinja| match list.as_str() {
        Some(text) => Ok(text.contains(&text_of(&value))),
        None if list.kind() == ValueKind::Map => list.get_item(&value).map(|found| !found.is_undefined()),
        None => list.try_iter().map(|mut items| items.any(|item| item == value)),
    };
    environment.add_filter("contains", contains);
    environment.add_test("contains", contains);
    environment.add_function("dict", dict);
    environment.add_function("zip", |lists: Rest<Jinja>| {
        let lists: Vec<Vec<Jinja>> =
            lists.iter().map(|list| Ok(list.try_iter()?.collect())).collect::<Result<_, Error>>()?;
        let shortest = lists.iter().map(Vec::len).min().unwrap_or(0);
        let row = |at: usize| lists.iter().filter_map(|list| list.get(at).cloned()).collect::<Jinja>();
        Ok::<_, Error>((0..shortest).map(row).collect::<Jinja>())
    });
    environment.add_test("list", |value: Jinja| value.kind() == ValueKind::Seq);
}

/// Returns the least or the most of a list, whose items must be of one kind.
fn best_of(items: Vec<Jinja>, wants_least: bool) -> Given {
    let is_number = |item: &Jinja| matches!(item.kind(), ValueKind::Number | ValueKind::Bool);
    if !items.iter().all(is_number) && !items.iter().all(|item| item.kind() == ValueKind::String) {
        return Err(nothing("values that can't be compared"));
    }
    let best = if wants_least { items.into_iter().min() } else { items.into_iter().max() };
    // An empty list has none, which is written as nothing.
    Ok(best.unwrap_or_default())
}

/// Returns the map of pairs, and of named arguments.
pub(super) fn dict(pairs: Option<Jinja>, named: Kwargs) -> Given {
    let mut entries = Map::default();
    if let Some(pairs) = pairs {
        for pair in pairs.try_iter()? {
            let (key, value) = match pairs.kind() {
                ValueKind::Map => (pair.clone(), pairs.get_item(&pair)?),
                _ => (pair.get_item_by_index(0)?, pair.get_item_by_index(1)?),
            };
            entries.insert(text_of(&key).into(), from_jinja(&value).unwrap_or_default());
        }
    }
    for name in named.args() {
        let value: Jinja = named.get(name)?;
        entries.insert(name.into(), from_jinja(&value).unwrap_or_default());
    }
    Ok(to_jinja(&Value::Map(entries.into())))
}

fn others(environment: &mut Environment<'static>) {
    // Longer than most: one row for each filter reads best in one place.
    environment.add_filter(
        "is_defined",
        |value: Jinja| if value.is_undefined() { Err(nothing("it isn't there")) } else { Ok(value) },
    );
    let to_bool = |value: Jinja, default: Option<Jinja>, kwargs: Kwargs| match boolean(&value) {
        Some(flag) => Ok(Jinja::from(flag)),
        None => or(&value, default, &kwargs),
    };
    environment.add_filter("bool", to_bool);
    environment.add_function("bool", to_bool);
    let iif = |value: Jinja, yes: Option<Jinja>, no: Option<Jinja>, none: Option<Jinja>| match none {
        Some(none) if value.is_none() => none,
        _ if value.is_true() => yes.unwrap_or_else(|| Jinja::from(true)),
        _ => no.unwrap_or_else(|| Jinja::from(false)),
    };
    environment.add_filter("iif", iif);
    environment.add_function("iif", iif);
    environment.add_filter("from_json", |value: Jinja| {
        let text = text_of(&value);
        match Value::from_payload(text.as_bytes()) {
            Value::Text(same) if *same == *text => Err(nothing("not JSON")),
            value => Ok(to_jinja(&value)),
        }
    });
    environment.add_filter("to_json", |value: Jinja, _: Kwargs| {
        let value = from_jinja(&value).ok_or_else(|| nothing("it isn't there"))?;
        Ok::<_, Error>(value.to_json().to_string())
    });
    environment.add_filter("tojson", |value: Jinja, _: Kwargs| {
        let value = from_jinja(&value).ok_or_else(|| nothing("it isn't there"))?;
        Ok::<_, Error>(spaced_json(&value))
    });
    let typeof_ = |value: Jinja| match value.kind() {
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Map => "dict",
        ValueKind::None => "NoneType",
        ValueKind::Undefined => "Undefined",
        _ => "list",
    };
    environment.add_filter("typeof", typeof_);
    environment.add_function("typeof", typeof_);
    let timestamp = |value: Jinja, default: Option<Jinja>, kwargs: Kwargs| {
        let at = value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let seconds =
            at.map(|at| at.as_duration().as_secs_f64()).or_else(|| value.is_number().then(|| float(&value)).flatten());
        seconds.map_or_else(|| or(&value, default, &kwargs), |seconds| Ok(Jinja::from(seconds)))
    };
    environment.add_filter("as_timestamp", timestamp);
    environment.add_function("as_timestamp", timestamp);
    environment.add_filter("timestamp_utc", |value: Jinja, default: Option<Jinja>, kwargs: Kwargs| {
        let at = float(&value)
            .and_then(|seconds| jiff::Timestamp::from_second(i64::try_from(truncated(seconds)).ok()?).ok());
        at.map_or_else(
            || or(&value, default, &kwargs),
            |at| Ok(Jinja::from(at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string())),
        )
    });
}

/// Returns JSON as Jinja's `tojson` writes it: with spaces, and its keys sorted.
fn spaced_json(value: &Value) -> String {
    match value {
        Value::List(items) => format!("[{}]", items.iter().map(spaced_json).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let mut entries: Vec<(&str, &Value)> = entries.iter().map(|(key, value)| (&**key, value)).collect();
            entries.sort_by_key(|(key, _)| *key);
            let written =
                entries.iter().map(|(key, value)| format!("{}: {}", serde_json::Value::from(*key), spaced_json(value)));
            format!("{{{}}}", written.collect::<Vec<_>>().join(", "))
        }
        other => other.to_json().to_string(),
    }
}

/// Returns what Home Assistant takes for true and false.
fn boolean(value: &Jinja) -> Option<bool> {
    match value.kind() {
        ValueKind::Bool => Some(value.is_true()),
        ValueKind::Number => float(value).map(|number| number != 0.0),
        ValueKind::String => match value.as_str()?.trim().to_lowercase().as_str() {
            "1" | "true" | "yes" | "on" | "enable" => Some(true),
            "0" | "false" | "no" | "off" | "disable" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
