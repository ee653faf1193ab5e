//! Where our own topics are at the broker: rules go on saying `homerule/…`, wherever that is.

use std::sync::Arc;

use crate::model::Topic;

/// What our own topics begin with in rules.
const OURS: &str = "homerule";

/// What our own topics begin with at the broker.
#[derive(Debug, Clone)]
pub(super) struct Prefix(Option<Arc<str>>);

impl Prefix {
    pub(super) fn new(prefix: &Arc<str>) -> Prefix {
        Prefix((**prefix != *OURS).then(|| Arc::clone(prefix)))
    }

    /// Returns a topic of rules as it is at the broker.
    pub(super) fn outward(&self, topic: &Topic) -> Topic {
        let moved = self.0.as_ref().and_then(|prefix| replaced(topic.as_str(), OURS, prefix));
        moved.and_then(|text| Topic::parse(&text).ok()).unwrap_or_else(|| topic.clone())
    }

    /// Returns whether a topic of the broker is one of our own.
    pub(super) fn is_ours(&self, topic: &Topic) -> bool {
        let prefix = self.0.as_deref().unwrap_or(OURS);
        topic.as_str().strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Returns a filter of rules as it is at the broker.
    pub(super) fn outward_filter(&self, filter: &Arc<str>) -> Arc<str> {
        let moved = self.0.as_ref().and_then(|prefix| replaced(filter, OURS, prefix));
        moved.map_or_else(|| Arc::clone(filter), Arc::from)
    }

    /// Returns a topic of the broker as it is in rules; `None`: it is another homerule's, and no business of ours.
    pub(super) fn inward(&self, topic: Topic) -> Option<Topic> {
        let Some(prefix) = &self.0 else { return Some(topic) };
        if let Some(text) = replaced(topic.as_str(), prefix, OURS) {
            return Topic::parse(&text).ok();
        }
        let is_others = replaced(topic.as_str(), OURS, OURS).is_some();
        (!is_others).then_some(topic)
    }
}

/// Returns `text` with other levels in front; `None`: it doesn't begin with `from`.
fn replaced(text: &str, from: &str, to: &str) -> Option<String> {
    let rest = text.strip_prefix(from)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| format!("{to}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_topics_are_elsewhere_at_the_broker() {
        let prefix = Prefix::new(&"homes/one".into());
        let topic = |text: &str| Topic::parse(text).unwrap();
        assert_eq!(prefix.outward(&topic("homerule/status")).as_str(), "homes/one/status");
        assert_eq!(prefix.outward(&topic("homerules/status")).as_str(), "homerules/status");
        assert_eq!(prefix.inward(topic("homes/one/rule/a/set")).unwrap().as_str(), "homerule/rule/a/set");
        assert_eq!(prefix.inward(topic("homerule/status")), None, "that is another homerule's");
        assert_eq!(&*prefix.outward_filter(&"homerule/+/x".into()), "homes/one/+/x");
        assert_eq!(&*prefix.outward_filter(&"#".into()), "#");
        let plain = Prefix::new(&"homerule".into());
        assert_eq!(plain.inward(topic("homerule/status")).unwrap().as_str(), "homerule/status");
    }
}
