//! What published a topic last, back to what came from outside.
//!
//! What memory holds is followed first; where it doesn't reach back, recordings go on: they know who published which
//! message and what led to that, but not what the runs did.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::{RunId, Trace};
use crate::model::{Payload, Topic};

use super::heard::{History, Speaker};
use super::link::{Link, Published, Source, Whose};

/// A chain is never longer: the engine stops those that are.
const LONGEST: usize = 1000;

/// What's in memory when somebody asks why.
pub struct Memory<'a> {
    /// Now.
    pub now: Timestamp,
    /// The last messages.
    pub heard: &'a dyn History,
    /// Returns when a topic's last message was published, and by whom, though the message itself may be forgotten.
    pub spoke_last: &'a dyn Fn(&Topic) -> Option<(Timestamp, Speaker)>,
    /// Returns the trace of a run, also of one under way.
    pub run: &'a dyn Fn(RunId) -> Option<Arc<Trace>>,
}

/// What published a topic last and what caused that, the innermost first.
#[derive(Debug)]
pub struct Chain {
    topic: Topic,
    /// What was published last; `None`: memory doesn't know.
    published: Option<Published>,
    links: Vec<Link>,
    /// What led to the last link, if memory doesn't know: it's to be found elsewhere.
    loose: Option<Source>,
}

impl Chain {
    /// Returns what published `topic` last and what caused that, as far as memory reaches.
    #[must_use]
    pub fn of(topic: &Topic, memory: &Memory<'_>) -> Chain {
        let mut chain = Chain { topic: topic.clone(), published: None, links: Vec::new(), loose: None };
        let Some((at, speaker)) = (memory.spoke_last)(topic) else {
            chain.loose = Some(Source { topic: topic.clone(), at: memory.now, whose: Whose::Last });
            return chain;
        };
        let heard = memory.heard.last(topic, at, &|_| true);
        let published = Published { at, topic: topic.clone(), payload: heard.map(|heard| heard.message.payload) };
        chain.published = Some(published.clone());
        let mut next = Link::of(published, speaker, memory.run);
        while let Some(mut link) = next.take().filter(|_| chain.links.len() < LONGEST) {
            match link.run_before().and_then(memory.run) {
                Some(trace) => next = Some(Link::Run(trace, None)),
                // Memory knows the runs of rules' messages, or else recordings know more of it.
                None if matches!(link.source(), Some(Source { whose: Whose::Rule(_), .. })) => {
                    chain.loose = link.source();
                }
                None => (next, chain.loose) = link.follow(memory.heard, memory.run),
            }
            chain.links.push(link);
        }
        chain
    }

    /// Returns whether memory held all of it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let is_known = self.published.as_ref().is_some_and(|published| published.payload.is_some());
        is_known && self.loose.is_none() && self.links.iter().all(Link::is_complete)
    }

    /// Looks in recordings for what memory didn't hold.
    pub fn complete(&mut self, recorded: &dyn History) {
        let no_run = |_: RunId| None;
        if let Some(published) = &mut self.published {
            published.complete(recorded);
        }
        for link in &mut self.links {
            link.complete(recorded);
        }
        let mut next = None;
        if self.links.is_empty() {
            let found = self.loose.take().and_then(|source| source.find(recorded));
            next = found.and_then(|found| Link::of_heard(found, &no_run));
            if let Some(Link::Rule(published, ..) | Link::Client(published, _)) = &next {
                self.published.get_or_insert_with(|| published.clone());
            }
        } else if self.loose.take().is_some()
            && let Some(last) = self.links.last_mut()
        {
            (next, _) = last.follow(recorded, &no_run);
        }
        while let Some(mut link) = next.take().filter(|_| self.links.len() < LONGEST) {
            (next, _) = link.follow(recorded, &no_run);
            self.links.push(link);
        }
    }

    /// Returns the topic that's asked about.
    #[must_use]
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Returns when what was published last, and what; `None` if nobody did, or it's no longer known.
    #[must_use]
    pub fn published(&self) -> Option<(Timestamp, &Payload)> {
        let published = self.published.as_ref()?;
        Some((published.at, published.payload.as_ref()?))
    }

    /// Returns its parts, the innermost first.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Returns whether this run is a part of it.
    #[must_use]
    pub fn has_run(&self, run: RunId) -> bool {
        self.links.iter().any(|link| matches!(link, Link::Run(trace, _) if trace.run == Some(run)))
    }
}
