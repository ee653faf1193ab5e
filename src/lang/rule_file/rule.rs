//! Decodes a rule: its keys, what starts it, and what it does (docs/language/README.md).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::lang::reader::Reader;
use crate::lang::reader::constants::Constants;
use crate::lang::reader::fields::{Fields, Missing};
use crate::lang::reader::foreign::Place;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::lang::{Code, Diagnostic, Severity};
use crate::model::{RuleId, Topic, TopicFilter, Value};
use crate::rules::{Block, EachTopic, Mode, Per, Rule, RuleEntry, Start, WhileRule};
use crate::script::{EVENT, Expression, SET_BY_WORDS};

use super::action::let_names;
use super::context::Context;
use super::decoder::{Decoder, Grows};
use super::device::device_variables;
use super::each::Instances;
use super::file::{RuleFile, RuleSource};
use super::fingerprint::fingerprint;
use super::trigger::{optional, wildcards};

/// The keys of a rule.
const RULE_KEYS: [&str; 24] = [
    "name",
    "description",
    "tags",
    "enabled",
    "when",
    "while",
    "if",
    "then",
    "else",
    "let",
    "mode",
    "max",
    "per",
    "cooldown",
    "every",
    "for",
    "linger",
    "dry_run",
    "each",
    "limit",
    "storm",
    "allow",
    "yields",
    "hand",
];

/// How many runs there may be at once, unless the rule says.
const DEFAULT_MAX: usize = 10;

/// Decodes a rule of `file`: one entry for each of its instances. Its mistakes are added to `findings`.
pub(in crate::lang) fn decode_rule(
    context: &Arc<Context>,
    file: &Arc<RuleFile>,
    index: usize,
    findings: &mut Vec<Diagnostic>,
) -> Vec<RuleEntry> {
    decode_all(context, file, Which::Rule(index), findings)
}

/// Decodes an invariant of `file`, as the rules that carry its instances. Its mistakes are added to `findings`.
pub(in crate::lang) fn decode_invariant(
    context: &Arc<Context>,
    file: &Arc<RuleFile>,
    index: usize,
    findings: &mut Vec<Diagnostic>,
) -> Vec<RuleEntry> {
    decode_all(context, file, Which::Invariant(index), findings)
}

/// Which rule or invariant of a file.
#[derive(Debug, Clone, Copy)]
enum Which {
    Rule(usize),
    Invariant(usize),
}

impl Which {
    fn source(self, file: &RuleFile) -> Option<&RuleSource> {
        match self {
            Which::Rule(index) => file.rules.get(index),
            Which::Invariant(index) => file.invariants.get(index),
        }
    }
}

fn decode_all(
    context: &Arc<Context>,
    file: &Arc<RuleFile>,
    which: Which,
    findings: &mut Vec<Diagnostic>,
) -> Vec<RuleEntry> {
    let Some(source) = which.source(file) else { return Vec::new() };
    match &source.instances {
        Instances::One => {
            let instance = Instance { id: source.id.clone(), constants: file.constants.clone(), topic: None };
            decode(context, file, (which, source), instance, findings)
                .map(|rule| RuleEntry::Rule(Arc::new(rule)))
                .into_iter()
                .collect()
        }
        Instances::Fixed(instances) => instances
            .iter()
            .filter_map(|instance| {
                let mut constants = file.constants.clone();
                for (name, value) in &instance.variables {
                    constants.add(name.clone(), value.clone());
                }
                let instance = Instance { id: source.id.instance(&instance.name), constants, topic: None };
                decode(context, file, (which, source), instance, findings).map(|rule| RuleEntry::Rule(Arc::new(rule)))
            })
            .collect(),
        Instances::Topics(filter) => each_topic(context, file, (which, source), filter, findings).into_iter().collect(),
    }
}

/// The instance of a rule that is decoded.
struct Instance {
    id: RuleId,
    constants: Constants,
    topic: Option<Topic>,
}

