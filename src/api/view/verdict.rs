//! How a rule stands at a moment, part by part, as programs read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::engine::{ArmedHold, Awaited, Judged, RuleView, Step, StepResult, Verdict, WaitKind, Waits};
use crate::explain::{LocalTime, awaited, progress, verdict_why};
use crate::model::{Place, Secrets, States, format_duration, spoken};
use crate::rules::{Condition, ConditionKind, Mode, Rule, Start, Trigger, TriggerKind};

/// The most topics of which one trigger tells.
const MOST_TOPICS: usize = 20;

/// How a rule stands at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Verdict, example = json!({
    "rule": "hall:light", "at": "2024-06-01T18:10:00Z",
    "triggers": [{ "path": "when", "source": "a change of `home/hall/motion` to ON", "result": "true", "why": "the last message came at 2024-06-01 20:09:00", "values": { "home/hall/motion": "ON" } }],
    "gates": [{ "path": "cooldown", "source": "cooldown: 5m", "result": "false", "why": "until 2024-06-01 20:14:00", "values": {} }],
    "conditions": [{ "path": "if", "source": "state('home/hall/lux') < 60", "result": "false", "why": null, "values": { "home/hall/lux": 80 } }]
}))]
pub struct VerdictAnswer {
    /// The rule.
    #[schema(example = "hall:light")]
    pub rule: String,
    /// The moment.
    pub at: Timestamp,
    /// What starts it, and whether what was last said would.
    pub triggers: Vec<VerdictPart>,
    /// What may keep it from running: `true` lets it run.
    pub gates: Vec<VerdictPart>,
    /// What it asks: its `while`, its `if`, and what's within.
    pub conditions: Vec<VerdictPart>,
    /// The topic whose last message its conditions are judged by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

/// One part of a rule at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VerdictPart {
    /// Where in the rule.
    #[schema(example = "if.all[1]")]
    pub path: String,
    /// What the rule says there.
    #[schema(example = "msg.state == 'ON'")]
    pub source: String,
    /// `true`, `false`, `unknown` or `failed`; of what can't be asked now `waiting`, and of what is switched off `off`.
    #[schema(example = "false")]
    pub result: String,
    /// Why, in words.
    pub why: Option<String>,
    /// The values that were read.
    pub values: Map<String, Value>,
    /// Where in its file: `rules/hall.yaml:3:5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// What a verdict is made of.
pub struct VerdictSubject<'a> {
    /// The rule as it stands.
    pub view: &'a RuleView,
    /// How its `if` is judged.
    pub judged: &'a Judged,
    /// What of it waits.
    pub waits: &'a [Waits],
    /// What is known of topics.
    pub states: &'a States,
    /// What isn't shown of them.
    pub secrets: &'a Secrets,
    /// When.
    pub at: Timestamp,
    /// How times are written.
    pub time: &'a LocalTime,
    /// The line of a file at a place.
    pub line: &'a dyn Fn(&Place) -> Option<String>,
}

impl VerdictAnswer {
    /// Returns how the rule stands.
    #[must_use]
    pub fn new(subject: &VerdictSubject<'_>) -> VerdictAnswer {
        let rule = &subject.view.rule;
        VerdictAnswer {
            rule: rule.id.to_string(),
            at: subject.at,
            triggers: rule.triggers().iter().map(|trigger| subject.trigger(trigger)).collect(),
            gates: subject.gates(),
            conditions: subject.conditions(),
            topic: subject.judged.topic.as_ref().map(ToString::to_string),
        }
    }
}

