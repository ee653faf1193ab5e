//! A written expression, with what is known about its value.

use std::fmt::Write as _;

use super::literal::quoted;
use crate::lang::import::home_assistant::entities::Codec;

/// What kind of value an expression has in Home Assistant.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum Kind {
    None,
    Bool,
    Int,
    /// A number that Python writes with a point.
    Float,
    /// A number of either kind.
    Number,
    Text,
    List,
    Map,
    /// A point in time, as seconds since 1970.
    Time,
    /// A time that lasts, in seconds.
    Span,
    /// The state of an entity: text there, and something else here maybe.
    Reading(Codec),
    /// A state object: `states.light.hall`, with the entity.
    State(String),
    /// Several state objects.
    States(Vec<String>),
    /// A list of records of state objects.
    Records,
    /// One of them.
    Record,
    /// `trigger.to_state` or `trigger.from_state`.
    Fired(&'static str),
    /// The names `states`, `trigger`, `wait`, `repeat`, `this`.
    Root(&'static str),
    /// A domain of `states`: `states.light`.
    Domain(String),
    /// A namespace, whose variables stand for themselves.
    Namespace,
    /// `loop`: which item it is, and of how many.
    Loop(usize, usize),
    /// Something that isn't defined.
    Undefined,
    /// Nothing is known.
    Any,
}

/// How tightly an expression's outermost operator binds.
pub(in crate::lang::import::home_assistant) mod level {
    pub(in crate::lang::import::home_assistant) const OR: u8 = 1;
    pub(in crate::lang::import::home_assistant) const AND: u8 = 2;
    pub(in crate::lang::import::home_assistant) const COMPARE: u8 = 4;
    pub(in crate::lang::import::home_assistant) const SUM: u8 = 5;
    pub(in crate::lang::import::home_assistant) const PRODUCT: u8 = 6;
    pub(in crate::lang::import::home_assistant) const UNARY: u8 = 7;
    pub(in crate::lang::import::home_assistant) const ATOM: u8 = 9;
}

/// A written expression.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Written {
    pub(in crate::lang::import::home_assistant) text: String,
    pub(in crate::lang::import::home_assistant) kind: Kind,
    pub(in crate::lang::import::home_assistant) level: u8,
    /// The expression of Home Assistant's text, where that of the value isn't it.
    pub(in crate::lang::import::home_assistant) said: Option<String>,
    /// The text, if it's a constant one.
    pub(in crate::lang::import::home_assistant) constant: Option<String>,
    /// The branches, if it's a choice: conditions with values, and the last value.
    pub(in crate::lang::import::home_assistant) branches: Option<Branches>,
    /// The members, if it's a map that is written out.
    pub(in crate::lang::import::home_assistant) members: Option<Vec<(String, Written)>>,
    /// Of a time: in which zone its hours count.
    pub(in crate::lang::import::home_assistant) zone: Zone,
    /// Whether it's the entity that triggered.
    pub(in crate::lang::import::home_assistant) is_trigger_entity: bool,
    /// Of a state: the entity whose it is.
    pub(in crate::lang::import::home_assistant) entity: Option<String>,
    /// What says the same where only true or false counts.
    pub(in crate::lang::import::home_assistant) logical: Option<Box<Written>>,
}

/// In which zone the hours of a time count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lang::import::home_assistant) enum Zone {
    Local,
    Utc,
    /// As the text says that it was read from.
    AsWritten,
}

/// The branches of a choice.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Branches {
    pub(in crate::lang::import::home_assistant) of: Vec<(Written, Written)>,
    pub(in crate::lang::import::home_assistant) otherwise: Box<Written>,
}

impl Written {
    pub(in crate::lang::import::home_assistant) fn new(text: impl Into<String>, kind: Kind, level: u8) -> Written {
        let text = text.into();
        Written {
            text,
            kind,
            level,
            said: None,
            constant: None,
            branches: None,
            members: None,
            zone: Zone::Local,
            is_trigger_entity: false,
            entity: None,
            logical: None,
        }
    }