/// Returns what makes an instance for each topic. One is made right away, for an invented topic, so that mistakes are
/// found when the file loads.
fn each_topic(
    context: &Arc<Context>,
    file: &Arc<RuleFile>,
    (which, source): (Which, &RuleSource),
    filter: &TopicFilter,
    findings: &mut Vec<Diagnostic>,
) -> Option<RuleEntry> {
    let attempt = |capture: &str| {
        let mut found = Vec::new();
        let topic = Topic::parse(&filter.plain().replace(['+', '#'], capture)).ok()?;
        decode(context, file, (which, source), topic_instance(file, source, filter, &topic), &mut found);
        Some(found)
    };
    let has_error = |found: &[Diagnostic]| found.iter().any(|found| found.severity == Severity::Error);
    let mut found = attempt("example")?;
    // What a wildcard matches may be used as a number.
    if has_error(&found)
        && let Some(other) = attempt("1")
        && !has_error(&other)
    {
        found = other;
    }
    let is_broken = has_error(&found);
    findings.extend(found);
    if is_broken {
        return None;
    }
    let place = file.text.place(source.key_span.start);
    let (context, file, wanted) = (Arc::clone(context), Arc::clone(file), filter.clone());
    let make = move |topic: &Topic| -> Result<Rule, String> {
        let source = which.source(&file).ok_or("the rule is gone")?;
        let mut findings = Vec::new();
        let instance = topic_instance(&file, source, &wanted, topic);
        let rule = decode(&context, &file, (which, source), instance, &mut findings);
        let error = findings.into_iter().find(|found| found.severity == Severity::Error);
        match (rule, error) {
            (Some(rule), None) => Ok(rule),
            (_, Some(error)) => Err(error.message),
            (None, None) => Err("the rule doesn't load for this topic".to_owned()),
        }
    };
    Some(RuleEntry::EachTopic(EachTopic { id: source.id.clone(), filter: filter.clone(), place, make: Arc::new(make) }))
}

/// Returns the instance of a rule for `topic`, named after what the wildcards match, or after the topic.
fn topic_instance(file: &RuleFile, source: &RuleSource, filter: &TopicFilter, topic: &Topic) -> Instance {
    let captures = filter.captures(topic).unwrap_or_default();
    let mut constants = file.constants.clone();
    for (name, capture) in filter.named(&captures) {
        constants.add(name.clone(), Value::Text(Arc::clone(capture)));
    }
    let name = if captures.is_empty() { topic.to_string() } else { captures.join(",") };
    Instance { id: source.id.instance(&name), constants, topic: Some(topic.clone()) }
}

fn decode(
    context: &Arc<Context>,
    file: &Arc<RuleFile>,
    (which, source): (Which, &RuleSource),
    instance: Instance,
    findings: &mut Vec<Diagnostic>,
) -> Option<Rule> {
    let mut reader = Reader::new(file.text.clone());
    reader.sandbox = Some(&context.sandbox);
    reader.constants = instance.constants;
    let rule_id = instance.id.maker();
    let given = [context.given.get(&rule_id), context.given.get(&instance.id), Some(&context.given_to_any)];
    let mut names = reader.constants.names();
    names.variables.extend(given.into_iter().flatten().flatten().cloned());
    // What starts a rule, its `let`, `if` and `per` are evaluated before any action.
    names.unset = SET_BY_WORDS.iter().map(|(name, _)| *name).collect();
    if source.node.get("when").is_some_and(names_calendar) {
        names.unset.remove(EVENT);
    }
    let is_asked = |key: &&str| source.node.get(key).is_some();
    let has_message = ["when", "after", "at_most"].iter().any(is_asked);
    if ["while", "never", "always"].iter().any(is_asked) && !has_message && instance.topic.is_none() {
        names.no_message = true;
    }
    if let Some(topic) = &instance.topic {
        reader.constants.add("topic".into(), Value::Text(topic.text()));
    }
    let mut decoder = Decoder {
        reader,
        context,
        file,
        id: instance.id,
        names,
        blocks: Vec::new(),
        beside: BTreeSet::new(),
        closures: Vec::new(),
        past: Vec::new(),
        asks_waits: false,
        names_scenes: false,
    };
    // A closure's calls count for all rules of its file: it may call any of its functions.
    decoder.note_past(&file.past);
    for mention in &file.calendars {
        decoder.need_calendar(&mention.name, mention.at.clone());
    }
    decoder.asks_waits = file.is_script && file.text.as_str().contains("remaining(");
    let rule = match which {
        Which::Rule(_) => decoder.rule(source, instance.topic),
        Which::Invariant(_) => decoder.invariant(source, instance.topic),
    };
    let is_broken = decoder.findings.has_errors();
    findings.extend(decoder.reader.findings.into_vec());
    rule.filter(|_| !is_broken)
}

/// Returns whether a trigger on a calendar is among triggers.
fn names_calendar(triggers: &Node) -> bool {
    let mut found = false;
    triggers.walk(&mut |node| found |= node.get("calendar").is_some());
    found
}

