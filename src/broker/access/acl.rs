//! What clients may publish, hear and subscribe to, as mosquitto's ACL file grants it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::broker::filter::Filter;
use crate::model::Topic;

use super::acl_filter::AclFilter;
use super::{FileError, Identity, acl_file};

/// What clients may do.
///
/// What decides first, as in mosquitto: what the user is denied, what the user is granted, what patterns deny, what patterns
/// grant. The order of the lines doesn't matter. What none of them names is denied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl {
    /// `None`: each client may do everything.
    parts: Option<Parts>,
}

/// The parts of an ACL file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parts {
    /// For clients without a user: what stands before the first `user`.
    pub(super) anonymous: Part<AclFilter>,
    pub(super) users: BTreeMap<Arc<str>, Part<AclFilter>>,
    /// For all clients.
    pub(super) patterns: Part<Pattern>,
}

/// Entries that decide together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<F> {
    denied: Vec<F>,
    granted: Vec<(F, Access)>,
}

/// What an entry grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    ReadWrite,
}

/// A filter in which `%c` is the client's identifier and `%u` its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// It has neither.
    Plain(AclFilter),
    Named(Arc<str>),
}

impl Acl {
    /// Returns rules by which each client that was let in may do everything.
    #[must_use]
    pub fn open() -> Acl {
        Acl { parts: None }
    }

    /// Reads the file whose content is `bytes`.
    ///
    /// # Errors
    /// All lines that are wrong; then none of the file counts.
    pub fn parse(bytes: &[u8]) -> Result<Acl, Vec<FileError>> {
        acl_file::read(bytes).map(|parts| Acl { parts: Some(parts) })
    }

    /// Returns whether `who` may publish to `topic`; a will is a publish.
    #[must_use]
    pub fn may_publish(&self, who: &Identity, topic: &Topic) -> bool {
        self.parts.as_ref().is_none_or(|parts| parts.grant(who, topic.as_str(), Access::Write))
    }

    /// Returns whether a message on `topic` may be delivered to `who`.
    #[must_use]
    pub fn may_receive(&self, who: &Identity, topic: &Topic) -> bool {
        self.parts.as_ref().is_none_or(|parts| parts.grant(who, topic.as_str(), Access::Read))
    }

    /// Returns whether anything that `filter` matches may be delivered to `who`. What else it matches is kept from them by
    /// [`Acl::may_receive`].
    #[must_use]
    pub fn may_subscribe(&self, who: &Identity, filter: &Filter) -> bool {
        let Some(parts) = &self.parts else { return true };
        AclFilter::parse(filter.topics()).is_some_and(|filter| parts.grant_some_of(who, &filter))
    }
}

impl Parts {
    fn part_of(&self, who: &Identity) -> Option<&Part<AclFilter>> {
        match &who.user {
            None => Some(&self.anonymous),
            Some(user) => self.users.get(user),
        }
    }

    /// Returns the patterns that count for `who`: none for names with wildcards.
    fn patterns_for(&self, who: &Identity) -> Option<&Part<Pattern>> {
        (!self.patterns.is_empty() && !who.has_wildcard()).then_some(&self.patterns)
    }

    fn grant(&self, who: &Identity, topic: &str, wanted: Access) -> bool {
        let by_user = || self.part_of(who)?.decide(wanted, |filter| filter.matches(topic));
        let for_who = |pattern: &Pattern| pattern.for_client(who).is_some_and(|filter| filter.matches(topic));
        let by_pattern = || self.patterns_for(who)?.decide(wanted, for_who);
        by_user().or_else(by_pattern).unwrap_or(false)
    }

    fn grant_some_of(&self, who: &Identity, filter: &AclFilter) -> bool {
        let part = self.part_of(who);
        let mut denied = part.map(|part| part.denied.clone()).unwrap_or_default();
        let exceeds = |granted: &AclFilter, denied: &[AclFilter]| {
            filter.intersection(granted).is_some_and(|both| both.exceeds(denied))
        };
        if part.is_some_and(|part| part.granted(Access::Read).any(|granted| exceeds(granted, &denied))) {
            return true;
        }
        let Some(patterns) = self.patterns_for(who) else { return false };
        let for_who = |pattern| Pattern::for_client(pattern, who).map(Cow::into_owned);
        denied.extend(patterns.denied.iter().filter_map(for_who));
        patterns.granted(Access::Read).filter_map(for_who).any(|granted| exceeds(&granted, &denied))
    }
}

