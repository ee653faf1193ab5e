//! What may happen in a home: what its devices may say, which times matter, which hooks and clients there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

use crate::analysis::{Graph, Heard, How, Known, Level, Literal, Pattern, literals};
use crate::model::schedule::{Calendar, TimeOfDay};
use crate::model::{Map, Payload, Topic, Value, ValuePath};
use crate::rules::{
    ActionKind, ConditionKind, DurationTemplate, HomeEvent, Input, InputKind, Rule, RuleEntry, Ruleset, Start, Trigger,
    TriggerKind,
};

use super::random::Random;

/// How many payloads a topic may have.
const MOST_PAYLOADS: usize = 48;

/// How many topics of one filter speak.
const MOST_OF_A_FILTER: usize = 4;

/// What may happen in a home.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Pool {
    /// The topics that may speak.
    pub(in crate::sim) topics: Vec<Voice>,
    /// How long to wait, where that matters to rules.
    pub(in crate::sim) times: Vec<Duration>,
    /// The hooks that rules hear.
    pub(in crate::sim) webhooks: Vec<Arc<str>>,
    /// The clients that rules hear of.
    pub(in crate::sim) clients: Vec<Arc<str>>,
    /// When homes may start.
    pub(in crate::sim) starts: Vec<Timestamp>,
    /// Whether rules hear how the daemon is: then a restart may make a difference.
    pub(in crate::sim) hears_starts: bool,
}

/// A topic that may speak.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Voice {
    pub(in crate::sim) topic: Topic,
    pub(in crate::sim) payloads: Vec<Payload>,
    /// Whether messages may be kept by the broker.
    pub(in crate::sim) may_retain: bool,
    /// Whether nothing is known of what it says.
    pub(in crate::sim) is_guessed: bool,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::sim) struct Wanted {
    /// Values of types that were never seen too.
    pub(in crate::sim) is_hostile: bool,
}

impl Pool {
    /// Returns what may happen in a home with these rules. `obeys` says whether a topic only says what was commanded.
    pub(in crate::sim) fn new(
        (rules, graph): (&Ruleset, &Graph),
        known: &Known,
        calendar: &Calendar,
        obeys: &dyn Fn(&Topic) -> bool,
        wanted: Wanted,
    ) -> Pool {
        let literals = literals(graph);
        let mut pool = Pool { times: times(rules), starts: starts(calendar, rules), ..Pool::default() };
        for topic in topics(graph, known, obeys) {
            let heard = known.topic(&topic);
            let payloads = payloads(&topic, heard, &literals, wanted);
            let may_retain = heard.is_some_and(|heard| heard.is_retained);
            if !payloads.is_empty() {
                let is_guessed = heard.is_none() && !literals.iter().any(|literal| literal.pattern.matches(&topic));
                pool.topics.push(Voice { topic, payloads, may_retain, is_guessed });
            }
        }
        pool.topics.extend(rules.inputs.values().filter_map(by_hand));
        for rule in all(rules) {
            let waits = rule.actions().flat_map(|action| action.kind.triggers());
            for trigger in rule.triggers().iter().chain(waits) {
                pool.note_trigger(trigger);
            }
        }
        pool
    }

    fn note_trigger(&mut self, trigger: &Trigger) {
        match &trigger.kind {
            TriggerKind::Webhook(name) if !self.webhooks.contains(name) => self.webhooks.push(Arc::clone(name)),
            TriggerKind::Client { pattern, .. } => {
                let id: Arc<str> = pattern.replace('*', "1").into();
                if !self.clients.contains(&id) {
                    self.clients.push(id);
                }
            }
            TriggerKind::Event(HomeEvent::Started | HomeEvent::Stopping | HomeEvent::Reloaded) => {
                self.hears_starts = true;
            }
            TriggerKind::Topic { retained: true, .. } => self.hears_starts = true,
            _ => {}
        }
    }
}

/// Returns what people may set an input to: on the topic on which anybody may.
fn by_hand(input: &Input) -> Option<Voice> {
    let topic = Topic::parse(&format!("homerule/input/{}/set", input.name)).ok()?;
    let texts: Vec<String> = match &input.kind {
        InputKind::Toggle => vec!["ON".to_owned(), "OFF".to_owned()],
        InputKind::Number { min, max, step, .. } => {
            let usual = input.default.as_number().unwrap_or_default();
            let step = step.unwrap_or(1.0);
            let near = [usual - step, usual, usual + step].into_iter().chain(*min).chain(*max);
            let may = |number: &f64| min.is_none_or(|min| *number >= min) && max.is_none_or(|max| *number <= max);
            near.filter(may).map(|number| number.to_string()).collect()
        }
        InputKind::Choice(words) => words.iter().map(ToString::to_string).collect(),
        InputKind::Time => ["00:00", "06:30", "12:00", "22:15"].map(str::to_owned).to_vec(),
        InputKind::Text => vec!["one".to_owned(), "two".to_owned()],
        InputKind::Button => vec!["PRESS".to_owned()],
    };
    let payloads = texts.into_iter().map(Payload::from_bytes).collect();
    Some(Voice { topic, payloads, may_retain: false, is_guessed: false })
}