/// Returns the built-in variables that nothing in a rule sets.
fn unset(rule: &Node) -> BTreeSet<&'static str> {
    let mut unset = SET_BY_WORDS.to_vec();
    rule.walk(&mut |node| unset.retain(|(_, actions)| actions.iter().all(|action| node.get(action).is_none())));
    unset.into_iter().map(|(name, _)| name).collect()
}

impl Decoder<'_> {
    fn rule(&mut self, source: &RuleSource, each_topic: Option<Topic>) -> Option<Rule> {
        // Longer than most: a line for each key of a rule.
        let node = &source.node;
        let what = format!("the rule `{}`", source.id.key());
        let mut fields = Fields::of(node, &what, &self.reader.text, &mut self.reader.findings)?.at(Place::Rule);
        fields.allow(&["each"]);
        let [name, description] = ["name", "description"].map(|key| fields.take(key));
        let [name, description] = [name, description].map(|node| node.and_then(|node| self.plain_text(node)));
        let (tags, allow) = (self.tags(&mut fields), self.allow(&mut fields));
        let [enabled, dry_run] = [("enabled", true), ("dry_run", false)].map(|key| self.flag_of(key, &mut fields));
        let when = node.get("when").or_else(|| fields.meant_for("when", &RULE_KEYS));
        if let Some(when) = when {
            self.may_read_what_triggers_set(when);
        }
        let start = self.start(&mut fields, source);
        let variables = fields.take("let").or_else(|| fields.meant_for("let", &RULE_KEYS));
        let variables = variables.map(|node| self.variables(node, Grows::WithEach));
        let condition = fields.take("if").map(|node| self.condition(node, "if"));
        let per = fields.take("per").map(|node| self.per(node));
        self.names.unset = unset(node);
        for key in ["then", "else"] {
            if let Some(actions) = node.get(key) {
                self.may_read(let_names(actions));
            }
        }
        let then = fields.take("then").map(|node| self.block(node, "then"));
        let otherwise = fields.take("else").map(|node| self.block(node, "else"));
        need_action(&mut fields, source, then.is_some() || otherwise.is_some());
        let (mode, max) = self.mode(&mut fields);
        let [cooldown, limit, storm] = ["cooldown", "limit", "storm"].map(|key| fields.take(key));
        let cooldown = cooldown.map(|node| self.duration(node));
        let (limit, storm) = (limit.map(|node| self.limit(node)), storm.map(|node| self.storm(node)));
        let yields = fields.take_entry("yields").map(|entry| {
            let yields = self.yields(&entry.value)?;
            self.complete_yields(yields, entry.key_span.clone())
        });
        let hand = fields.take("hand").is_some_and(|node| self.flag(node).unwrap_or(false));
        fields.finish(&mut self.reader.findings);
        let constants = self.constants.pairs().into_iter().filter(|(name, _)| **name != *"topic").collect();
        Some(Rule {
            id: self.id.clone(),
            name,
            description,
            tags,
            allow,
            enabled,
            start: start?,
            constants,
            each_topic,
            variables: optional(variables)?.unwrap_or_default(),
            condition: optional(condition)?,
            then: optional(then)?,
            otherwise: optional(otherwise)?,
            scenes: Arc::new(self.scenes()),
            mode,
            max,
            per: optional(per)?.unwrap_or_default(),
            cooldown: optional(cooldown)?,
            limit: optional(limit)?,
            storm: optional(storm)?.unwrap_or_default(),
            dry_run,
            asks_waits: self.asks_waits,
            past: std::mem::take(&mut self.past),
            yields: optional(yields)?,
            hand,
            invariant: None,
            place: self.reader.text.place(source.key_span.start),
            fingerprint: fingerprint(node, &self.reader.constants, &self.beside),
            blocks: self.take_blocks(),
        })
    }

    fn may_read_what_triggers_set(&mut self, when: &Node) {
        let own = wildcards(when, &self.reader);
        let of_devices = device_variables(when);
        if !of_devices.is_empty() {
            self.check_device_wildcards(when, &own);
            self.may_read(of_devices);
        }
        self.may_read_wildcards(own);
    }

    /// Returns the flag that a key has, or else the other one.
    fn flag_of(&mut self, (key, or): (&'static str, bool), fields: &mut Fields<'_>) -> bool {
        fields.take(key).and_then(|node| self.flag(node)).unwrap_or(or)
    }

    fn tags(&mut self, fields: &mut Fields<'_>) -> Vec<Arc<str>> {
        fields.take("tags").map(|node| self.texts(node)).unwrap_or_default()
    }

    /// Returns the numbers of the warnings that the rule allows.
    fn allow(&mut self, fields: &mut Fields<'_>) -> Vec<u16> {
        let Some(node) = fields.take("allow") else { return Vec::new() };
        let texts = self.texts(node);
        let number = |text: &Arc<str>| text.strip_prefix("HR").and_then(|number| number.parse::<u16>().ok());
        if let Some(wrong) = texts.iter().find(|text| number(text).is_none()) {
            let message = format!("`{wrong}` isn't the code of a warning");
            let help = "write the code that `homerule check` shows: `allow: [HR170]`";
            self.findings.error(Code::UNKNOWN_WORD, node.span.clone(), message).help(help);
        }
        texts.iter().filter_map(number).collect()
    }

    fn take_blocks(&mut self) -> Vec<Block> {
        let blocks = std::mem::take(&mut self.blocks);
        blocks.into_iter().map(|block| block.unwrap_or(Block { path: "".into(), actions: Vec::new() })).collect()
    }

    /// Returns what starts the rule: `when`, or `while` with the keys that go with it.
    fn start(&mut self, fields: &mut Fields<'_>, source: &RuleSource) -> Option<Start> {
        let when = fields.take("when");
        let condition = fields.take_entry("while");
        let (when, condition) = match (when, condition) {
            (Some(_), Some(_)) => {
                let help =
                    "a rule has triggers (`when`) or a condition (`while`); with `when`, use `if` for a condition";
                fields.conflict("when", "while", help, &mut self.reader.findings);
                fields.allow(&["every", "for", "linger"]);
                return None;
            }
            (None, None) => {
                let message = format!("the rule `{}` never starts: it needs `when` or `while`", source.id.key());
                let help = Some("to start it on each message on these topics, write `when: home/+room/tv`".to_owned());
                let (keys, span) = (vec!["when", "while"], source.key_span.clone());
                fields.missing(Missing { keys, code: Code::NO_TRIGGER, span, message, help });
                fields.allow(&["every", "for", "linger"]);
                return None;
            }
            (when, condition) => (when, condition),
        };
        if let Some(node) = when {
            for key in ["every", "for", "linger"] {
                self.refuse_beside_when(key, fields);
            }
            return Some(Start::When(self.triggers(node, "when")));
        }
        let condition = condition.and_then(|entry| self.condition(&entry.value, "while"));
        let every = fields.take("every").map(|node| self.interval(node));
        let hold = fields.take("for").map(|node| self.duration(node));
        let linger = fields.take("linger").map(|node| self.duration(node));
        Some(Start::While(WhileRule {
            condition: condition?,
            every: optional(every)?,
            hold: optional(hold)?.unwrap_or_default(),
            linger: optional(linger)?.unwrap_or_default(),
        }))
    }

    fn refuse_beside_when(&mut self, key: &'static str, fields: &mut Fields<'_>) {
        let Some(entry) = fields.take_entry(key) else { return };
        let message = format!("`{key}` only works with `while`, but this rule has `when`");
        let help = match key {
            "for" => "put it in the trigger: `when: { state: TOPIC, to: VALUE, for: 5m }`",
            "every" => "to run a rule regularly, write `when: { every: 5m }`",
            _ => "use `while` instead of `when`, or a `delay` action",
        };
        self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message).help(help);
    }

    fn mode(&mut self, fields: &mut Fields<'_>) -> (Mode, usize) {
        let mode = fields.take("mode").and_then(|node| self.word(node, &Mode::ALL)).unwrap_or_default();
        let Some(entry) = fields.take_entry("max") else { return (mode, DEFAULT_MAX) };
        let max = self.integer(&entry.value, 1..100_001);
        if matches!(mode, Mode::Single | Mode::Restart) {
            let message = "`max` has no effect without `mode: queued` or `mode: parallel`";
            self.findings.warning(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
        }
        (mode, max.and_then(|max| usize::try_from(max).ok()).unwrap_or(DEFAULT_MAX))
    }

    fn per(&mut self, node: &Node) -> Option<Per> {
        let items = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => std::slice::from_ref(node),
        };
        let expressions: Vec<Option<Expression>> = items.iter().map(|item| self.expression(item)).collect();
        expressions.into_iter().collect::<Option<_>>().map(Per::Expressions)
    }
}

/// Reports a rule without actions; only a `while` may do without.
fn need_action(fields: &mut Fields<'_>, source: &RuleSource, has_action: bool) {
    if has_action || fields.has("while") {
        return;
    }
    let message = format!("the rule `{}` does nothing: it needs `then`", source.id.key());
    let span = source.key_span.clone();
    fields.missing(Missing { keys: vec!["then", "else"], code: Code::NO_ACTION, span, message, help: None });
}