impl VerdictSubject<'_> {
    fn trigger(&self, trigger: &Trigger) -> VerdictPart {
        let part = VerdictPart {
            path: trigger.path.to_string(),
            source: awaited(&Awaited::from(trigger)),
            result: "waiting".to_owned(),
            why: None,
            values: Map::default(),
            place: Some(trigger.place.to_string()),
        };
        if !trigger.enabled {
            return VerdictPart { result: "off".to_owned(), ..part };
        }
        let view = self.view;
        if let Some(hold) = view.holds.iter().find(|hold| hold.path == trigger.path) {
            return VerdictPart { why: Some(self.held(hold)), values: self.values(trigger).0, ..part };
        }
        if let Some((_, due)) = view.dues.iter().find(|(path, _)| *path == trigger.path) {
            return VerdictPart { why: Some(format!("due at {}", self.time.text(*due))), ..part };
        }
        let Some(filter) = trigger.filter() else { return part };
        let (values, fits, last) = self.values(trigger);
        let Some(last) = last else {
            let why = Some(format!("no message has come on `{}`", filter.as_str()));
            return VerdictPart { result: "unknown".to_owned(), why, ..part };
        };
        let result = if matches!(trigger.kind, TriggerKind::Silent { .. }) { "waiting" } else { word(fits) };
        let why = Some(format!("the last message came at {}", self.time.text(last)));
        VerdictPart { result: result.to_owned(), why, values, ..part }
    }

    fn held(&self, hold: &ArmedHold) -> String {
        format!("has held for {}, until {}", progress(hold.since, self.at, hold.due), self.time.text(hold.due))
    }

    /// Returns the values that a trigger looks at, whether one of them fits, and when the last message of them came.
    fn values(&self, trigger: &Trigger) -> (Map<String, Value>, bool, Option<Timestamp>) {
        let (mut values, mut any_fits, mut last) = (Map::default(), false, None);
        let Some(filter) = trigger.filter() else { return (values, false, None) };
        for (topic, state) in self.states.matching(filter) {
            let whole = state.payload.value();
            let (value, fits) = match &trigger.kind {
                TriggerKind::State(wanted) => {
                    let value = whole.at(&wanted.field).cloned().unwrap_or_default();
                    let is_to = wanted.to.as_ref().is_none_or(|to| to.iter().any(|to| value.matches(to)));
                    let number = value.as_number();
                    let is_in = wanted.range.as_ref().is_none_or(|range| number.is_some_and(|n| range.contains(n)));
                    let fits = is_to && is_in && !value.is_null();
                    (value, fits)
                }
                TriggerKind::Topic { payload, .. } => {
                    let fits = payload.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| whole.matches(wanted)));
                    (whole.clone(), fits)
                }
                _ => (whole.clone(), true),
            };
            any_fits |= fits;
            last = last.max(Some(state.at));
            if values.len() < MOST_TOPICS {
                let shown = self.secrets.mask_value(&value).unwrap_or(value);
                values.insert(spoken(topic.as_str()).into_owned(), shown.to_json());
            }
        }
        (values, any_fits, last)
    }

    fn gates(&self) -> Vec<VerdictPart> {
        let (view, rule) = (self.view, &self.view.rule);
        let gate = |path: &str, source: String, why: Option<String>| VerdictPart {
            path: path.to_owned(),
            source,
            result: word(why.is_none()).to_owned(),
            why,
            values: Map::default(),
            place: None,
        };
        let mut gates = Vec::new();
        let switched = match (view.is_enabled, view.switch) {
            (true, _) => None,
            (false, None) => Some("its file says `enabled: false`".to_owned()),
            (false, Some(_)) => Some("it was switched off".to_owned()),
        };
        gates.push(gate("enabled", format!("enabled: {}", rule.enabled), switched));
        if let Some(until) = view.resting_until {
            let why = format!("it rests after a loop until {}", self.time.text(until));
            gates.push(gate("resting", "no loop".to_owned(), Some(why)));
        }
        if let Some(cooldown) = rule.cooldown {
            let last = view.cooldowns.iter().map(|(_, until)| *until).max();
            let why = last.map(|until| match view.cooldowns.len() {
                1 => format!("until {}", self.time.text(until)),
                count => format!("{count} of them aren't over, the last until {}", self.time.text(until)),
            });
            gates.push(gate("cooldown", format!("cooldown: {}", format_duration(cooldown)), why));
        }
        let running = self.waits.iter().filter(|waits| waits.run.is_some() && waits.kind != WaitKind::Timer).count();
        let (mode, blocks) = match rule.mode {
            Mode::Single => ("single".to_owned(), running > 0),
            Mode::Restart => ("restart".to_owned(), false),
            Mode::Queued => (format!("queued, max: {}", rule.max), running >= rule.max),
            Mode::Parallel => (format!("parallel, max: {}", rule.max), running >= rule.max),
        };
        let runs = if running == 1 { "1 run is".to_owned() } else { format!("{running} runs are") };
        gates.push(gate("mode", format!("mode: {mode}"), blocks.then(|| format!("{runs} under way"))));
        gates
    }

    fn conditions(&self) -> Vec<VerdictPart> {
        let places = conditions_of(&self.view.rule);
        let mut parts = Vec::new();
        for steps in [&self.view.judged, &self.judged.steps] {
            let mut of_steps: Vec<VerdictPart> = steps.iter().map(|step| self.condition(step, &places)).collect();
            // Inner conditions are judged first, and read after the one around them.
            of_steps.sort_by_cached_key(|part| in_order(&part.path));
            parts.extend(of_steps);
        }
        parts
    }

    fn condition(&self, step: &Step, places: &BTreeMap<Arc<str>, &Condition>) -> VerdictPart {
        let condition = places.get(&step.path).copied();
        let (verdict, source) = match &step.result {
            StepResult::Judged { verdict, source } => (Some(verdict), source.clone()),
            _ => (None, None),
        };
        let source = source.map(|source| source.to_string());
        let source = source.or_else(|| condition.map(|condition| self.source(condition)));
        VerdictPart {
            path: step.path.to_string(),
            source: source.unwrap_or_default(),
            result: verdict.map_or("unknown", Verdict::word).to_owned(),
            why: verdict.and_then(|verdict| verdict_why(verdict, self.at, self.time)),
            values: step.values.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect(),
            place: condition.map(|condition| condition.place.to_string()),
        }
    }

    fn source(&self, condition: &Condition) -> String {
        let line = || (self.line)(&condition.place).unwrap_or_default();
        match &condition.kind {
            ConditionKind::All(_) => "all of".to_owned(),
            ConditionKind::Any(_) => "any of".to_owned(),
            ConditionKind::Not(_) => "not".to_owned(),
            ConditionKind::Expression(expression) => expression.text().to_string(),
            ConditionKind::Time(window) => window.to_string(),
            ConditionKind::Sun { is_up } => format!("sun: {}", if *is_up { "up" } else { "down" }),
            ConditionKind::State(_) | ConditionKind::Device(_) => line(),
        }
    }
}

