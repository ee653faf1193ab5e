//! Of which topics and devices the rules of a home must hear: what stands in their triggers, conditions, expressions, scripts and
//! actions. What only a run knows isn't among it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Topic, TopicFilter};
use crate::rules::{
    ActionKind, Condition, ConditionKind, IfChanged, Publish, Rule, RuleEntry, Ruleset, Snapshot, SnapshotPart,
    TargetKind, TriggerKind, snapshot_parts,
};
use crate::script::{Expression, Template, TopicCall};

use super::graph::names::Names;
use super::{Level, Pattern};

/// Stands for the levels of a topic for which a rule is made: no topic of a home has it.
const ANY_LEVEL: &str = "\u{f8ff}";

/// Of what rules must hear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Filters of topics, those of our own among them.
    pub filters: BTreeSet<Arc<str>>,
    /// Whether they speak of devices, whatever these are called.
    pub devices: bool,
}

impl Needs {
    /// Returns what the rules and invariants of `rules` need, and the texts of its notifications.
    #[must_use]
    pub fn of(rules: &Ruleset) -> Needs {
        let mut needs = Needs::default();
        for entry in rules.all() {
            match entry {
                RuleEntry::Rule(rule) => needs.rule(rule),
                RuleEntry::EachTopic(each) => {
                    needs.filter(&each.filter);
                    // One that it makes shows what they all read.
                    let example = |capture: &str| {
                        let topic = Topic::parse(&each.filter.plain().replace(['+', '#'], capture)).ok()?;
                        (each.make)(&topic).ok().map(|rule| (rule, topic))
                    };
                    if let Some((rule, topic)) = [ANY_LEVEL, "1"].into_iter().find_map(example) {
                        needs.rule_for(&rule, &topic);
                    }
                }
            }
        }
        let nothing = Rule::vacant();
        let mut reader = Reader { names: Names::of(&nothing), needs: &mut needs };
        for target in rules.targets.iter() {
            match &target.kind {
                TargetKind::Publish(message) => reader.message(message),
                TargetKind::Http(http) => {
                    reader.expressions(http.templates().into_iter().flat_map(Template::expressions));
                }
                TargetKind::Ntfy(_) | TargetKind::Telegram(_) => {}
            }
        }
        needs
    }

    /// Returns what one rule or invariant needs.
    #[must_use]
    pub fn of_rule(rule: &Rule) -> Needs {
        let mut needs = Needs::default();
        needs.rule(rule);
        needs
    }

    fn filter(&mut self, filter: &TopicFilter) {
        self.filters.insert(filter.plain().into());
    }

    /// Takes what the topics of a pattern are, whose levels of which nothing is known may be anything. One of which nothing is known
    /// at all is left out: it would be everything.
    fn pattern(&mut self, pattern: &Pattern) {
        let level = |level: &Level| match level {
            Level::Text(text) if !text.contains(ANY_LEVEL) => text.to_string(),
            Level::Text(_) | Level::One | Level::Many => "+".to_owned(),
        };
        let levels: Vec<String> = pattern.levels().iter().map(level).collect();
        let is_known = levels.iter().any(|level| !level.is_empty() && level != "+");
        if let Some(filter) = TopicFilter::parse(&levels.join("/")).ok().filter(|_| is_known) {
            self.filter(&filter);
        }
    }

    /// Takes what a rule needs that is made for a topic, which the filter of all of them covers.
    fn rule_for(&mut self, rule: &Rule, topic: &Topic) {
        let mut own = Needs::of_rule(rule);
        self.devices |= own.devices;
        own.filters.remove(topic.as_str());
        let marked = |filter: Arc<str>| {
            let level = |level: &str| if level.contains(ANY_LEVEL) { "+".to_owned() } else { level.to_owned() };
            let levels: Vec<String> = filter.split('/').map(level).collect();
            levels.iter().any(|level| level != "+").then(|| levels.join("/").into())
        };
        self.filters.extend(own.filters.into_iter().filter_map(marked));
    }

    fn rule(&mut self, rule: &Rule) {
        Reader { names: Names::of(rule), needs: self }.rule(rule);
    }
}

/// Takes what one rule needs.
struct Reader<'a> {
    names: Names<'a>,
    needs: &'a mut Needs,
}