    pub(in crate::lang::import::home_assistant) fn atom(text: impl Into<String>, kind: Kind) -> Written {
        Written::new(text, kind, level::ATOM)
    }

    pub(in crate::lang::import::home_assistant) fn constant(text: &str) -> Written {
        Written { constant: Some(text.to_owned()), ..Written::atom(quoted(text), Kind::Text) }
    }

    pub(in crate::lang::import::home_assistant) fn boolean(value: bool) -> Written {
        Written::atom(value.to_string(), Kind::Bool)
    }

    /// Returns `if condition { value } …`; the same value in all branches stands alone.
    pub(in crate::lang::import::home_assistant) fn choice(of: Vec<(Written, Written)>, otherwise: Written) -> Written {
        if of.is_empty() || of.iter().all(|(_, value)| *value == otherwise) {
            return otherwise;
        }
        if let [(condition, value)] = of.as_slice()
            && otherwise.text == "false"
            && value.text == "true"
        {
            return condition.clone();
        }
        let mut text = String::from("(");
        for (condition, value) in &of {
            let _ = write!(text, "if {} {{ {} }} else ", condition.text, value.as_text_or_value(&otherwise));
        }
        let first = of.first().map(|(_, value)| value.clone());
        let last = first.as_ref().map_or_else(|| otherwise.text.clone(), |first| otherwise.as_text_or_value(first));
        let _ = write!(text, "{{ {last} }})");
        let kinds: Vec<&Kind> = of.iter().map(|(_, value)| &value.kind).chain([&otherwise.kind]).collect();
        let kind = common(&kinds);
        let branches = Branches { of, otherwise: Box::new(otherwise) };
        Written { branches: Some(branches), ..Written::atom(text, kind) }
    }

    /// Returns a variable that has one of some texts; if it's `open`, maybe another value.
    pub(in crate::lang::import::home_assistant) fn one_of(variable: &str, texts: &[String], open: bool) -> Written {
        let Some((last, others)) = texts.split_last() else { return Written::atom(variable, Kind::Any) };
        let (others, last) = if open { (texts, "") } else { (others, last.as_str()) };
        let branches = others.iter().map(|text| {
            let is_it = format!("{variable} == {}", quoted(text));
            (Written::new(is_it, Kind::Bool, level::COMPARE), Written::constant(text))
        });
        let branches = Branches { of: branches.collect(), otherwise: Box::new(Written::constant(last)) };
        let atom = Written::atom(variable, if open { Kind::Any } else { Kind::Text });
        let said = open.then(|| format!("ha::text({variable})"));
        Written { branches: Some(branches).filter(|branches| !branches.of.is_empty()), said, ..atom }
    }

    /// Returns the texts that a choice is among, if it is one among constant texts.
    pub(in crate::lang::import::home_assistant) fn texts(&self) -> Option<Vec<String>> {
        if let Some(text) = &self.constant {
            return Some(vec![text.clone()]);
        }
        let branches = self.branches.as_ref()?;
        let mut found: Vec<String> = Vec::new();
        for value in branches.of.iter().map(|(_, value)| value).chain([&*branches.otherwise]) {
            for text in value.texts()? {
                if !found.contains(&text) {
                    found.push(text);
                }
            }
        }
        Some(found)
    }

    /// Returns the value; the text where the other branch isn't the same kind of reading.
    fn as_text_or_value(&self, other: &Written) -> String {
        if matches!(self.kind, Kind::Reading(_)) && self.kind != other.kind {
            self.as_text()
        } else {
            self.text.clone()
        }
    }

    pub(super) fn with_logical(self, logical: Written) -> Written {
        Written { logical: Some(Box::new(logical)), ..self }
    }

    /// Returns the expression in brackets, unless it binds at least as tightly as `level`.
    pub(in crate::lang::import::home_assistant) fn at(&self, level: u8) -> String {
        if self.level >= level { self.text.clone() } else { format!("({})", self.text) }
    }

