//! A short text that many hold: written in the program, or kept once and shared.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A short text that is not copied: the name of a variable, a topic.
#[derive(Clone)]
pub enum Label {
    /// Written in the program.
    Static(&'static str),
    /// Kept once.
    Shared(Arc<str>),
}

impl Deref for Label {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Label::Static(text) => text,
            Label::Shared(text) => text,
        }
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &**self)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Label) -> bool {
        **self == **other
    }
}

impl PartialEq<str> for Label {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl From<&'static str> for Label {
    fn from(text: &'static str) -> Label {
        Label::Static(text)
    }
}

impl From<Arc<str>> for Label {
    fn from(text: Arc<str>) -> Label {
        Label::Shared(text)
    }
}

impl From<String> for Label {
    fn from(text: String) -> Label {
        Label::Shared(text.into())
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Label, D::Error> {
        Arc::<str>::deserialize(deserializer).map(Label::Shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_its_text_wherever_that_is_kept() {
        let shared = Label::from("msg".to_owned());
        assert_eq!(shared, Label::from("msg"));
        let kept = serde_json::to_string(&Label::from("msg")).unwrap();
        assert_eq!(kept, "\"msg\"");
        assert_eq!(serde_json::from_str::<Label>(&kept).unwrap(), shared);
    }
}