impl Reader<'_> {
    fn rule(&mut self, rule: &Rule) {
        for trigger in rule.all_triggers() {
            trigger.filter().into_iter().for_each(|filter| self.needs.filter(filter));
            self.needs.devices |= matches!(trigger.kind, TriggerKind::Device(_));
        }
        for condition in rule.conditions().flat_map(Condition::with_inner) {
            match &condition.kind {
                ConditionKind::State(state) => self.topic(&state.topic),
                ConditionKind::Device(_) => self.needs.devices = true,
                _ => {}
            }
        }
        for watched in rule.yields.iter().flat_map(|yields| &yields.to) {
            self.needs.filter(&watched.filter);
        }
        self.expressions(rule.expressions().into_iter());
        for closure in rule.closures() {
            self.calls(closure.topic_calls());
            self.needs.devices |= closure.speaks_of_devices();
        }
        let scenes = rule.scenes.values();
        for action in rule.actions().map(|action| &action.kind).chain(scenes) {
            self.action(action);
        }
    }

    fn action(&mut self, action: &ActionKind) {
        self.needs.devices |= !action.sets().is_empty();
        action.messages().iter().for_each(|message| self.compared(message));
        if let ActionKind::Snapshot(snapshot) = action {
            self.snapshot(snapshot);
        }
    }

    fn message(&mut self, message: &Publish) {
        self.expressions(message.templates().into_iter().flat_map(Template::expressions));
        self.compared(message);
    }

    /// What a message is compared with, or confirmed by.
    fn compared(&mut self, message: &Publish) {
        match &message.if_changed {
            IfChanged::Always => {}
            IfChanged::OwnTopic => self.topic(&message.topic),
            IfChanged::Topic(topic) => self.topic(topic),
        }
        message.confirm.iter().for_each(|confirm| self.topic(&confirm.state));
    }

    /// What is remembered must be known before.
    fn snapshot(&mut self, snapshot: &Snapshot) {
        let Some(parts) = snapshot.target.as_constant().and_then(|target| snapshot_parts(target).ok()) else {
            self.needs.devices = true;
            return self.topic(&snapshot.target);
        };
        for part in parts {
            match part {
                SnapshotPart::Topics(filter) => {
                    if let Ok(filter) = TopicFilter::parse(&filter) {
                        self.needs.filter(&filter);
                    }
                }
                SnapshotPart::Device(_) | SnapshotPart::Where(_) => self.needs.devices = true,
            }
        }
    }

    fn topic(&mut self, topic: &Template) {
        self.names.topics(topic).iter().for_each(|pattern| self.needs.pattern(pattern));
    }

    fn expressions<'e>(&mut self, expressions: impl Iterator<Item = &'e Expression>) {
        for expression in expressions {
            for mention in expression.topics() {
                self.names.topics_of_pieces(&mention.topic).iter().for_each(|pattern| self.needs.pattern(pattern));
            }
            self.calls(expression.calls_of_libraries());
            self.needs.devices |= expression.reads_devices();
        }
    }

    fn calls(&mut self, calls: Vec<TopicCall>) {
        for call in calls.iter().filter(|call| call.reads()) {
            self.names.topics_of_pieces(&call.topic).iter().for_each(|pattern| self.needs.pattern(pattern));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Home, Source, Sources};

    fn needs(files: &[(&str, &str)]) -> Needs {
        let mut sources = Sources::new();
        for (path, text) in files {
            sources.insert((*path).into(), Source::Content(text.as_bytes().into()));
        }
        let home = Home::load(&sources);
        let said: Vec<&str> = home.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        assert!(home.ruleset.all().count() > 0, "{said:?} {files:?}");
        Needs::of(&home.ruleset)
    }

    fn heard(rules: &str) -> Vec<String> {
        let needs = needs(&[("homerule.yaml", "allow: { exec: [echo] }\n"), ("rules/a.yaml", rules)]);
        needs.filters.iter().map(ToString::to_string).collect()
    }

    /// Returns what a rule needs whose `then` is this, its own trigger aside.
    fn heard_in(then: &str) -> Vec<String> {
        let mut found = heard(&format!(
            "rules: {{ other: {{ when: bell, then: {{ log: x }} }}, a: {{ when: bell, then: {then} }} }}"
        ));
        found.retain(|filter| filter != "bell");
        found
    }

    fn script(text: &str) -> Vec<String> {
        needs(&[("rules/a.rhai", text)]).filters.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_trigger_is_heard() {
        for (when, expected) in [
            ("home/+room/tv", "home/+/tv"),
            ("{ state: home/+room/temp, above: 20 }", "home/+/temp"),
            ("{ silent: home/+/alive, for: 1h }", "home/+/alive"),
            ("{ sequence: [a/b, c/d], within: 5s }", "a/b c/d"),
            ("{ at: \"${state('wake/time')}\" }", "wake/time"),
            ("{ topic: a/b, where: \"msg == state('c/d')\" }", "a/b c/d"),
            ("{ every: 1h }", ""),
        ] {
            assert_eq!(
                heard(&format!("rules: {{ a: {{ when: {when}, then: {{ log: x }} }} }}")).join(" "),
                expected,
                "{when}"
            );
        }
    }

    #[test]
    fn each_condition_is_heard() {
        for (condition, expected) in [
            ("state('weather/lux') < 20 and exists(\"home/a\")", "home/a weather/lux"),
            ("count('home/+/window', 'open') > 0", "home/+/window"),
            ("average('home/power', '1h') + duration('home/heat', 'ON', 'today') > 5", "home/heat home/power"),
            ("{ any: [ { state: c/d, is: 1 }, { not: { state: e/f, below: 2 } } ] }", "c/d e/f"),
        ] {
            let rules =
                format!("rules:\n  a:\n    when: {{ every: 1h }}\n    if: {condition}\n    then: {{ log: x }}\n");
            assert_eq!(heard(&rules).join(" "), expected, "{condition}");
            let rules = format!("rules:\n  a:\n    while: {condition}\n    then: {{ log: x }}\n");
            assert_eq!(heard(&rules).join(" "), expected, "{condition}");
        }
    }

    #[test]
    fn each_action_is_heard_wherever_it_reads() {
        for then in [
            "{ publish: out, payload: \"${state('a/b')}\" }",
            "{ \"out/${state('a/b')}\": 1 }",
            "{ publish: a/b, payload: 1, if_changed: true }",
            "{ publish: out, payload: 1, if_changed: a/b }",
            "{ publish: out, payload: 1, confirm: { state: a/b, is: 1, within: 5s } }",
            "{ let: { x: \"${state('a/b')}\" } }",
            "{ remember: { x: \"${state('a/b')}\" } }",
            "{ delay: \"${state('a/b')}\" }",
            "{ wait: a/b }",
            "{ wait: { until: \"state('a/b') == 1\" } }",
            "{ wait: out, timeout: \"${state('a/b')}\" }",
            "{ if: \"state('a/b') == 1\", then: { log: x } }",
            "{ if: \"true\", then: { log: \"${state('a/b')}\" } }",
            "{ choose: [ { if: \"state('a/b') == 1\", then: { log: x } } ] }",
            "{ choose: \"state('a/b')\", cases: { x: { log: x } } }",
            "{ repeat: { times: \"${state('a/b')}\" }, do: { log: x } }",
            "{ repeat: { while: \"state('a/b') == 1\" }, do: { delay: 1s } }",
            "{ repeat: { each: \"${state('a/b')}\" }, do: { log: x } }",
            "{ repeat: { every: \"${state('a/b')}\", until: { topic: bell } }, do: { log: x } }",
            "{ repeat: { every: 5s, until: { topic: a/b } }, do: { log: x } }",
            "{ parallel: [ [ { log: \"${state('a/b')}\" } ], [ { log: x } ] ] }",
            "{ run: other, with: { x: \"${state('a/b')}\" } }",
            "{ snapshot: a/b, as: x }",
            "{ stop: \"${state('a/b')}\" }",
            "{ http: { url: \"http://localhost/${state('a/b')}\" } }",
            "{ http: { url: \"http://localhost/\", method: POST, body: \"${state('a/b')}\" } }",
            "{ exec: [ echo, \"${state('a/b')}\" ] }",
        ] {
            let found: Vec<String> = heard_in(then).into_iter().filter(|filter| filter != "out").collect();
            assert_eq!(found, ["a/b"], "{then}");
        }
    }

    #[test]
    fn what_only_a_script_reads_is_heard() {
        let text = "const FAR = 5;\nfn lux(room) { state(`home/${room}/lux`) }\n\
                    // state(\"in/comment\") isn't read.\n\
                    rule(\"a\", #{ when: \"bell\", \"if\": \"state('if/text')\", then: |e| {\n\
                      let x = state(\"read/first\"); let y = `${last(\"in/text\")}`; let z = lux(e.msg);\n\
                      publish(\"out/told\", state(\"read/second\")); let w = \"met/hod\".age(); let u = median(\"pa/st\", \"1h\");\n\
                      log(\"state('in/a/text')\");\n\
                    } });\nfn unused() { state(\"un/used\") }\n";
        assert_eq!(
            script(text),
            ["bell", "home/+/lux", "if/text", "in/text", "met/hod", "pa/st", "read/first", "read/second"]
        );
    }

    #[test]
    fn what_a_library_reads_is_heard() {
        let library = ("rules/lib/lux.rhai", "fn dark() { state(\"weather/lux\") < 20 }\n");
        let rules = ("rules/a.yaml", "rules: { a: { when: bell, if: \"lux::dark()\", then: { log: x } } }");
        let needs = needs(&[library, rules]);
        assert!(needs.filters.contains("weather/lux"), "{needs:?}");
    }

    #[test]
    fn what_stands_in_a_comment_or_a_text_is_not_heard() {
        let rules = "# state('in/comment')\nrules:\n  a:\n    description: reads state('in/words')\n    when: bell # and state('in/note')\n    \
                     then: { log: \"state('in/text')\" }\n";
        assert_eq!(heard(rules), ["bell"]);
    }

    #[test]
    fn a_text_with_expressions_is_heard_as_far_as_it_is_known() {
        for (expression, expected) in [
            ("state('a/' + room + '/lux')", "a/+/lux"),
            ("state('${topic}/lux')", "home/+/tv/lux"),
            ("state(CONST)", "con/stant"),
            ("state('x/' + memory.n)", "x/+"),
            ("state(memory.n)", ""),
        ] {
            let rules = format!(
                "let: {{ CONST: con/stant }}\nrules: {{ a: {{ when: home/+room/tv, if: \"{expression} == 1\", then: {{ log: x }} }} }}"
            );
            let mut found = heard(&rules);
            found.retain(|filter| filter != "home/+/tv");
            assert_eq!(found.join(" "), expected, "{expression}");
        }
    }

    #[test]
    fn rules_for_topics_read_what_all_of_them_read() {
        let rules = "rules:\n  a:\n    each: { topic: home/+room/temp }\n    when: window/${room}\n    \
                     if: \"state('weather/lux') < msg and state('aim/${room}') > 0 and state('x/y') == 1\"\n    then: { log: x }\n";
        assert_eq!(heard(rules), ["aim/+", "home/+/temp", "weather/lux", "window/+", "x/y"]);
    }

    #[test]
    fn invariants_and_what_yields_are_heard() {
        let rules = "invariants:\n  dry: { never: \"any('leak/+', 'wet') and state('pump/on') == false\" }\n\
                     rules: { a: { when: bell, yields: { for: 1h, to: [lamp/state] }, then: { lamp/set: 1 } } }\n";
        assert_eq!(heard(rules), ["bell", "lamp/state", "leak/+", "pump/on"]);
    }

    #[test]
    fn what_notifications_say_is_heard() {
        let settings = "notify: { me: { publish: phone/me, payload: \"${message}: ${state('who/is/home')}\" } }\n";
        let rules = "rules: { a: { when: bell, then: { notify: me, message: \"${state('a/b')}\" } } }\n";
        let needs = needs(&[("homerule.yaml", settings), ("rules/a.yaml", rules)]);
        assert_eq!(needs.filters.iter().map(|filter| &**filter).collect::<Vec<_>>(), ["a/b", "bell", "who/is/home"]);
    }

    #[test]
    fn who_speaks_of_devices_is_known_and_who_does_not_too() {
        for (then, devices) in [
            ("{ set: Lamp, to: { on: true } }", true),
            ("{ scene: film }", true),
            ("{ snapshot: Lamp }", true),
            ("{ snapshot: { kind: light } }", true),
            ("{ wait: { device: Lamp, field: 'on' } }", true),
            ("{ if: { device: Lamp, field: 'on', is: true }, then: { log: x } }", true),
            ("{ log: \"${device('Lamp').on}\" }", true),
            ("{ log: \"${devices(#{ area: 'hall' }).len()}\" }", true),
            ("{ home/light/set: { state: \"set(device)\" } }", false),
            ("{ snapshot: lamp/+state, as: x }", false),
            ("{ log: \"device('Lamp')\" }", false),
        ] {
            let rules = format!(
                "scenes: {{ film: {{ Lamp: {{ on: true }} }} }}\nrules: {{ a: {{ when: bell, then: {then} }} }}\n"
            );
            assert_eq!(needs(&[("rules/a.yaml", &rules)]).devices, devices, "{then}");
        }
        let script = |then: &str| {
            let text = format!("rule(\"a\", #{{ when: \"bell\", then: |e| {{ {then} }} }});\n");
            needs(&[("rules/a.rhai", &text)]).devices
        };
        assert!(script("set(\"Lamp\", #{ on: true });"));
        assert!(script("let x = device(\"Lamp\").on;"));
        assert!(!script("let set = 5; log(`${set}`);"));
    }
}
