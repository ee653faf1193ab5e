//! What an instance that shares its home does itself, and what it leaves to others.
//!
//! All instances decide all, so each knows what the others are about to do; who does it, says [`owner`]. Whether one is there is heard in
//! the broker's order, like all else: so all instances change over between the same two messages. What was left to another is
//! remembered until that one says that it is done, and is done here if it goes without that word.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::sharing::{Members, owner};

/// So much may be remembered of what was left to others, and of what they did before we got there.
const MOST: usize = 100_000;

/// How long a word of others counts that we haven't got to yet.
const AHEAD: Duration = Duration::from_mins(1);

/// Something that was left to another instance.
#[derive(Debug)]
struct Left<T> {
    at: Timestamp,
    mark: u64,
    rule: String,
    /// To whom; `None`: nobody was there.
    to: Option<String>,
    /// Whether it fell to us when that one went: it's ours even if it has come back.
    is_ours: bool,
    what: T,
}

/// What an instance does itself, and what it leaves to others. `T` is what may have to be done.
#[derive(Debug)]
pub struct Share<T> {
    name: String,
    members: Members,
    lease: Duration,
    now: Timestamp,
    /// Whether our own word that we are there has come back: from then on others leave things to us.
    is_in: bool,
    /// The place in the order of decisions at which each came that is there, ourselves too: it knows only what was left from then on.
    came: BTreeMap<String, u64>,
    heard_at: BTreeMap<String, Timestamp>,
    /// What was left to others, by its place in the order of decisions.
    left: BTreeMap<u64, Left<T>>,
    next: u64,
    /// The places of what has the same mark.
    places: BTreeMap<u64, VecDeque<u64>>,
    ahead: VecDeque<(Timestamp, u64)>,
    /// How often each mark is in `ahead`.
    ahead_marks: BTreeMap<u64, usize>,
    /// Whether who does what may have changed since that was last looked at, and when it's looked at in any case.
    has_changed: bool,
    look_at: Timestamp,
    /// How much was forgotten that nobody said to have done.
    pub forgotten: u64,
}

impl<T> Share<T> {
    /// Returns the share of the instance of this name, which isn't there yet.
    #[must_use]
    pub fn new(now: Timestamp, name: &str, all: &[String], lease: Duration) -> Share<T> {
        Share {
            name: name.to_owned(),
            members: Members::new(name, all.iter().cloned()),
            lease,
            now,
            is_in: false,
            came: BTreeMap::new(),
            heard_at: BTreeMap::new(),
            left: BTreeMap::new(),
            next: 0,
            places: BTreeMap::new(),
            ahead: VecDeque::new(),
            ahead_marks: BTreeMap::new(),
            has_changed: false,
            look_at: Timestamp::MIN,
            forgotten: 0,
        }
    }

