//! Methods of Python's texts, lists and maps, as templates call them: `value.split(',')`, `value_json.get('a')`.

use minijinja::value::{Kwargs, Rest, Value as Jinja, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

use super::convert::text_of;
use super::printf::braces;

/// The most that a method may lengthen a text to, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Calls a method that the engine doesn't know.
pub(super) fn call(_: &State<'_, '_>, value: &Jinja, method: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    match value.kind() {
        // `dict.from_keys(…)`, as zigbee2mqtt writes it.
        ValueKind::Plain if method == "from_keys" => {
            super::filters::dict(args.first().cloned(), Kwargs::from_iter([] as [(&str, Jinja); 0]))
        }
        ValueKind::String => of_text(value.as_str().unwrap_or_default(), method, args),
        ValueKind::Map => of_map(value, method, args),
        ValueKind::Seq if method == "count" || method == "index" => of_list(value, method, args),
        _ => Err(unknown(method)),
    }
}

fn unknown(method: &str) -> Error {
    // A key that isn't a function, called: nothing that this message can say.
    Error::new(ErrorKind::UnknownMethod, format!("there is no method `{method}`"))
}

fn of_text(text: &str, method: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    let first = args.first().map(text_of).unwrap_or_default();
    let strips = |letter: char| if args.is_empty() { letter.is_whitespace() } else { first.contains(letter) };
    Ok(match method {
        "lower" | "casefold" => Jinja::from(text.to_lowercase()),
        "upper" => Jinja::from(text.to_uppercase()),
        "capitalize" => {
            let mut letters = text.chars();
            let begin: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
            Jinja::from(format!("{begin}{}", letters.as_str().to_lowercase()))
        }
        "title" => Jinja::from(titled(text)),
        "strip" => Jinja::from(text.trim_matches(strips)),
        "lstrip" => Jinja::from(text.trim_start_matches(strips)),
        "rstrip" => Jinja::from(text.trim_end_matches(strips)),
        "removeprefix" => Jinja::from(text.strip_prefix(&*first).unwrap_or(text)),
        "removesuffix" => Jinja::from(text.strip_suffix(&*first).unwrap_or(text)),
        "startswith" => Jinja::from(text.starts_with(&*first)),
        "endswith" => Jinja::from(text.ends_with(&*first)),
        "isdigit" | "isnumeric" | "isdecimal" => Jinja::from(!text.is_empty() && text.chars().all(char::is_numeric)),
        "isalpha" => Jinja::from(!text.is_empty() && text.chars().all(char::is_alphabetic)),
        "isalnum" => Jinja::from(!text.is_empty() && text.chars().all(char::is_alphanumeric)),
        "find" => {
            Jinja::from(text.find(&*first).map_or(-1, |at| {
                i64::try_from(text.get(..at).map_or(0, |before| before.chars().count())).unwrap_or(-1)
            }))
        }
        "count" if !first.is_empty() => Jinja::from(text.matches(&*first).count()),
        "replace" => {
            let (from, to, _): (String, String, Rest<Jinja>) = from_args(args)?;
            Jinja::from(replaced(text, &from, &to)?)
        }
        "split" => split(text, args)?,
        "splitlines" => text.lines().map(Jinja::from).collect(),
        "join" => {
            let items: Result<Vec<String>, Error> = args
                .first()
                .ok_or_else(|| unknown(method))?
                .try_iter()
                .map(|items| items.map(|item| text_of(&item)).collect());
            Jinja::from(bounded(items?.join(text))?)
        }
        "zfill" => {
            let width = args.first().and_then(Jinja::as_usize).unwrap_or_default().min(1000);
            let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
            let missing = width.saturating_sub(text.chars().count());
            Jinja::from(format!("{sign}{}{digits}", "0".repeat(missing)))
        }
        "format" => Jinja::from(
            braces(text, args).ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "a format that isn't one"))?,
        ),
        "encode" | "decode" => Jinja::from(text),
        _ => return Err(unknown(method)),
    })
}

/// Returns what `str.split` gives: by a separator, or by white space.
fn split(text: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    let most = args.get(1).and_then(Jinja::as_usize);
    let separator = args.first().filter(|separator| !separator.is_none()).map(text_of);
    Ok(match (separator, most) {
        (Some(separator), _) if separator.is_empty() => {
            return Err(Error::new(ErrorKind::InvalidOperation, "an empty separator"));
        }
        (Some(separator), None) => text.split(&*separator).map(Jinja::from).collect(),
        (Some(separator), Some(most)) => text.splitn(most.saturating_add(1), &*separator).map(Jinja::from).collect(),
        (None, _) => text.split_whitespace().map(Jinja::from).collect(),
    })
}

/// Returns `text` with each `from` replaced.
pub(super) fn replaced(text: &str, from: &str, to: &str) -> Result<String, Error> {
    let count = if from.is_empty() { text.chars().count() + 1 } else { text.matches(from).count() };
    if count.saturating_mul(to.len()).saturating_add(text.len()) > LONGEST {
        return Err(Error::new(ErrorKind::InvalidOperation, "the text gets too long"));
    }
    Ok(text.replace(from, to))
}

/// Returns a text that isn't too long.
pub(super) fn bounded(text: String) -> Result<String, Error> {
    if text.len() > LONGEST {
        return Err(Error::new(ErrorKind::InvalidOperation, "the text gets too long"));
    }
    Ok(text)
}

/// Returns each word with a capital.
pub(super) fn titled(text: &str) -> String {
    let mut begins = true;
    let mut titled = String::new();
    for letter in text.chars() {
        if begins {
            titled.extend(letter.to_uppercase());
        } else {
            titled.extend(letter.to_lowercase());
        }
        begins = !letter.is_alphanumeric();
    }
    titled
}

fn of_map(value: &Jinja, method: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    let keys = || value.try_iter();
    Ok(match method {
        "get" => {
            let key = args.first().ok_or_else(|| unknown(method))?;
            let found = value.get_item(key)?;
            if found.is_undefined() { args.get(1).cloned().unwrap_or_else(|| Jinja::from(())) } else { found }
        }
        "keys" => keys()?.collect(),
        "values" => keys()?.map(|key| value.get_item(&key)).collect::<Result<Vec<_>, _>>()?.into_iter().collect(),
        "items" => keys()?
            .map(|key| Ok(vec![key.clone(), value.get_item(&key)?].into_iter().collect::<Jinja>()))
            .collect::<Result<Vec<Jinja>, Error>>()?
            .into_iter()
            .collect(),
        _ => return Err(unknown(method)),
    })
}

fn of_list(value: &Jinja, method: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    let wanted = args.first().ok_or_else(|| unknown(method))?;
    let mut items = value.try_iter()?;
    Ok(match method {
        "count" => Jinja::from(items.filter(|item| item == wanted).count()),
        _ => Jinja::from(
            items
                .position(|item| &item == wanted)
                .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "it isn't in the list"))?,
        ),
    })
}