impl<F> Part<F> {
    /// Adds an entry; without `access` it denies.
    pub(super) fn add(&mut self, filter: F, access: Option<Access>) {
        match access {
            Some(access) => self.granted.push((filter, access)),
            None => self.denied.push(filter),
        }
    }

    fn is_empty(&self) -> bool {
        self.denied.is_empty() && self.granted.is_empty()
    }

    /// Returns whether a topic is granted, of which `matches` tells what matches it; `None` when no entry decides.
    fn decide(&self, wanted: Access, matches: impl Fn(&F) -> bool) -> Option<bool> {
        if self.denied.iter().any(&matches) {
            return Some(false);
        }
        self.granted(wanted).any(matches).then_some(true)
    }

    fn granted(&self, wanted: Access) -> impl Iterator<Item = &F> {
        let covers = move |access: Access| access == Access::ReadWrite || access == wanted;
        self.granted.iter().filter(move |(_, access)| covers(*access)).map(|(filter, _)| filter)
    }
}

impl<F> Default for Part<F> {
    fn default() -> Part<F> {
        Part { denied: Vec::new(), granted: Vec::new() }
    }
}

impl Pattern {
    /// Returns the pattern that `text` writes; `None` when it isn't one.
    pub(super) fn parse(text: &str) -> Option<Pattern> {
        let filter = AclFilter::parse(text)?;
        let is_named = text.contains("%c") || text.contains("%u");
        Some(if is_named { Pattern::Named(text.into()) } else { Pattern::Plain(filter) })
    }

