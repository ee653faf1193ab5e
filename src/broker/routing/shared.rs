//! Shared subscriptions: each message goes to one member of a group (MQTT 5.0, 4.8.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::subscriptions::Hit;
use crate::broker::filter::Filter;
use crate::broker::session::SessionSlot;

/// The groups of all shared subscriptions.
#[derive(Debug, Default)]
pub(in crate::broker) struct Groups {
    by_text: BTreeMap<Arc<str>, GroupId>,
    by_id: BTreeMap<GroupId, Group>,
    next: u32,
}

/// The number of a group, for as long as it has members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::broker) struct GroupId(u32);

#[derive(Debug)]
struct Group {
    filter: Filter,
    members: Vec<Hit>,
    /// Whose turn it is.
    turn: usize,
}

/// How soon a member would get a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::broker) enum Readiness {
    /// At once.
    Now,
    /// Behind others.
    Later,
    /// When it is back.
    Away,
    /// Never.
    Never,
}

impl Groups {
    /// Adds a member, in place of its earlier subscription. Returns the group's number, and whether it is a new one.
    pub(in crate::broker) fn join(&mut self, filter: &Filter, mut hit: Hit) -> (GroupId, bool) {
        let known = self.by_text.get(filter.text()).copied();
        let id = known.unwrap_or(GroupId(self.next));
        if known.is_none() {
            self.next = self.next.wrapping_add(1);
            self.by_text.insert(Arc::clone(filter.text()), id);
        }
        hit.group = Some(id);
        let new = || Group { filter: filter.clone(), members: Vec::new(), turn: 0 };
        let group = self.by_id.entry(id).or_insert_with(new);
        match group.members.iter_mut().find(|member| member.session == hit.session) {
            Some(member) => *member = hit,
            None => group.members.push(hit),
        }
        (id, known.is_none())
    }

    /// Removes a member. Returns the group's number, and whether nobody is left.
    pub(in crate::broker) fn leave(&mut self, filter: &Filter, session: SessionSlot) -> Option<(GroupId, bool)> {
        let id = *self.by_text.get(filter.text())?;
        let group = self.by_id.get_mut(&id)?;
        let place = group.members.iter().position(|member| member.session == session)?;
        group.members.remove(place);
        if place < group.turn {
            group.turn -= 1;
        }
        let is_empty = group.members.is_empty();
        if is_empty {
            self.by_id.remove(&id);
            self.by_text.remove(filter.text());
        }
        Some((id, is_empty))
    }

    /// Returns the number of the group that subscribed with `text`.
    pub(in crate::broker) fn find(&self, text: &str) -> Option<GroupId> {
        self.by_text.get(text).copied()
    }

    /// Returns the filter of a group.
    pub(in crate::broker) fn filter(&self, id: GroupId) -> Option<&Filter> {
        self.by_id.get(&id).map(|group| &group.filter)
    }

    /// Returns whether a group has a member besides `session` that would get a message.
    pub(in crate::broker) fn has_other(
        &self,
        id: GroupId,
        session: SessionSlot,
        gets_it: impl Fn(&Hit) -> bool,
    ) -> bool {
        let mut members = self.by_id.get(&id).into_iter().flat_map(|group| &group.members);
        members.any(|member| member.session != session && gets_it(member))
    }

    /// Returns the member that gets the next message: of those that get it soonest, the one whose turn it is.
    pub(in crate::broker) fn choose(&mut self, id: GroupId, readiness: impl Fn(&Hit) -> Readiness) -> Option<Hit> {
        let group = self.by_id.get_mut(&id)?;
        let count = group.members.len();
        let places = (0..count).map(|step| (group.turn + step) % count);
        let rated = places.filter_map(|place| Some((readiness(group.members.get(place)?), place)));
        // The first of equals is taken.
        let (rated, place) = rated.min_by_key(|(readiness, _)| *readiness)?;
        if rated == Readiness::Never {
            return None;
        }
        group.turn = (place + 1) % count;
        group.members.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::packet::SubscribeOptions;
    use crate::model::Qos;

    fn member(session: u32) -> Hit {
        Hit::new(SessionSlot(session), SubscribeOptions::plain(Qos::AtMostOnce), None)
    }

    #[test]
    fn members_take_turns_and_those_that_wait_are_passed_over() {
        let filter = Filter::parse("$share/g/a").unwrap();
        let mut groups = Groups::default();
        let (id, is_new) = groups.join(&filter, member(0));
        assert!(is_new);
        for session in 1..4 {
            assert_eq!(groups.join(&filter, member(session)), (id, false));
        }
        let rate =
            |hit: &Hit| [Readiness::Now, Readiness::Away, Readiness::Now, Readiness::Later][hit.session.0 as usize];
        let mut choose = || groups.choose(id, rate).map(|hit| hit.session.0);
        assert_eq!([choose(), choose(), choose()], [Some(0), Some(2), Some(0)]);
        assert_eq!(groups.leave(&filter, SessionSlot(0)), Some((id, false)));
        assert_eq!(groups.choose(id, |_| Readiness::Never), None);
        for session in 1..3 {
            groups.leave(&filter, SessionSlot(session));
        }
        assert_eq!(groups.leave(&filter, SessionSlot(3)), Some((id, true)));
        assert_eq!((groups.find("$share/g/a"), groups.leave(&filter, SessionSlot(3))), (None, None));
    }
}