    /// Returns an expression of the text that Home Assistant makes of it.
    pub(in crate::lang::import::home_assistant) fn as_text(&self) -> String {
        if let Some(said) = &self.said {
            return said.clone();
        }
        if let Some(branches) = &self.branches
            && self.kind != Kind::Text
        {
            let mut text = String::from("(");
            for (condition, value) in &branches.of {
                let _ = write!(text, "if {} {{ {} }} else ", condition.text, value.as_text());
            }
            return format!("{text}{{ {} }})", branches.otherwise.as_text());
        }
        match &self.kind {
            Kind::Text => self.text.clone(),
            Kind::Float => format!("ha::float_text({})", self.text),
            Kind::Time => format!("strftime({}, '%Y-%m-%d %H:%M:%S%:z')", self.text),
            Kind::Span => format!("ha::span_text({})", self.text),
            Kind::Undefined => "''".to_owned(),
            _ => format!("ha::text({})", self.text),
        }
    }

    /// Returns whether it may be put into a text as it is.
    pub(in crate::lang::import::home_assistant) fn is_plain_text(&self) -> bool {
        self.said.is_none() && matches!(self.kind, Kind::Text | Kind::Int)
    }

    /// Returns an expression of whether Python takes it for true.
    pub(in crate::lang::import::home_assistant) fn as_bool(&self) -> Written {
        if let Some(logical) = &self.logical {
            return (**logical).clone();
        }
        let compare = |text: String| Written::new(text, Kind::Bool, level::COMPARE);
        match &self.kind {
            Kind::Bool => self.clone(),
            Kind::None | Kind::Undefined => Written::boolean(false),
            Kind::Time if self.text.starts_with("ha::timestamp(last_run(") => {
                let at = self.text.trim_start_matches("ha::timestamp(");
                compare(format!("{} != ()", at.strip_suffix(')').unwrap_or(at)))
            }
            Kind::Int | Kind::Float | Kind::Number | Kind::Time | Kind::Span => {
                compare(format!("{} != 0", self.at(level::SUM)))
            }
            Kind::Text => match &self.constant {
                Some(text) => Written::boolean(!text.is_empty()),
                None => compare(format!("{} != ''", self.at(level::SUM))),
            },
            Kind::Reading(_) => compare(format!("{} != ''", self.as_text())),
            Kind::List | Kind::Records => compare(format!("{}.len() > 0", self.at(level::ATOM))),
            Kind::Fired(variable) => compare(format!("{variable} != ()")),
            _ => Written::atom(format!("ha::truthy({})", self.text), Kind::Bool),
        }
    }

    /// Returns an expression of its number; `default` where it has none.
    pub(in crate::lang::import::home_assistant) fn as_number(&self, default: Option<&str>) -> Written {
        match &self.kind {
            Kind::Int | Kind::Float | Kind::Number | Kind::Time | Kind::Span => self.clone(),
            Kind::Bool => Written::atom(format!("(if {} {{ 1 }} else {{ 0 }})", self.text), Kind::Int),
            _ => {
                let default = default.map(|default| format!(", {default}")).unwrap_or_default();
                Written::atom(format!("number({}{default})", self.text), Kind::Float)
            }
        }
    }
}

/// Returns the kind of a value that has one of `kinds`.
pub(super) fn common(kinds: &[&Kind]) -> Kind {
    let Some(first) = kinds.first() else { return Kind::Any };
    if kinds.iter().all(|kind| kind == first) {
        return (*first).clone();
    }
    if kinds.iter().all(|kind| matches!(kind, Kind::Int | Kind::Float | Kind::Number)) {
        return Kind::Number;
    }
    if kinds.iter().all(|kind| matches!(kind, Kind::Text | Kind::Reading(_))) {
        return Kind::Text;
    }
    Kind::Any
}
