//! YAML that we write: rules and tests as a person would write them, without quotes where none are needed.

use serde_json::{Map, Value as Json};

use crate::model::Value;

use super::scalar;

/// The longest line that a map or a list on one line may have.
const WIDEST: usize = 100;

/// Something that's written as YAML.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// A value: a map or a list of it goes on one line if it fits.
    Value(Json),
    /// A map with a line for each key.
    Map(Vec<(String, Yaml)>),
    /// A list with a line for each item.
    List(Vec<Yaml>),
    /// A map on one line if it fits, else with a line for each key.
    Inline(Vec<(String, Yaml)>),
}

impl Yaml {
    /// Returns a text, which is quoted if it would be read as something else.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Yaml {
        Yaml::Value(Json::String(text.into()))
    }

    /// Returns a document: what's written here, with a line break at its end.
    #[must_use]
    pub fn document(&self) -> String {
        let mut text = String::new();
        match self {
            Yaml::Map(entries) if !entries.is_empty() => write_map(&mut text, entries, 0),
            Yaml::List(items) if !items.is_empty() => write_list(&mut text, items, 0),
            other => {
                text.push_str(&other.on_one_line());
                text.push('\n');
            }
        }
        text
    }

    /// Writes it behind `- ` or `key:`, or on the lines that follow. `column` is how far these are indented, and `used` how
    /// much of the line is taken already.
    fn write(&self, text: &mut String, column: usize, used: usize) {
        let line = self.on_one_line();
        let fits = used + 1 + line.chars().count() <= WIDEST;
        let blocks = match self {
            Yaml::Map(entries) if !entries.is_empty() => Some(Block::Map(entries.clone())),
            Yaml::List(items) if !items.is_empty() => Some(Block::List(items.clone())),
            Yaml::Inline(entries) if !fits => Some(Block::Map(entries.clone())),
            Yaml::Value(value) if !fits => Block::of(value),
            Yaml::Map(_) | Yaml::List(_) | Yaml::Inline(_) | Yaml::Value(_) => None,
        };
        match blocks {
            None => {
                text.push(' ');
                text.push_str(&line);
                text.push('\n');
            }
            Some(Block::Map(entries)) => {
                text.push('\n');
                write_map(text, &entries, column);
            }
            Some(Block::List(items)) => {
                text.push('\n');
                write_list(text, &items, column);
            }
        }
    }

    fn on_one_line(&self) -> String {
        match self {
            Yaml::Value(value) => value_on_one_line(value),
            Yaml::Map(entries) | Yaml::Inline(entries) => {
                braced(entries.iter().map(|(key, value)| format!("{}: {}", scalar_text(key), value.on_one_line())))
            }
            Yaml::List(items) => bracketed(items.iter().map(Yaml::on_one_line)),
        }
    }
}

/// What takes a line for each of its parts.
enum Block {
    Map(Vec<(String, Yaml)>),
    List(Vec<Yaml>),
}

impl Block {
    fn of(value: &Json) -> Option<Block> {
        match value {
            Json::Object(map) if !map.is_empty() => {
                Some(Block::Map(map.iter().map(|(key, value)| (key.clone(), Yaml::Value(value.clone()))).collect()))
            }
            Json::Array(items) if !items.is_empty() => {
                Some(Block::List(items.iter().cloned().map(Yaml::Value).collect()))
            }
            Json::Object(_) | Json::Array(_) | Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
        }
    }
}

fn write_map(text: &mut String, entries: &[(String, Yaml)], column: usize) {
    for (key, value) in entries {
        let start = format!("{:column$}{}:", "", scalar_text(key));
        text.push_str(&start);
        value.write(text, column + 2, start.chars().count());
    }
}

fn write_list(text: &mut String, items: &[Yaml], column: usize) {
    for item in items {
        let start = text.len();
        text.extend(std::iter::repeat_n(' ', column));
        text.push('-');
        let used = text.len() - start;
        let item_at = text.len();
        item.write(text, column + 2, used);
        // A map or a list begins on the line of its dash.
        let below = format!("\n{:width$}", "", width = column + 2);
        if text.get(item_at..).is_some_and(|written| written.starts_with(&below)) {
            text.replace_range(item_at..item_at + below.len(), " ");
        }
    }
}

fn value_on_one_line(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::String(text) => scalar_text(text),
        Json::Array(items) => bracketed(items.iter().map(value_on_one_line)),
        Json::Object(map) => object_on_one_line(map),
    }
}

fn object_on_one_line(map: &Map<String, Json>) -> String {
    braced(map.iter().map(|(key, value)| format!("{}: {}", scalar_text(key), value_on_one_line(value))))
}

fn braced(entries: impl Iterator<Item = String>) -> String {
    let entries = entries.collect::<Vec<_>>().join(", ");
    if entries.is_empty() { "{}".to_owned() } else { format!("{{ {entries} }}") }
}

