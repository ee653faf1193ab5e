//! Topic aliases: a number in place of a topic, for as long as a connection lasts (MQTT 5.0, 3.3.2.3.4).

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use crate::broker::happening::Fault;
use crate::broker::limits::{ALIASED, LONGEST_ALIASED, TOPIC_ALIASES};
use crate::broker::reason::Reason;
use crate::model::Topic;

/// The aliases that a client uses.
#[derive(Debug, Default)]
pub(in crate::broker) struct InboundAliases {
    topics: Vec<Option<Topic>>,
    /// Their bytes.
    bytes: usize,
}

impl InboundAliases {
    /// Returns the topic that a packet means.
    ///
    /// # Errors
    /// When it has none, or an alias that has none.
    pub(in crate::broker) fn resolve(
        &mut self,
        topic: Option<Topic>,
        alias: Option<NonZeroU16>,
    ) -> Result<Topic, Fault> {
        let Some(alias) = alias else {
            return topic.ok_or(Fault::protocol("a message without a topic"));
        };
        let place = usize::from(alias.get()) - 1;
        if alias.get() > TOPIC_ALIASES {
            return Err(Fault::new(Reason::TopicAliasInvalid, "a topic alias above our maximum"));
        }
        if place >= self.topics.len() {
            self.topics.resize(place + 1, None);
        }
        let known = self.topics.get_mut(place);
        match (topic, known) {
            (Some(topic), Some(known)) => {
                let before = known.as_ref().map_or(0, |known| known.as_str().len());
                self.bytes = self.bytes - before + topic.as_str().len();
                *known = Some(topic.clone());
                let is_too_much = self.bytes > ALIASED;
                let fault = || Fault::new(Reason::QuotaExceeded, "the topics that it has aliases for are too long");
                if is_too_much { Err(fault()) } else { Ok(topic) }
            }
            (None, Some(Some(known))) => Ok(known.clone()),
            (_, _) => Err(Fault::new(Reason::TopicAliasInvalid, "a topic alias that has no topic")),
        }
    }
}

/// The aliases that we use towards a client: the first topics get one.
#[derive(Debug, Default)]
pub(in crate::broker) struct OutboundAliases {
    maximum: u16,
    known: BTreeMap<Topic, NonZeroU16>,
}

/// How a topic is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broker) enum Alias {
    /// In full.
    None,
    /// In full, and its number is told.
    New(NonZeroU16),
    /// As its number.
    Known(NonZeroU16),
}

impl OutboundAliases {
    pub(in crate::broker) fn new(maximum: u16) -> OutboundAliases {
        OutboundAliases { maximum: maximum.min(TOPIC_ALIASES), known: BTreeMap::new() }
    }

    /// Returns how `topic` is written.
    pub(in crate::broker) fn choose(&self, topic: &Topic) -> Alias {
        if self.maximum == 0 || topic.as_str().len() > LONGEST_ALIASED {
            return Alias::None;
        }
        if let Some(alias) = self.known.get(topic) {
            return Alias::Known(*alias);
        }
        let next = u16::try_from(self.known.len() + 1).ok().filter(|next| *next <= self.maximum);
        next.and_then(NonZeroU16::new).map_or(Alias::None, Alias::New)
    }

    /// Notes that a topic's number was told.
    pub(in crate::broker) fn told(&mut self, topic: &Topic, alias: NonZeroU16) {
        self.known.insert(topic.clone(), alias);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_stands_for_the_topic_it_was_last_given() {
        let topic = |text| Some(Topic::parse(text).unwrap());
        let alias = NonZeroU16::new;
        let mut aliases = InboundAliases::default();
        assert_eq!(aliases.resolve(None, alias(2)).unwrap_err().reason, Reason::TopicAliasInvalid);
        assert_eq!(aliases.resolve(topic("a"), alias(2)), Ok(topic("a").unwrap()));
        assert_eq!(aliases.resolve(None, alias(2)), Ok(topic("a").unwrap()));
        assert_eq!(aliases.resolve(topic("b"), alias(2)), Ok(topic("b").unwrap()));
        assert_eq!(aliases.resolve(None, alias(2)), Ok(topic("b").unwrap()));
        assert_eq!(aliases.resolve(None, alias(1)).unwrap_err().reason, Reason::TopicAliasInvalid);
        assert_eq!(aliases.resolve(topic("b"), alias(65)).unwrap_err().reason, Reason::TopicAliasInvalid);
        assert_eq!(aliases.resolve(None, None).unwrap_err().reason, Reason::ProtocolError);
    }

    #[test]
    fn the_first_topics_get_an_alias() {
        let topic = |text| Topic::parse(text).unwrap();
        let mut aliases = OutboundAliases::new(1);
        let one = NonZeroU16::MIN;
        assert_eq!(aliases.choose(&topic("a")), Alias::New(one));
        aliases.told(&topic("a"), one);
        assert_eq!((aliases.choose(&topic("a")), aliases.choose(&topic("b"))), (Alias::Known(one), Alias::None));
        assert_eq!(OutboundAliases::new(0).choose(&topic("a")), Alias::None);
    }
}