fn word(is_so: bool) -> &'static str {
    if is_so { "true" } else { "false" }
}

/// Returns the conditions of a rule's `while` and `if` by their paths.
fn conditions_of(rule: &Rule) -> BTreeMap<Arc<str>, &Condition> {
    let mut found = BTreeMap::new();
    let mut open: Vec<&Condition> = rule.condition.iter().collect();
    if let Start::While(start) = &rule.start {
        open.push(&start.condition);
    }
    while let Some(condition) = open.pop() {
        found.insert(Arc::clone(&condition.path), condition);
        match &condition.kind {
            ConditionKind::All(inner) | ConditionKind::Any(inner) => open.extend(inner),
            ConditionKind::Not(inner) => open.push(inner),
            ConditionKind::Expression(_)
            | ConditionKind::State(_)
            | ConditionKind::Device(_)
            | ConditionKind::Time(_)
            | ConditionKind::Sun { .. } => {}
        }
    }
    found
}

/// Returns what sorts paths as they are read: `if[2]` before `if[10]`.
fn in_order(path: &str) -> String {
    let mut key = String::new();
    let mut digits = String::new();
    for letter in path.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        if !digits.is_empty() {
            key.extend(std::iter::repeat_n('0', 9_usize.saturating_sub(digits.len())));
            key.push_str(&digits);
            digits.clear();
        }
        key.push(letter);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_in_the_order_of_the_file() {
        let mut paths = ["if[10]", "if[2].any[0]", "if", "if[2]"];
        paths.sort_by_cached_key(|path| in_order(path));
        assert_eq!(paths, ["if", "if[2]", "if[2].any[0]", "if[10]"]);
    }
}