/// Returns the rules that are known without a topic.
fn all(rules: &Ruleset) -> impl Iterator<Item = &Arc<Rule>> {
    rules.entries.iter().filter_map(|entry| match entry {
        RuleEntry::Rule(rule) => Some(rule),
        RuleEntry::EachTopic(_) => None,
    })
}

/// Returns the topics that somebody outside may speak on, and that matter to the rules.
fn topics(graph: &Graph, known: &Known, obeys: &dyn Fn(&Topic) -> bool) -> Vec<Topic> {
    let mut found: BTreeSet<Topic> = BTreeSet::new();
    for node in graph.all() {
        for reading in node.reads_of_devices() {
            if reading.pattern.is_anything() || is_ours(&reading.pattern) {
                continue;
            }
            let mut matching: Vec<Topic> = known.matching(&reading.pattern).map(|(topic, _)| topic.clone()).collect();
            if matching.len() > MOST_OF_A_FILTER && reading.pattern.as_topic().is_none() {
                matching.truncate(MOST_OF_A_FILTER);
            }
            if matching.is_empty() && graph.writers(&reading.pattern).next().is_none() {
                matching = invented(&reading.pattern);
            }
            found.extend(matching);
        }
    }
    found.extend(never_begun(graph, &found));
    let woken = |topic: &Topic| {
        let pattern = Pattern::of_topic(topic);
        graph.readers(&pattern).any(|(_, reading)| reading.how != How::Used)
    };
    // What only says what was commanded speaks by itself only where a rule looks at it.
    found.into_iter().filter(|topic| !obeys(topic) || woken(topic)).collect()
}

/// Returns topics that wake rules which nothing else would ever wake: rules that only wake each other.
fn never_begun(graph: &Graph, spoken: &BTreeSet<Topic>) -> Vec<Topic> {
    let mut reached: Vec<Pattern> = spoken.iter().map(Pattern::of_topic).collect();
    let mut woken = vec![false; graph.rules.len()];
    let mut added = Vec::new();
    loop {
        let mut is_done = true;
        for (node, is_woken) in graph.rules.iter().zip(&mut woken) {
            let hears = node.wakes().next().is_none()
                || node.wakes().any(|reading| reached.iter().any(|pattern| pattern.meets(&reading.pattern)));
            if !*is_woken && hears {
                (*is_woken, is_done) = (true, false);
                reached.extend(node.writes.iter().map(|writing| writing.pattern.clone()));
            }
        }
        if !is_done {
            continue;
        }
        let asleep = graph.rules.iter().zip(&woken).find(|(_, is_woken)| !**is_woken);
        let Some((node, _)) = asleep else { return added };
        let topics: Vec<Topic> = node.wakes().flat_map(|reading| invented(&reading.pattern)).collect();
        if topics.is_empty() {
            return added;
        }
        reached.extend(topics.iter().map(Pattern::of_topic));
        added.extend(topics);
    }
}

/// Returns whether all topics of a pattern are homerule's own.
fn is_ours(pattern: &Pattern) -> bool {
    pattern.levels().first().and_then(Level::as_text).is_some_and(|first| first == "homerule" || first.starts_with('$'))
}

/// Returns topics that fit a pattern that nobody is known to speak on.
fn invented(pattern: &Pattern) -> Vec<Topic> {
    let of = |name: &str| {
        let levels = pattern.levels().iter().map(|level| level.as_text().unwrap_or(name));
        Topic::parse(&levels.collect::<Vec<_>>().join("/")).ok()
    };
    match pattern.as_topic() {
        Some(topic) => vec![topic],
        None => ["one", "two"].into_iter().filter_map(of).collect(),
    }
}