fn bracketed(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// Returns a text as a scalar: without quotes if it's read as the same text.
fn scalar_text(text: &str) -> String {
    if may_be_plain(text) { text.to_owned() } else { quoted(text) }
}

fn may_be_plain(text: &str) -> bool {
    let is_inner = |letter: char| letter.is_alphanumeric() || "_-./+ ".contains(letter);
    let begins_well = text.starts_with(|letter: char| letter.is_alphanumeric() || "_/".contains(letter));
    // `a:b` is text, but `22:00` is a number to some who read YAML.
    let has_colon = text.contains(':');
    let is_name = |part: &str| part.starts_with(char::is_alphabetic) && part.chars().all(is_inner);
    let is_well_made =
        if has_colon { text.split(':').all(is_name) || is_local_time(text) } else { text.chars().all(is_inner) };
    let is_text = matches!(scalar::resolve(text), Value::Text(_));
    begins_well && is_well_made && is_text && !text.ends_with(' ') && !text.contains("  ")
}

/// Returns whether a text is a day and a time: `2024-06-01T20:10:00`.
fn is_local_time(text: &str) -> bool {
    text.parse::<jiff::civil::DateTime>().is_ok_and(|time| time.to_string() == text)
}

/// Returns a text in double quotes: as JSON, which YAML is too, without what a file of text can't hold.
fn quoted(text: &str) -> String {
    let json = Json::from(text).to_string();
    let mut quoted = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}') {
            quoted.push_str("\\u");
            let digits = format!("{:04x}", u32::from(letter));
            quoted.push_str(&digits);
        } else {
            quoted.push(letter);
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::lang::diagnostic::findings::Findings;
    use crate::lang::text::FileText;
    use crate::lang::yaml::tree::{self, Node, NodeKind};

    /// Reads what was written.
    fn read(text: &str) -> Json {
        let file = FileText::new("written.yaml".into(), text.into());
        let mut findings = Findings::new("written.yaml".into());
        let node = tree::parse(&file, &mut findings).unwrap_or_else(|| panic!("{text}"));
        to_json(&node)
    }

    fn to_json(node: &Node) -> Json {
        match &node.kind {
            NodeKind::Scalar(scalar) => scalar.value.to_json(),
            NodeKind::List(items) => items.iter().map(to_json).collect(),
            NodeKind::Map(entries) => {
                entries.iter().map(|entry| (entry.key.as_str().to_owned(), to_json(&entry.value))).collect()
            }
            NodeKind::Closure(_) => panic!("no closure was written"),
        }
    }

    #[test]
    fn it_is_written_as_a_person_would() {
        let step = |entries: &[(&str, Json)]| {
            Yaml::Inline(entries.iter().map(|(key, value)| ((*key).to_owned(), Yaml::Value(value.clone()))).collect())
        };
        let long: Vec<String> = (0..12).map(|number| format!("a rather long text {number}")).collect();
        let document = Yaml::Map(vec![
            ("rules".to_owned(), Yaml::Value(json!(["one.yaml", "sub/two.yaml:b"]))),
            (
                "tests".to_owned(),
                Yaml::Map(vec![(
                    "the lamp at 20:10".to_owned(),
                    Yaml::Map(vec![
                        ("at".to_owned(), Yaml::text("2024-06-01T20:10:00")),
                        ("given".to_owned(), step(&[("home/lux", json!(3)), ("home/+", json!("22:00"))])),
                        (
                            "steps".to_owned(),
                            Yaml::List(vec![
                                step(&[("publish", json!("home/tv")), ("payload", json!({"state": "ON", "n": null}))]),
                                step(&[("publish", json!("home/list")), ("payload", json!(long[..6]))]),
                                Yaml::Map(vec![("expect".to_owned(), Yaml::List(vec![step(&[("a", json!(" x"))])]))]),
                            ]),
                        ),
                    ]),
                )]),
            ),
        ]);
        assert_eq!(
            document.document(),
            "\
rules: [one.yaml, sub/two.yaml:b]
tests:
  \"the lamp at 20:10\":
    at: 2024-06-01T20:10:00
    given: { home/lux: 3, home/+: \"22:00\" }
    steps:
      - { publish: home/tv, payload: { state: ON, n: null } }
      - publish: home/list
        payload:
          - a rather long text 0
          - a rather long text 1
          - a rather long text 2
          - a rather long text 3
          - a rather long text 4
          - a rather long text 5
      - expect:
          - { a: \" x\" }
"
        );
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let text = prop_oneof![any::<String>(), "[a-zA-Z0-9:#,\\[\\]{} ~'\"&*!|>%@`?-]{0,12}", "true|null|0x1|1e3|-"];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            (-1e9..1e9_f64).prop_map(Json::from),
            text.clone().prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::btree_map(text.clone(), inner, 0..6)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    fn in_blocks(value: &Json) -> Yaml {
        match value {
            Json::Object(map) => Yaml::Map(map.iter().map(|(key, value)| (key.clone(), in_blocks(value))).collect()),
            Json::Array(items) => Yaml::List(items.iter().map(in_blocks).collect()),
            other => Yaml::Value(other.clone()),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(value in any_json()) {
            // A whole float is read as what it is worth.
            let expected = read(&format!("{}\n", value_on_one_line(&value)));
            prop_assert_eq!(Value::from_json(value.clone()), Value::from_json(expected.clone()));
            prop_assert_eq!(read(&in_blocks(&value).document()), expected.clone());
            prop_assert_eq!(read(&Yaml::Map(vec![("key".to_owned(), Yaml::Value(value))]).document())["key"].clone(), expected);
        }
    }
}
