//! What was recorded, as a history that answers can be found in.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use jiff::Timestamp;

use crate::api::cause_of;
use crate::disk::recorded::{Past, Wanted};
use crate::engine::TriggerSources;
use crate::explain::{HeardMessage, History, Speaker};
use crate::model::recording::Recorded;
use crate::model::{Topic, TopicFilter};

/// What was recorded.
pub(in crate::daemon) struct Recordings<'a>(pub(in crate::daemon) &'a Past);

impl History for Recordings<'_> {
    fn last(&self, topic: &Topic, at: Timestamp, is_wanted: &dyn Fn(&HeardMessage) -> bool) -> Option<HeardMessage> {
        self.0.before(topic, at, |recorded| is_wanted(&heard(recorded.clone()))).map(heard)
    }

    fn within(&self, from: Timestamp, until: Timestamp, topics: &BTreeSet<Topic>) -> Vec<HeardMessage> {
        let Some(wanted) = Wanted::new(topics.iter(), std::iter::empty(), None) else { return Vec::new() };
        self.0.within(from, until, &wanted).into_iter().map(heard).collect()
    }

    fn walk(
        &self,
        from: Timestamp,
        until: Timestamp,
        sources: &TriggerSources,
        take: &mut dyn FnMut(&[HeardMessage]) -> ControlFlow<()>,
    ) {
        let prefixes = sources.filters.iter().map(TopicFilter::literal_prefix);
        let Some(wanted) = Wanted::new(std::iter::empty(), prefixes, Some(&sources.rule)) else { return };
        // What is wanted is found by how lines begin: more than the filters match.
        let is_wanted = |recorded: &Recorded| {
            recorded.rule.as_ref() == Some(&sources.rule)
                || sources.filters.iter().any(|filter| filter.matches_in_rules(&recorded.message.topic))
        };
        self.0.walk(from, until, &wanted, |messages| {
            let part: Vec<HeardMessage> = messages.into_iter().filter(is_wanted).map(heard).collect();
            take(&part)
        });
    }
}

fn heard(recorded: Recorded) -> HeardMessage {
    let Recorded { at, message, rule, client, cause, .. } = recorded;
    let speaker = match rule {
        None => Speaker::Client(client),
        Some(rule) => {
            let cause = cause.and_then(|cause| serde_json::from_str(&cause).ok());
            Speaker::Rule(rule, cause.as_ref().and_then(cause_of))
        }
    };
    HeardMessage { at, message, speaker }
}