/// Returns what a topic may say.
pub(in crate::sim) fn payloads(
    topic: &Topic,
    heard: Option<&Heard>,
    literals: &[Literal],
    wanted: Wanted,
) -> Vec<Payload> {
    let mut fields: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let mine: Vec<&Literal> = literals.iter().filter(|literal| literal.pattern.matches(topic)).collect();
    for literal in &mine {
        fields.entry(&literal.path).or_default();
    }
    for (path, values) in &mut fields {
        let said = ValuePath::parse(path).map(|path| heard.map(|heard| heard.values(&path)).unwrap_or_default());
        let said = said.unwrap_or_default();
        *values = field(&said, mine.iter().filter(|literal| literal.path == *path).copied(), wanted);
    }
    let mut found: Vec<Payload> = Vec::new();
    let known: Vec<&Payload> = heard.into_iter().flat_map(|heard| &heard.payloads).collect();
    let bases: Vec<Map> = known.iter().filter_map(|payload| as_map(payload)).collect();
    let is_map = !bases.is_empty() || (known.is_empty() && fields.keys().any(|path| !path.is_empty()));
    known.iter().take(MOST_PAYLOADS / 2).for_each(|payload| add(&mut found, (*payload).clone()));
    if is_map {
        // Each field alone, then some together.
        let empty = Map::default();
        let mut random = Random::new(1);
        for round in 0..MOST_PAYLOADS * 2 {
            let mut value = Value::Map(random.pick(&bases).unwrap_or(&empty).clone().into());
            for (path, values) in fields.iter().filter(|(path, _)| !path.is_empty()) {
                // A field that was always there stays there.
                let is_known = ValuePath::parse(path).is_ok_and(|path| value.at(&path).is_some());
                if (!is_known || round % 3 != 0 || random.is_one_in(2))
                    && let Some(new) = random.pick(values)
                {
                    value = put(value, path, new.clone());
                }
            }
            add(&mut found, Payload::from_value(&value));
        }
    }
    if !is_map || fields.contains_key("") && bases.is_empty() {
        for value in fields.get("").into_iter().flatten() {
            add(&mut found, Payload::from_value(value));
        }
    }
    if found.is_empty() {
        for text in ["ON", "OFF"] {
            add(&mut found, Payload::from_bytes(text));
        }
    }
    if wanted.is_hostile {
        for text in ["", "null", "unavailable", "nan", "-1e308", "[]", "{}", "\u{0}"] {
            add(&mut found, Payload::from_bytes(text));
        }
    }
    found
}

/// Adds a payload, unless it's there or there are enough.
fn add(found: &mut Vec<Payload>, payload: Payload) {
    if !found.contains(&payload) && found.len() < MOST_PAYLOADS {
        found.push(payload);
    }
}

fn as_map(payload: &Payload) -> Option<Map> {
    match payload.value() {
        Value::Map(map) => Some((**map).clone()),
        _ => None,
    }
}

/// Returns the values that may stand somewhere: those that were seen, those that rules ask for, and those beside them.
fn field<'a>(said: &[Value], literals: impl Iterator<Item = &'a Literal>, wanted: Wanted) -> Vec<Value> {
    let mut values: Vec<Value> = said.iter().filter(|value| is_scalar(value)).take(12).cloned().collect();
    let sees_numbers = values.is_empty() || values.iter().any(|value| value.as_number().is_some());
    let kinds: BTreeSet<&str> = said.iter().map(kind).collect();
    let mut add = |value: Value| {
        let is_seen = kinds.is_empty() || kinds.contains(kind(&value)) || wanted.is_hostile;
        if is_seen && !values.contains(&value) {
            values.push(value);
        }
    };
    for literal in literals {
        match literal.value.as_number() {
            Some(number) if literal.is_order && sees_numbers => {
                let step = if number.fract() == 0.0 { 1.0 } else { 0.1 };
                for number in [number - 10.0 * step, number - step, number, number + step, number + 10.0 * step] {
                    add(rounded(number));
                }
            }
            Some(_) if literal.is_order => {}
            _ => {
                add(literal.value.clone());
                opposites(&literal.value).into_iter().for_each(&mut add);
            }
        }
    }
    values
}

fn rounded(number: f64) -> Value {
    let number = (number * 1000.0).round() / 1000.0;
    Payload::from_bytes(number.to_string()).value().clone()
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Int(_) | Value::Float(_) => "number",
        other => other.kind(),
    }
}

/// Returns what a device says that at other times says `value`.
fn opposites(value: &Value) -> Vec<Value> {
    const PAIRS: [(&str, &str); 12] = [
        ("ON", "OFF"),
        ("on", "off"),
        ("On", "Off"),
        ("open", "closed"),
        ("open", "close"),
        ("home", "not_home"),
        ("home", "away"),
        ("online", "offline"),
        ("true", "false"),
        ("yes", "no"),
        ("LOCK", "UNLOCK"),
        ("locked", "unlocked"),
    ];
    match value {
        Value::Bool(flag) => vec![Value::Bool(!flag)],
        Value::Int(number) => vec![Value::Int(number.saturating_add(1))],
        Value::Text(text) => {
            let pair = PAIRS.iter().find_map(|(one, other)| match &**text {
                text if text == *one => Some(*other),
                text if text == *other => Some(*one),
                _ => None,
            });
            vec![Value::text(pair.unwrap_or("other"))]
        }
        _ => Vec::new(),
    }
}

