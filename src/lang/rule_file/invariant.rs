//! Decodes invariants: what must never happen in a home (docs/safety.md).

use crate::lang::Code;
use crate::lang::reader::fields::{Fields, Missing};
use crate::lang::reader::foreign::Place;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::Topic;
use crate::rules::{Condition, ConditionKind, EXPECT, Expect, Invariant, InvariantForm, Rule, Start, TriggerKind};

use super::decoder::{Decoder, Grows};
use super::file::RuleSource;
use super::fingerprint::fingerprint;
use super::trigger::{optional, wildcards};

/// The keys that say which form an invariant has.
const FORMS: [&str; 5] = ["never", "always", "after", "when", "at_most"];

/// The keys under which triggers stand.
const TRIGGERS: [&str; 4] = ["after", "expect", "when", "of"];

/// How often something may be allowed to happen.
const MOST: u64 = 10_000;

impl Decoder<'_> {
    /// Returns an invariant, as the rule that carries it.
    pub(super) fn invariant(&mut self, source: &RuleSource, each_topic: Option<Topic>) -> Option<Rule> {
        let node = &source.node;
        let fields = Fields::of(node, "an invariant", &self.reader.text, &mut self.reader.findings)?;
        let mut fields = fields.at(Place::Elsewhere);
        fields.allow(&["each", "expect", "within", "throughout", "only_if", "of", "for"]);
        let name = fields.take("name").and_then(|node| self.plain_text(node));
        let description = fields.take("description").and_then(|node| self.plain_text(node));
        for key in TRIGGERS {
            if let Some(triggers) = node.get(key).filter(|node| key != EXPECT || is_trigger(node)) {
                let own = wildcards(triggers, &self.reader);
                self.may_read_wildcards(own);
            }
        }
        let variables = fields.take("let").map(|node| self.variables(node, Grows::WithEach));
        let mut start = Vec::new();
        let form = self.form(&mut fields, source, &mut start);
        fields.finish(&mut self.reader.findings);
        let constants = self.constants.pairs().into_iter().filter(|(name, _)| **name != *"topic").collect();
        Some(Rule {
            id: self.id.clone(),
            name,
            description,
            enabled: true,
            start: Start::When(start),
            constants,
            each_topic,
            variables: optional(variables)?.unwrap_or_default(),
            asks_waits: self.asks_waits,
            past: std::mem::take(&mut self.past),
            invariant: Some(Invariant { id: Invariant::id_of(&self.id), form: form? }),
            place: self.reader.text.place(source.key_span.start),
            fingerprint: fingerprint(node, &self.reader.constants, &self.beside),
            ..Rule::vacant()
        })
    }

    fn form(
        &mut self,
        fields: &mut Fields<'_>,
        source: &RuleSource,
        start: &mut Vec<crate::rules::Trigger>,
    ) -> Option<InvariantForm> {
        let mut forms = FORMS.iter().filter(|form| fields.has(form));
        let (Some(form), second) = (forms.next(), forms.next()) else {
            let message = format!("the invariant `{}` demands nothing", Invariant::id_of(&source.id).key());
            let help = "write `never: CONDITION`, `after: TRIGGER` with `expect` and `within`, `when: TOPIC` with `only_if`, or \
                        `at_most: N` with `of` and `within`";
            let (keys, span) = (FORMS.to_vec(), source.key_span.clone());
            fields.missing(Missing { keys, code: Code::BAD_INVARIANT, span, message, help: Some(help.to_owned()) });
            fields.allow(&FORMS);
            return None;
        };
        if let Some(second) = second {
            fields.allow(&FORMS);
            let message = format!("an invariant demands one thing: this has both `{form}` and `{second}`");
            let span = fields.entry(second).map_or(source.key_span.clone(), |entry| entry.key_span.clone());
            self.findings.error(Code::BAD_INVARIANT, span, message).help("make two invariants of it");
            return None;
        }
        self.refuse_beside(form, fields);
        fields.allow(&FORMS);
        match *form {
            "never" | "always" => self.never(fields, form),
            "after" => self.after(fields, start),
            "when" => self.only_if(fields, start),
            _ => self.at_most(fields, start),
        }
    }

    /// Reports keys that have no meaning beside `form`.
    fn refuse_beside(&mut self, form: &str, fields: &Fields<'_>) {
        let known: &[&str] = match form {
            "never" | "always" => &["for"],
            "after" => &["expect", "within", "throughout"],
            "when" => &["only_if"],
            _ => &["of", "within"],
        };
        let all = ["for", "expect", "within", "throughout", "only_if", "of"];
        for key in all.iter().filter(|key| !known.contains(key)) {
            let Some(entry) = fields.entry(key) else { continue };
            let message = format!("`{key}` has no meaning beside `{form}`");
            let found = self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
            found.help(match *key {
                "for" => "it belongs to `never` and `always`; a trigger and a `state` condition have their own `for`",
                "expect" | "throughout" => "it belongs to `after`",
                "within" => "it belongs to `after` and `at_most`",
                "only_if" => "it belongs to `when`",
                _ => "it belongs to `at_most`",
            });
        }
    }

    fn never(&mut self, fields: &mut Fields<'_>, form: &str) -> Option<InvariantForm> {
        let node = fields.entry(form).map(|entry| &entry.value)?;
        let condition = self.condition(node, form);
        let hold = fields.take("for").map(|node| self.duration(node));
        let mut condition = condition?;
        if form == "always" {
            let (path, place) = (condition.path.clone(), condition.place.clone());
            condition = Condition { kind: ConditionKind::Not(Box::new(condition)), path, place };
        }
        Some(InvariantForm::Never { condition, hold: optional(hold)?.unwrap_or_default() })
    }

    fn after(&mut self, fields: &mut Fields<'_>, start: &mut Vec<crate::rules::Trigger>) -> Option<InvariantForm> {
        if let Some(entry) = fields.entry("after") {
            start.extend(self.triggers(&entry.value, "after"));
        }
        let expect = fields.need(EXPECT, &self.reader.text).map(|node| self.expectation(node, start));
        let within = fields.need("within", &self.reader.text).map(|node| self.duration(node));
        let throughout = fields.take_entry("throughout");
        let length = throughout.map(|entry| self.interval(&entry.value));
        let (expect, within) = (expect??, within??);
        if let (Some(entry), Expect::Trigger) = (throughout, &expect) {
            let message = "`throughout` has no meaning where `expect` is a trigger: that happens at one moment";
            let found = self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
            found.help("write a condition as `expect`, e.g. `state('home/valve') == 'OFF'`");
            return None;
        }
        Some(InvariantForm::After { expect, within, throughout: optional(length)? })
    }

    /// Returns what must follow: a condition, or a trigger.
    fn expectation(&mut self, node: &Node, start: &mut Vec<crate::rules::Trigger>) -> Option<Expect> {
        if !is_trigger(node) {
            return self.condition(node, EXPECT).map(Expect::Condition);
        }
        let triggers = self.triggers(node, EXPECT);
        let is_any = !triggers.is_empty();
        start.extend(triggers);
        is_any.then_some(Expect::Trigger)
    }

    fn only_if(&mut self, fields: &mut Fields<'_>, start: &mut Vec<crate::rules::Trigger>) -> Option<InvariantForm> {
        let entry = fields.entry("when")?;
        let triggers = self.triggers(&entry.value, "when");
        if let Some(other) = triggers.iter().find(|trigger| !matches!(trigger.kind, TriggerKind::Topic { .. })) {
            let message = "`when` of an invariant is a publication: a topic, with its `payload` or `where`";
            let span = if *other.path == *"when" { self.mark(&entry.value) } else { entry.key_span.clone() };
            let found = self.findings.error(Code::BAD_INVARIANT, span, message);
            found.help("for anything else use `after`, with `expect` and `within`");
        }
        start.extend(triggers);
        let condition = fields.need("only_if", &self.reader.text).map(|node| self.condition(node, "only_if"));
        condition?.map(InvariantForm::OnlyIf)
    }

    fn at_most(&mut self, fields: &mut Fields<'_>, start: &mut Vec<crate::rules::Trigger>) -> Option<InvariantForm> {
        let most = fields.entry("at_most").and_then(|entry| self.integer(&entry.value, 0..MOST + 1));
        if let Some(node) = fields.need("of", &self.reader.text) {
            start.extend(self.triggers(node, "of"));
        }
        let within = fields.need("within", &self.reader.text).map(|node| self.interval(node));
        Some(InvariantForm::AtMost { most: usize::try_from(most?).unwrap_or(usize::MAX), within: within?? })
    }
}

/// Returns whether what is expected is a trigger: a map with a trigger's word, and not that of a condition.
fn is_trigger(node: &Node) -> bool {
    match &node.kind {
        NodeKind::List(items) => items.iter().any(is_trigger),
        NodeKind::Map(_) => {
            let has = |key: &str| node.get(key).is_some();
            let only_trigger = ["topic", "silent", "at", "every", "cron", "client", "event", "webhook", "sequence"];
            let of_change = ["from", "to", "hysteresis", "catch_up"];
            let has_wildcard = |key: &str| {
                let text = node.get(key).and_then(Node::as_scalar);
                text.is_some_and(|text| text.text.as_str().contains(['+', '#']))
            };
            let is_sun_time = node.get("sun").and_then(Node::as_scalar).is_some_and(|sun| {
                let sun = sun.text.as_str();
                sun != "up" && sun != "down"
            });
            only_trigger.iter().any(|key| has(key))
                || is_sun_time
                || (["state", "device"].iter().any(|key| has(key))
                    && !has("is")
                    && of_change.iter().any(|key| has(key)))
                || (has_wildcard("state") && !has("is"))
        }
        NodeKind::Scalar(_) | NodeKind::Closure(_) => false,
    }
}
