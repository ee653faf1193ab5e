//! Decodes what an instance is among those of its home, and where a home's own topics are.

use std::time::Duration;

use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::yaml::tree::Node;
use crate::model::Topic;

use super::decoder::given;
use super::{InstanceRole, InstanceSettings};

/// How long a leader leads without word, unless told.
const LEASE: Duration = Duration::from_secs(15);

impl Reader<'_> {
    pub(super) fn instance(&mut self, node: &Node) -> Option<InstanceSettings> {
        let mut fields = Fields::of(node, "`instance`", &self.text, &mut self.findings)?;
        let name = fields.need("name", &self.text).and_then(|node| self.level(node));
        let standby_of = given(&mut fields, "standby_of");
        let share = given(&mut fields, "share");
        let home = given(&mut fields, "home").and_then(|node| self.level(node));
        let lease = given(&mut fields, "lease").and_then(|node| self.interval(node)).unwrap_or(LEASE);
        let key = self.text_of(&mut fields, "key");
        let force = given(&mut fields, "force").and_then(|node| self.flag(node)).unwrap_or(false);
        let instance = match (standby_of, share) {
            (Some(_), Some(_)) => {
                let help = "instances either wait for the leader, or share the rules";
                fields.conflict("standby_of", "share", help, &mut self.findings);
                None
            }
            (Some(leader), None) => {
                let leader = self.level(leader);
                if let (Some(_), Some(leader), Some(entry)) = (&home, &leader, fields.take_entry("home")) {
                    let message = format!("`standby_of` names the home `{leader}` already");
                    let found = self.findings.error(Code::CONFLICTING_KEYS, entry.key_span.clone(), message);
                    found.help("remove `home`");
                }
                leader.map(|home| (home, InstanceRole::Standby))
            }
            (None, Some(names)) => {
                let names = self.sharing(names, name.as_deref());
                if home.is_none() {
                    fields.need("home", &self.text);
                }
                home.zip(names).map(|(home, names)| (home, InstanceRole::Share(names)))
            }
            (None, None) => {
                fields.need("standby_of", &self.text);
                None
            }
        };
        fields.finish(&mut self.findings);
        let (home, role) = instance?;
        Some(InstanceSettings { name: name?, home, role, lease, key, force })
    }

    /// Returns the names of those that share the rules, `own` among them.
    fn sharing(&mut self, node: &Node, own: Option<&str>) -> Option<Vec<String>> {
        let names: Vec<String> = self.texts(node).iter().map(ToString::to_string).collect();
        if let Some(own) = own.filter(|own| !names.iter().any(|name| name == own)) {
            let message = format!("`share` doesn't name this instance, `{own}`");
            let help = "name all instances, the same in each of their files";
            self.findings.error(Code::OUT_OF_RANGE, self.mark(node), message).help(help);
            return None;
        }
        Some(names)
    }

    /// Reports that several instances need a broker between them.
    pub(super) fn instance_without_broker(&mut self, root: &Node) {
        let entry = root.as_map().into_iter().flatten().find(|entry| entry.key.as_str() == "instance");
        let Some(entry) = entry else { return };
        let message = "`instance` has no effect without `broker.url`: instances meet at a broker of their own";
        self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
    }

    pub(super) fn topic_prefix(&mut self, node: &Node) -> Option<String> {
        let fixed = self.fixed(node, "a topic (`homerule`)")?;
        let is_prefix = Topic::parse(&fixed.text).is_ok() && !fixed.text.starts_with('$');
        if is_prefix && !fixed.text.split('/').any(str::is_empty) {
            return Some(fixed.text.to_string());
        }
        let message = format!("`{}` can't be in front of topics", fixed.text);
        self.findings.error(Code::BAD_TOPIC, fixed.span, message).help("use one or more levels, e.g. `homerule`");
        None
    }

    /// Returns a name that is a level of a topic.
    fn level(&mut self, node: &Node) -> Option<String> {
        let fixed = self.fixed(node, "a name")?;
        let is_letter = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
        if !fixed.text.is_empty() && fixed.text.chars().all(is_letter) {
            return Some(fixed.text.to_string());
        }
        let message = format!("`{}` can't be the name of an instance or a home", fixed.text);
        let help = "use letters, digits, `-`, `_` and `.`: it becomes a level of topics";
        self.findings.error(Code::BAD_NAME, fixed.span, message).help(help);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::settings::decoder::tests::settings;

    fn read(yaml: &str) -> (Option<InstanceSettings>, Vec<String>) {
        let (settings, messages) = settings(&format!("broker: {{ url: mqtt://h }}\ninstance: {yaml}"));
        (settings.instance, messages)
    }

    #[test]
    fn an_instance_waits_or_shares() {
        let (standby, messages) = read("{ name: a, standby_of: home, lease: 30s, key: k.txt, force: true }");
        let standby = standby.unwrap_or_else(|| panic!("{messages:?}"));
        assert_eq!((standby.name.as_str(), standby.home.as_str(), standby.role), ("a", "home", InstanceRole::Standby));
        assert_eq!(
            (standby.lease, standby.key.as_deref(), standby.force),
            (Duration::from_secs(30), Some("k.txt"), true)
        );
        let (shared, messages) = read("{ name: a, home: h, share: [a, b, c] }");
        let shared = shared.unwrap_or_else(|| panic!("{messages:?}"));
        assert_eq!(
            (shared.lease, shared.role),
            (LEASE, InstanceRole::Share(["a", "b", "c"].map(str::to_owned).into()))
        );
    }

    #[test]
    fn what_is_missing_or_contradicts_is_told() {
        for (yaml, message) in [
            ("{ standby_of: h }", "`name` is missing from `instance`"),
            ("{ name: a }", "`standby_of` is missing from `instance`"),
            ("{ name: a, share: [a, b] }", "`home` is missing from `instance`"),
            ("{ name: a, home: h, share: [b] }", "`share` doesn't name this instance, `a`"),
            ("{ name: a/b, standby_of: h }", "`a/b` can't be the name of an instance or a home"),
            ("{ name: a, standby_of: h, home: x }", "`standby_of` names the home `h` already"),
            ("{ name: a, standby_of: h, share: [a] }", "`standby_of` and `share` can't be used together in `instance`"),
        ] {
            assert_eq!(read(yaml).1, [message], "{yaml}");
        }
        let alone = settings("instance: { name: a, standby_of: h }").1;
        assert_eq!(alone, ["`instance` has no effect without `broker.url`: instances meet at a broker of their own"]);
    }

    #[test]
    fn own_topics_may_be_moved() {
        assert_eq!(settings("topic_prefix: homes/one").0.topic_prefix, "homes/one");
        for wrong in ["a/#", "a//b", "/a", "a/", "$SYS"] {
            assert_eq!(settings(&format!("topic_prefix: '{wrong}'")).1.len(), 1, "{wrong}");
        }
    }
}