/// Returns `value` with `new` at `path`, where maps lead there.
fn put(value: Value, path: &str, new: Value) -> Value {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    // A place in a list: such payloads are only said as they were seen.
    if first.contains('[') {
        return value;
    }
    let mut map = match value {
        Value::Map(map) => (*map).clone(),
        _ => Map::default(),
    };
    // What was seen as something else than a map is none.
    if rest.is_some() && map.get(first).is_some_and(|inner| !matches!(inner, Value::Map(_))) {
        return Value::Map(map.into());
    }
    let inner = match rest {
        Some(rest) => put(map.get(first).cloned().unwrap_or_default(), rest, new),
        None => new,
    };
    map.insert(first.into(), inner);
    Value::Map(map.into())
}

/// Returns the times that matter to rules, and some that always may.
fn times(rules: &Ruleset) -> Vec<Duration> {
    let mut found: BTreeSet<Duration> = BTreeSet::new();
    for rule in all(rules) {
        found.extend(rule.cooldown);
        found.extend(rule.limit.map(|limit| limit.within));
        if let Start::While(start) = &rule.start {
            found.extend([start.hold, start.linger].into_iter().chain(start.every));
        }
        let waits = rule.actions().flat_map(|action| action.kind.triggers());
        for trigger in rule.triggers().iter().chain(waits) {
            match &trigger.kind {
                TriggerKind::State(state) => found.extend(state.hold),
                TriggerKind::Silent { hold, .. } => found.extend([*hold]),
                TriggerKind::Sequence(sequence) => found.extend([sequence.within]),
                _ => {}
            }
        }
        for condition in rule.conditions().flat_map(|condition| condition.with_inner()) {
            if let ConditionKind::State(state) = &condition.kind {
                found.extend(state.hold);
            }
        }
        for action in rule.actions() {
            match &action.kind {
                ActionKind::Delay(DurationTemplate::Fixed(time)) => found.extend([*time]),
                ActionKind::Wait(wait) => {
                    if let Some(DurationTemplate::Fixed(time)) = &wait.timeout {
                        found.insert(*time);
                    }
                }
                _ => {}
            }
        }
    }
    found.remove(&Duration::ZERO);
    found.into_iter().collect()
}

/// Returns when homes may start: an ordinary noon and evening, the nights of clock changes, midsummer and midwinter.
fn starts(calendar: &Calendar, rules: &Ruleset) -> Vec<Timestamp> {
    let at = |date: Date, time: Time| TimeOfDay(time).on(date, calendar);
    let mut found: Vec<Timestamp> = [
        DateTime::constant(2024, 1, 1, 12, 0, 0, 0),
        DateTime::constant(2024, 1, 2, 19, 30, 0, 0),
        DateTime::constant(2024, 6, 21, 3, 0, 0, 0),
        DateTime::constant(2024, 6, 21, 21, 30, 0, 0),
        DateTime::constant(2024, 12, 21, 7, 0, 0, 0),
        DateTime::constant(2024, 12, 21, 23, 30, 0, 0),
    ]
    .into_iter()
    .map(|local| at(local.date(), local.time()))
    .collect();
    if let Some(first) = found.first().copied() {
        let changes = calendar.zone.following(first).take(2);
        let before = jiff::SignedDuration::from_mins(90);
        found.extend(changes.filter_map(|change| change.timestamp().checked_sub(before).ok()));
    }
    // A home whose rules know no time of day needs no more than one.
    let knows_times = all(rules).any(|rule| {
        let is_timed =
            |trigger: &Trigger| matches!(trigger.kind, TriggerKind::Schedule { .. } | TriggerKind::AtExpression { .. });
        let conditions = rule.conditions().flat_map(|condition| condition.with_inner());
        rule.triggers().iter().any(is_timed)
            || conditions.into_iter().any(|part| match &part.kind {
                ConditionKind::Time(_) | ConditionKind::Sun { .. } => true,
                ConditionKind::Expression(expression) => {
                    let text = expression.source().as_str();
                    ["now", "sun", "between", "weekend", "weekday"].iter().any(|word| text.contains(word))
                }
                _ => false,
            })
    });
    if !knows_times {
        found.truncate(1);
    }
    found
}