    /// Returns its filter for one client; `None` when it is for users, and the client has none.
    fn for_client(&self, who: &Identity) -> Option<Cow<'_, AclFilter>> {
        let text = match self {
            Pattern::Plain(filter) => return Some(Cow::Borrowed(filter)),
            Pattern::Named(text) => text,
        };
        let mut filter = String::with_capacity(text.len() + who.client.len());
        let mut rest: &str = text;
        // In one pass: a user may be called `%c`.
        while let Some((before, after)) = rest.split_once('%') {
            filter.push_str(before);
            let (value, after) = match after.strip_prefix('c') {
                Some(after) => (&*who.client, after),
                None => match after.strip_prefix('u') {
                    Some(after) => (who.user.as_deref()?, after),
                    None => ("%", after),
                },
            };
            filter.push_str(value);
            rest = after;
        }
        filter.push_str(rest);
        AclFilter::parse(&filter).map(Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client may do by a file.
    struct Grants(Acl, Identity);

    impl Grants {
        fn may_read(&self, topic: &str) -> bool {
            self.0.may_receive(&self.1, &Topic::parse(topic).unwrap())
        }

        fn may_publish(&self, topic: &str) -> bool {
            self.0.may_publish(&self.1, &Topic::parse(topic).unwrap())
        }

        fn may_subscribe(&self, filter: &str) -> bool {
            self.0.may_subscribe(&self.1, &Filter::parse(filter).unwrap())
        }
    }

    fn grants(text: &str, user: Option<&str>, client: &str) -> Grants {
        let acl = Acl::parse(text.as_bytes()).expect(text);
        Grants(acl, Identity { user: user.map(Into::into), client: client.into() })
    }

    #[test]
    fn a_part_counts_for_its_user_and_the_first_one_for_clients_without_a_user() {
        let file =
            "# ours\ntopic read open/#\n\nuser ann\ntopic home/#\ntopic write log\nuser Bob Smith\ntopic read a b\n";
        let (nobody, ann, bob) =
            (grants(file, None, "c"), grants(file, Some("ann"), "c"), grants(file, Some("Bob Smith"), "c"));
        assert!(nobody.may_read("open/x") && !nobody.may_publish("open/x") && !nobody.may_read("home/x"));
        assert!(ann.may_read("home/x") && ann.may_publish("home/x") && !ann.may_read("open/x"));
        assert!(ann.may_publish("log") && !ann.may_read("log"));
        assert!(bob.may_read("a b") && !bob.may_publish("a b"));
        assert!(!grants(file, Some("eve"), "c").may_read("open/x"));
        assert!(!grants(file, Some(""), "c").may_read("open/x"), "an empty user is a user");
    }

    #[test]
    fn what_is_denied_decides_first_within_the_user_and_within_patterns() {
        let file = "user u\ntopic a/#\ntopic deny a/secret\ntopic granted/x\n\
                    pattern deny granted/#\npattern read a/#\npattern read granted/#\n";
        let (user, other) = (grants(file, Some("u"), "c"), grants(file, None, "c"));
        assert!(user.may_read("a/x") && !user.may_read("a/secret"));
        assert!(user.may_read("granted/x"), "what the user is granted decides before what patterns deny");
        assert!(!user.may_read("granted/y"));
        assert!(other.may_read("a/secret") && !other.may_read("granted/x"));
    }

    #[test]
    fn patterns_hold_the_clients_own_names() {
        let file = "pattern readwrite dev/%c/#\npattern read user/%u/in\npattern read mixed/%u-%c%%\n";
        let client = grants(file, Some("ann"), "c1");
        assert!(client.may_publish("dev/c1/x") && !client.may_publish("dev/c2/x"));
        assert!(client.may_read("user/ann/in") && !client.may_read("user/bob/in"));
        assert!(client.may_read("mixed/ann-c1%%"));
        let nobody = grants(file, None, "c1");
        assert!(nobody.may_read("dev/c1/x") && !nobody.may_read("user//in"));
        let sly = grants(file, Some("%c"), "c1");
        assert!(sly.may_read("user/%c/in") && !sly.may_read("user/c1/in"));
    }

    #[test]
    fn names_with_wildcards_get_nothing_from_patterns() {
        let file = "topic read open\nuser +\ntopic read mine\npattern read user/%u\npattern read all/#\n";
        let sly = grants(file, Some("+"), "c");
        assert!(!sly.may_read("user/ann") && !sly.may_read("all/x") && sly.may_read("mine"));
        assert!(!sly.may_subscribe("all/x") && sly.may_subscribe("mine"));
        let sly = grants(file, None, "a#");
        assert!(!sly.may_read("all/x") && sly.may_read("open"));
    }

    #[test]
    fn topics_of_the_broker_are_granted_by_name_only() {
        let all = grants("topic #\n", None, "c");
        assert!(all.may_read("a") && !all.may_read("$SYS/broker/uptime") && !all.may_subscribe("$SYS/#"));
        let named = grants("topic read $SYS/broker/uptime\n", None, "c");
        assert!(named.may_read("$SYS/broker/uptime") && named.may_subscribe("$SYS/#") && !named.may_subscribe("#"));
    }

    #[test]
    fn a_subscription_is_refused_only_if_nothing_that_it_matches_is_granted() {
        let file = "user u\ntopic read a/+/c\ntopic write w/#\ntopic read b/#\ntopic deny b/+\ntopic deny b\n\
                    topic read d/+\ntopic deny d/#\npattern read p/#\npattern deny p/x\n";
        let grants = grants(file, Some("u"), "c");
        for (filter, may) in [
            ("#", true),
            ("a/#", true),
            ("a/b/c", true),
            ("a/b/d", false),
            ("a/b", false),
            ("w/#", false),
            ("b/#", true),
            ("b/+", false),
            ("b/+/x", true),
            ("d/#", false),
            ("p/x", false),
            ("p/+", true),
            ("$share/g/a/#", true),
            ("$share/g/w/#", false),
        ] {
            assert_eq!(grants.may_subscribe(filter), may, "{filter}");
        }
    }

    #[test]
    fn without_a_file_each_may_do_everything() {
        let open = Grants(Acl::open(), Identity { user: None, client: "c".into() });
        assert!(open.may_subscribe("$SYS/#") && open.may_read("$SYS/x") && open.may_publish("homerule/input/x"));
        assert_eq!(Acl::default(), Acl::open());
        let nothing = grants("", None, "c");
        assert!(!nothing.may_subscribe("#") && !nothing.may_read("a") && !nothing.may_publish("a"));
    }
}
