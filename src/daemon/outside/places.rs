//! How many requests and programs go on at once, so that one rule leaves room for the others: it has at most half of the places,
//! and a quarter of them is kept for rules that have none.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::RuleId;

/// How many go on at once; more wait.
const AT_ONCE: usize = 16;

/// How many of one rule.
const OF_ONE_RULE: usize = AT_ONCE / 2;

/// How many of rules that have another one going on.
const OF_SEVERAL: usize = AT_ONCE - AT_ONCE / 4;

/// The places for what goes on.
#[derive(Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    /// Those for rules that have another one going on.
    further: Arc<Semaphore>,
    by_rule: BTreeMap<RuleId, Arc<Semaphore>>,
}

impl Default for Places {
    fn default() -> Places {
        let places = |count| Arc::new(Semaphore::new(count));
        Places { all: places(AT_ONCE), further: places(OF_SEVERAL), by_rule: BTreeMap::new() }
    }
}

impl Places {
    /// Returns where a request or program of `rule` queues. All instances of a rule share its places.
    pub(super) fn queue_of(&mut self, rule: &RuleId) -> Queue {
        // Rules of which nothing goes on or waits.
        self.by_rule.retain(|_, places| Arc::strong_count(places) > 1);
        let own = self.by_rule.entry(rule.maker()).or_insert_with(|| Arc::new(Semaphore::new(OF_ONE_RULE)));
        Queue { own: Arc::clone(own), further: Arc::clone(&self.further), all: Arc::clone(&self.all) }
    }
}

/// Where a request or program waits for its place.
#[derive(Debug)]
pub(super) struct Queue {
    own: Arc<Semaphore>,
    further: Arc<Semaphore>,
    all: Arc<Semaphore>,
}

/// A place: free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "they are held, not read")] Vec<OwnedSemaphorePermit>);

impl Queue {
    /// Waits for a place.
    pub(super) async fn place(self) -> Place {
        // The semaphores are never closed.
        let mut permits = Vec::new();
        permits.extend(Arc::clone(&self.own).acquire_owned().await);
        if self.own.available_permits() < OF_ONE_RULE - 1 {
            permits.extend(self.further.acquire_owned().await);
        }
        permits.extend(self.all.acquire_owned().await);
        Place(permits)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Returns a place, if there is one now.
    fn take(places: &mut Places, rule: &str) -> Option<Place> {
        let queue = places.queue_of(&RuleId::from_text(rule));
        match pin!(queue.place()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => Some(place),
            Poll::Pending => None,
        }
    }

    #[test]
    fn one_rule_leaves_places_for_others_and_several_leave_some_for_those_that_have_none() {
        let mut places = Places::default();
        let count = |places: &mut Places, rule: &str| {
            let taken: Vec<Place> = (0..20).map_while(|_| take(places, rule)).collect();
            (taken.len(), taken)
        };
        let (of_first, held) = count(&mut places, "a:first[hall]");
        assert_eq!(of_first, 8);
        assert!(take(&mut places, "a:first[attic]").is_none(), "instances share the places of their rule");
        let (of_second, also_held) = count(&mut places, "a:second");
        assert_eq!(of_second, 6, "twelve further ones, and the first of each rule, of which there are two");
        let others: Vec<Option<Place>> = ["b", "c", "d"].map(|rule| take(&mut places, rule)).into();
        assert_eq!(others.iter().flatten().count(), 2, "sixteen in all");
        drop((held, also_held, others));
        assert_eq!(count(&mut places, "a:second").0, 8);
    }
}