    /// Returns whether others leave things to us.
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.is_in
    }

    /// Returns the others that are there.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        self.members.alive().iter().map(String::as_str).filter(|name| *name != self.name)
    }

    /// Returns whether this instance acts for the rule with this id.
    #[must_use]
    pub fn acts_for(&self, rule: &str) -> bool {
        self.is_in && self.members.acts_for(rule)
    }

    /// Takes note of whether an instance is there, ourselves too.
    pub fn heard(&mut self, now: Timestamp, name: &str, is_alive: bool) {
        self.now = self.now.max(now);
        if name == self.name {
            let has_changed = self.is_in != is_alive;
            self.has_changed |= has_changed;
            self.is_in = is_alive;
            self.note_coming(name, is_alive && has_changed);
            return;
        }
        let has_changed = self.members.heard(name, is_alive);
        self.has_changed |= has_changed;
        self.note_coming(name, is_alive && has_changed);
        self.heard_at.insert(name.to_owned(), self.now);
        if !is_alive {
            self.inherit(name);
        }
    }

    fn note_coming(&mut self, name: &str, has_come: bool) {
        if has_come {
            self.came.insert(name.to_owned(), self.next);
        }
    }

    /// What was left to one who is gone falls to one of those who know of it, at the same place in the broker's order for all: one that
    /// came later, or that comes back at once, knows nothing of it. If nobody else who knows is there, it's ours.
    fn inherit(&mut self, gone: &str) {
        let there = self.members.alive().iter().filter(|name| self.is_in || **name != self.name);
        let there: Vec<(&str, u64)> =
            there.map(|name| (name.as_str(), self.came.get(name).copied().unwrap_or(0))).collect();
        for (place, left) in self.left.iter_mut().filter(|(_, left)| left.to.as_deref() == Some(gone)) {
            let who_know = there.iter().filter(|(_, came)| came <= place).map(|(name, _)| *name);
            let heir = owner(&left.rule, who_know).unwrap_or(&self.name);
            left.is_ours = heir == self.name;
            left.to = Some(heir.to_owned());
        }
    }

    /// Takes note that the broker is away, or that we know nothing any more: others do our part.
    pub fn leave(&mut self) {
        self.is_in = false;
    }

    /// Forgets what was left to others: somebody tells us anew how things are.
    pub fn forget(&mut self) {
        self.left.clear();
        self.places.clear();
        self.ahead.clear();
        self.ahead_marks.clear();
    }

    /// Leaves something to whoever acts for `rule`, unless that one has said already that it is done.
    pub fn leave_to_others(&mut self, now: Timestamp, rule: &str, mark: u64, what: T) {
        self.now = self.now.max(now);
        if let Some(count) = self.ahead_marks.get_mut(&mark) {
            // The word itself is forgotten in its time.
            *count -= 1;
            if *count == 0 {
                self.ahead_marks.remove(&mark);
            }
            return;
        }
        if self.left.len() >= MOST
            && let Some((place, left)) = self.left.pop_first()
        {
            self.forget_place(left.mark, place);
            self.forgotten += 1;
        }
        let others = self.members.alive().iter().map(String::as_str).filter(|name| self.is_in || *name != self.name);
        let to = owner(rule, others).map(str::to_owned);
        self.has_changed |= to.is_none();
        let left = Left { at: self.now, mark, rule: rule.to_owned(), to, is_ours: false, what };
        self.left.insert(self.next, left);
        self.places.entry(mark).or_default().push_back(self.next);
        self.next += 1;
    }

    /// Takes out what was left to others and has this mark, if it has been.
    pub fn take(&mut self, mark: u64) -> Option<T> {
        let place = *self.places.get(&mark)?.front()?;
        self.forget_place(mark, place);
        self.left.remove(&place).map(|left| left.what)
    }

    fn forget_place(&mut self, mark: u64, place: u64) {
        let Some(places) = self.places.get_mut(&mark) else { return };
        places.retain(|known| *known != place);
        if places.is_empty() {
            self.places.remove(&mark);
        }
    }

    /// Takes note that another instance has done something. Returns what we had left to it.
    pub fn done(&mut self, now: Timestamp, mark: u64) -> Option<T> {
        self.now = self.now.max(now);
        if let Some(what) = self.take(mark) {
            return Some(what);
        }
        let oldest = self.now.checked_sub(AHEAD).unwrap_or(Timestamp::MIN);
        while let Some((_, old)) = self.ahead.pop_front_if(|(at, _)| *at < oldest) {
            self.ahead_marks.remove(&old);
        }
        if self.ahead.len() < MOST {
            self.ahead.push_back((self.now, mark));
            *self.ahead_marks.entry(mark).or_default() += 1;
        }
        None
    }

    /// Returns what was left to others and is ours now: those who are gone have said last what they did, and from one that is there
    /// we wait a while for that word.
    pub fn take_due(&mut self, now: Timestamp) -> Vec<T> {
        self.now = self.now.max(now);
        if !self.is_in {
            return Vec::new();
        }
        self.expire();
        if !self.has_changed && self.now < self.look_at {
            return Vec::new();
        }
        self.has_changed = false;
        let (now, patience, longest) = (self.now, self.patience(), self.lease * 20);
        let mut due = Vec::new();
        let mut over = Vec::new();
        for (place, left) in &self.left {
            let is_there = left.to.as_ref().is_some_and(|to| *to != self.name && self.members.alive().contains(to));
            let is_over = |after: Duration| left.at.checked_add(after).is_ok_and(|due| due <= now);
            if left.is_ours || (self.members.acts_for(&left.rule) && (!is_there || is_over(patience))) {
                due.push(*place);
            } else if is_over(longest) {
                over.push(*place);
            }
        }
        self.forgotten += over.len() as u64;
        for place in over {
            drop(self.remove(place));
        }
        let due = due.into_iter().filter_map(|place| self.remove(place)).collect();
        let oldest = self.left.values().next().map_or(self.now, |left| left.at);
        let after = |at: Timestamp, wait: Duration| at.checked_add(wait).unwrap_or(Timestamp::MAX);
        self.look_at = after(oldest, patience).max(after(self.now, patience / 4));
        due
    }

    fn remove(&mut self, place: u64) -> Option<T> {
        let left = self.left.remove(&place)?;
        self.forget_place(left.mark, place);
        Some(left.what)
    }

    /// Returns how much was left to others that hasn't been done yet, as far as is known.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left.len()
    }

    /// Returns the earliest time at which something may be due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let silent = self.others().filter_map(|name| self.heard_at.get(name)).min();
        let silent = silent.map(|at| at.checked_add(self.lease).unwrap_or(Timestamp::MAX));
        let left = Some(self.look_at).filter(|_| self.is_in && !self.left.is_empty());
        left.into_iter().chain(silent).min()
    }

    /// Counts those as gone that haven't said for a lease that they are there: a broker that ended forgets their wills.
    fn expire(&mut self) {
        let silent: Vec<String> = self
            .others()
            .filter(|name| {
                let heard = self.heard_at.get(*name).copied().unwrap_or(Timestamp::MIN);
                heard.checked_add(self.lease).is_ok_and(|until| until <= self.now)
            })
            .map(str::to_owned)
            .collect();
        for name in silent {
            self.has_changed |= self.members.heard(&name, false);
            self.inherit(&name);
        }
    }

    fn patience(&self) -> Duration {
        self.lease / 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    fn share(name: &str) -> Share<u64> {
        Share::new(at(0), name, &["a", "b", "c"].map(str::to_owned), Duration::from_secs(3))
    }

    /// Returns rules of which `a`, `b` and `c` act for one each.
    fn rules() -> [String; 3] {
        ["a", "b", "c"].map(|name| {
            let rules = (0..).map(|number| format!("r:{number}"));
            rules.into_iter().find(|rule| owner(rule, ["a", "b", "c"]) == Some(name)).unwrap()
        })
    }

    #[test]
    fn what_another_has_done_is_not_done_again() {
        let (mut share, [own, of_b, _]) = (share("a"), rules());
        assert!(!share.acts_for(&own), "nobody leaves anything to us yet");
        for name in ["a", "b", "c"] {
            share.heard(at(0), name, true);
        }
        assert!(share.acts_for(&own) && !share.acts_for(&of_b));
        share.leave_to_others(at(1), &of_b, 1, 1);
        assert_eq!(share.done(at(2), 1), Some(1));
        // It was faster than we are.
        assert_eq!(share.done(at(3), 2), None);
        share.leave_to_others(at(4), &of_b, 2, 2);
        share.heard(at(5), "b", false);
        assert_eq!(share.take_due(at(60_000)), Vec::<u64>::new());
    }

    #[test]
    fn what_one_had_not_done_when_it_went_is_done_at_once_and_by_one() {
        let [_, of_b, _] = rules();
        let mut taken = Vec::new();
        for name in ["a", "c"] {
            let mut share = share(name);
            for name in ["a", "b", "c"] {
                share.heard(at(0), name, true);
            }
            share.leave_to_others(at(10), &of_b, 1, 1);
            share.leave_to_others(at(11), &of_b, 2, 2);
            assert_eq!(share.done(at(12), 1), Some(1));
            assert_eq!(share.take_due(at(100)), Vec::<u64>::new());
            share.heard(at(200), "b", false);
            taken.extend(share.take_due(at(200)));
        }
        assert_eq!(taken, [2]);
    }

    #[test]
    fn what_one_left_undone_is_done_by_its_heir_even_if_it_is_back_at_once() {
        let (mut share, [_, of_b, _]) = (share("a"), rules());
        for name in ["a", "b"] {
            share.heard(at(0), name, true);
        }
        share.leave_to_others(at(10), &of_b, 1, 1);
        share.heard(at(20), "b", false);
        share.heard(at(20), "b", true);
        assert_eq!(share.take_due(at(20)), [1]);
        share.leave_to_others(at(30), &of_b, 2, 2);
        assert_eq!(share.take_due(at(30)), Vec::<u64>::new());
    }

    #[test]
    fn what_two_left_undone_is_done_by_one_who_knows_of_it_and_not_by_one_who_came_later() {
        let names = ["a", "b", "c"];
        // Of these, `b` acts, then `c` where `b` is gone: but `c` has just come back, and knows of nothing.
        let mut rules = (0..).map(|number| format!("r:{number}"));
        let rule = rules.find(|rule| owner(rule, names) == Some("b") && owner(rule, ["a", "c"]) == Some("c")).unwrap();
        let mut share = share("a");
        for name in names {
            share.heard(at(0), name, true);
        }
        share.leave_to_others(at(10), &rule, 1, 1);
        for (name, is_alive) in [("c", false), ("c", true), ("b", false)] {
            share.heard(at(20), name, is_alive);
        }
        assert_eq!(share.take_due(at(20)), [1]);
        // What `c` knows of falls to it, and to us if it goes too.
        share.heard(at(30), "b", true);
        share.leave_to_others(at(40), &rule, 2, 2);
        share.heard(at(50), "b", false);
        assert_eq!(share.take_due(at(50)), Vec::<u64>::new());
        share.heard(at(60), "c", false);
        assert_eq!(share.take_due(at(60)), [2]);
    }

    #[test]
    fn one_that_falls_silent_counts_as_gone_after_the_lease() {
        let (mut share, [_, of_b, _]) = (share("a"), rules());
        for name in ["a", "b"] {
            share.heard(at(0), name, true);
        }
        let of_b = [of_b.as_str(), "r:0", "r:1", "r:2", "r:3"].into_iter().find(|rule| !share.acts_for(rule)).unwrap();
        share.leave_to_others(at(10), of_b, 1, 1);
        assert_eq!(share.take_due(at(2000)), Vec::<u64>::new());
        assert_eq!(share.next_deadline(), Some(at(2250)));
        assert_eq!(share.take_due(at(3000)), [1]);
        assert_eq!(share.others().count(), 0);
    }

    #[test]
    fn what_became_ours_is_done_after_a_while_if_nobody_said_so() {
        let (mut share, [own, ..]) = (share("a"), rules());
        for name in ["b", "c"] {
            share.heard(at(0), name, true);
        }
        share.leave_to_others(at(10), &own, 1, 1);
        share.heard(at(20), "a", true);
        assert_eq!(share.take_due(at(30)), Vec::<u64>::new(), "`b` or `c` is about to say that it is done");
        share.heard(at(900), "b", true);
        share.heard(at(900), "c", true);
        assert_eq!(share.take_due(at(1010)), [1]);
        share.leave();
        assert!(!share.acts_for(&own));
    }
}
