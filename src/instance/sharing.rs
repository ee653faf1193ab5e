//! Who acts for which rule, where several instances share a home: by rendezvous hashing, so that each instance decides alike without
//! asking, and one that goes moves only its own rules.

use std::collections::BTreeSet;

use crate::model::Fingerprint;

/// Returns who of those alive acts for the rule with this id; `None`: nobody is alive.
#[must_use]
pub fn owner<'a>(rule: &str, alive: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    alive.into_iter().max_by_key(|name| {
        let mut fingerprint = Fingerprint::new();
        fingerprint.text(name);
        fingerprint.text(rule);
        // The last bytes of a name change only the low bits of the hash: they are spread over all of them.
        let mut bits = fingerprint.value();
        bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        (bits ^ (bits >> 33), std::cmp::Reverse(*name))
    })
}

/// The instances that share a home, and which of them are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    name: String,
    all: BTreeSet<String>,
    alive: BTreeSet<String>,
}

impl Members {
    /// Returns the members as the one of this name sees them, which knows only itself to be there.
    #[must_use]
    pub fn new(name: &str, all: impl IntoIterator<Item = String>) -> Members {
        let name = name.to_owned();
        Members { all: all.into_iter().collect(), alive: BTreeSet::from([name.clone()]), name }
    }

    /// Takes note of whether one is there. Returns whether that changes anything: strangers don't count, and we know of ourselves.
    pub fn heard(&mut self, name: &str, is_alive: bool) -> bool {
        if name == self.name || !self.all.contains(name) {
            return false;
        }
        if is_alive { self.alive.insert(name.to_owned()) } else { self.alive.remove(name) }
    }

    /// Returns who is there.
    #[must_use]
    pub fn alive(&self) -> &BTreeSet<String> {
        &self.alive
    }

    /// Returns whether this instance acts for the rule with this id.
    #[must_use]
    pub fn acts_for(&self, rule: &str) -> bool {
        owner(rule, self.alive.iter().map(String::as_str)) == Some(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn rules_are_spread_and_only_those_of_one_who_goes_move() {
        let names = ["a", "b", "c"];
        let rules: Vec<String> = (0..3000).map(|number| format!("rooms/r{number}:light")).collect();
        let owners = |alive: &[&'static str]| -> BTreeMap<&str, &str> {
            rules.iter().map(|rule| (rule.as_str(), owner(rule, alive.iter().copied()).unwrap())).collect()
        };
        let before = owners(&names);
        for name in names {
            let count = before.values().filter(|owner| **owner == name).count();
            assert!((850..1150).contains(&count), "{name}: {count}");
        }
        let after = owners(&["c", "a"]);
        for (rule, owner) in &before {
            assert!(*owner == "b" || after[rule] == *owner, "{rule} moved from {owner}, who is still there");
        }
        assert_eq!(owner("x", []), None);
    }

    #[test]
    fn each_rule_has_one_who_acts_for_it_as_each_sees_it() {
        let all = ["a", "b", "c"].map(str::to_owned);
        let mut members: Vec<Members> = all.iter().map(|name| Members::new(name, all.clone())).collect();
        for member in &mut members {
            for name in ["a", "b", "c", "stranger"] {
                member.heard(name, true);
            }
        }
        for rule in 0..100 {
            let rule = format!("r:{rule}");
            assert_eq!(members.iter().filter(|member| member.acts_for(&rule)).count(), 1, "{rule}");
        }
        assert!(members[0].heard("b", false) && !members[0].heard("b", false) && !members[0].heard("a", false));
    }
}
