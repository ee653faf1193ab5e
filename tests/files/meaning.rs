//! What rule files mean: each trigger, condition and action as the structure that the engine is given.

use std::sync::Arc;
use std::time::Duration;

use homerule::lang::{Home, Source, Sources};
use homerule::model::schedule::{Boundary, Schedule, SunEvent};
use homerule::model::{Qos, Topic, Value};
use homerule::rules::{
    Action, ActionKind, ClientChange, Condition, ConditionKind, DurationTemplate, HomeEvent, IfChanged, LogLevel, Mode,
    OnError, OnTimeout, Per, RepeatKind, Rule, RuleEntry, RuleReference, Start, TriggerKind, Until, WaitFor,
};
use homerule::script::Template;

const FULL: &str = include_str!("full.yaml");

fn home(files: &[(&str, &str)]) -> Home {
    let mut sources = Sources::new();
    let settings = "location: { latitude: 51.5, longitude: 0 }\nallow: { exec: [say] }\n";
    for (path, text) in [("homerule.yaml", settings)].iter().chain(files) {
        sources.insert(Arc::from(*path), Source::Content(text.as_bytes().into()));
    }
    Home::load(&sources)
}

/// The rules of a file `full.yaml` that must load without a finding.
fn rules(text: &str) -> Vec<Arc<Rule>> {
    let home = home(&[("rules/full.yaml", text)]);
    assert!(home.diagnostics.is_empty(), "{:#?}", home.diagnostics);
    let rule = |entry: &RuleEntry| match entry {
        RuleEntry::Rule(rule) => Some(Arc::clone(rule)),
        RuleEntry::EachTopic(_) => None,
    };
    home.ruleset.entries.iter().filter_map(rule).collect()
}

fn rule(text: &str, id: &str) -> Arc<Rule> {
    let rules = rules(text);
    Arc::clone(rules.iter().find(|rule| rule.id.as_str() == id).unwrap_or_else(|| panic!("no {id}")))
}

/// The actions of the rule `actions`, with their paths.
fn actions() -> (Arc<Rule>, Vec<Action>) {
    let rule = rule(FULL, "full:actions");
    let actions = rule.block(rule.then.unwrap()).to_vec();
    (rule, actions)
}

fn constant(template: &Template) -> String {
    template.as_constant().unwrap_or_else(|| panic!("{template:?}")).to_string()
}

fn seconds(duration: &DurationTemplate) -> u64 {
    match duration {
        DurationTemplate::Fixed(duration) => duration.as_secs(),
        DurationTemplate::Template(template) => panic!("{template:?}"),
    }
}

#[test]
fn each_trigger_is_decoded() {
    let rule = rule(FULL, "full:triggers");
    let Start::When(triggers) = &rule.start else { panic!("{rule:?}") };
    let kinds: Vec<&TriggerKind> = triggers.iter().map(|trigger| &trigger.kind).collect();
    let paths: Vec<&str> = triggers.iter().map(|trigger| &*trigger.path).collect();
    assert_eq!((paths[0], paths[13]), ("when[0]", "when[13]"));
    assert!(matches!(kinds[0], TriggerKind::Topic { filter, payload: None, condition: None, retained: false }
        if filter.as_str() == "home/+room/tv"));
    assert!(
        matches!(kinds[1], TriggerKind::Topic { filter, payload: Some(values), condition: Some(_), retained: true }
        if filter.as_str() == "home/+room/button" && values.len() == 2)
    );
    assert_eq!(triggers[1].id.as_deref(), Some("button"));
    let TriggerKind::State(state) = kinds[2] else { panic!("{:?}", kinds[2]) };
    assert_eq!(state.field.to_string(), "a.b[0]");
    assert_eq!((state.from.as_ref().map(Vec::len), state.to.as_ref().map(Vec::len)), (Some(2), Some(1)));
    assert_eq!((state.hold, state.catch_up), (Some(Duration::from_mins(3)), Some(Duration::from_hours(1))));
    let TriggerKind::State(state) = kinds[3] else { panic!("{:?}", kinds[3]) };
    let range = state.range.unwrap();
    assert_eq!((range.above, range.below, range.hysteresis.to_bits()), (Some(10.0), Some(50.0), 2.0_f64.to_bits()));
    assert!(!triggers[3].enabled);
    assert!(matches!(kinds[4], TriggerKind::Silent { hold, .. } if hold.as_secs() == 600));
    assert!(matches!(kinds[5], TriggerKind::Schedule { schedule: Schedule::At { times, .. }, catch_up: Some(_) }
        if times.len() == 1));
    assert!(matches!(kinds[6], TriggerKind::Schedule { schedule: Schedule::At { times, .. }, catch_up: None }
        if times.len() == 2));
    assert!(matches!(kinds[7], TriggerKind::AtExpression { .. }));
    assert!(matches!(kinds[8], TriggerKind::Schedule { schedule: Schedule::Every(interval), .. }
        if interval.as_secs() == 300));
    assert!(matches!(kinds[9], TriggerKind::Schedule { schedule: Schedule::Cron(cron), .. }
        if cron.as_str() == "0 7 * * mon-fri"));
    assert!(
        matches!(kinds[10], TriggerKind::Schedule { schedule: Schedule::Sun { event: SunEvent::Sunset, offset, .. }, .. }
        if offset.as_mins() == -30)
    );
    assert!(
        matches!(kinds[11], TriggerKind::Client { pattern, is: ClientChange::Disconnected } if **pattern == *"tv-*")
    );
    assert!(matches!(kinds[12], TriggerKind::Event(HomeEvent::Started)));
    assert!(matches!(kinds[13], TriggerKind::Webhook(name) if **name == *"doorbell"));
}

#[test]
fn each_key_of_a_rule_is_decoded() {
    let rule = rule(FULL, "full:triggers");
    assert_eq!(rule.name.as_deref(), Some("Every trigger"));
    assert_eq!(rule.tags.iter().map(|tag| &**tag).collect::<Vec<_>>(), ["test", "all"]);
    assert_eq!((rule.mode, rule.max), (Mode::Queued, 3));
    assert!(matches!(&rule.per, Per::Expressions(expressions) if expressions.len() == 1));
    assert_eq!(rule.cooldown, Some(Duration::from_secs(10)));
    assert!(rule.dry_run && rule.enabled && rule.otherwise.is_some());
    assert_eq!(rule.variables.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["level", "twice"]);
    assert_eq!(rule.place.to_string(), "rules/full.yaml:14:3");
    assert!(
        rule.constants
            .iter()
            .any(|(name, value)| **name == *"hall_light" && value.as_text() == Some("home/hall/light"))
    );
}

fn all(condition: &Condition) -> &[Condition] {
    match &condition.kind {
        ConditionKind::All(conditions) => conditions,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_condition_is_decoded_with_its_path() {
    let rule = rule(FULL, "full:triggers");
    let conditions = all(rule.condition.as_ref().unwrap());
    let paths: Vec<&str> = conditions.iter().map(|condition| &*condition.path).collect();
    assert_eq!(paths, ["if[0]", "if[1]", "if[2]", "if[3]", "if[4]", "if[5]"]);
    assert!(matches!(conditions[0].kind, ConditionKind::Expression(_)));
    let inner = all(&conditions[1]);
    let ConditionKind::Any(any) = &inner[1].kind else { panic!("{inner:?}") };
    assert_eq!(&*any[0].path, "if[1].all[1].any[0]");
    assert!(matches!(&any[0].kind, ConditionKind::Not(not) if &*not.path == "if[1].all[1].any[0].not"));
    assert!(matches!(any[1].kind, ConditionKind::Sun { is_up: false }));
    let ConditionKind::State(state) = &conditions[2].kind else { panic!("{conditions:?}") };
    assert_eq!((state.field.to_string().as_str(), state.hold), ("occupancy", Some(Duration::from_mins(3))));
    assert!(state.accepts(&Value::Bool(true)) && !state.accepts(&Value::Bool(false)));
    let ConditionKind::State(state) = &conditions[3].kind else { panic!("{conditions:?}") };
    assert!(state.accepts(&Value::Int(39)) && !state.accepts(&Value::Int(40)));
    let ConditionKind::Time(window) = &conditions[4].kind else { panic!("{conditions:?}") };
    assert!(matches!(window.after, Some(Boundary::Time(_))));
    assert!(matches!(window.before, Some(Boundary::Sun(SunEvent::Sunrise, offset)) if offset.as_mins() == 30));
    assert!(matches!(&conditions[5].kind, ConditionKind::Not(not) if matches!(not.kind, ConditionKind::All(_))));
}

#[test]
fn what_publishes_is_decoded() {
    let (_, actions) = actions();
    let ActionKind::Publish(messages) = &actions[0].kind else { panic!("{actions:?}") };
    assert!(matches!(messages[0].topic, Template::Text(_)) && matches!(messages[0].payload, Template::Map(_)));
    assert_eq!((messages[0].qos, messages[0].retain), (Qos::ExactlyOnce, true));
    assert!(matches!(messages[0].if_changed, IfChanged::Topic(Template::Text(_))));
    let ActionKind::Publish(messages) = &actions[1].kind else { panic!("{actions:?}") };
    assert!(messages[0].payload.as_constant().is_some_and(Value::is_null));
    assert_eq!((actions[1].on_error, &*actions[1].path), (OnError::Continue, "then[1]"));
    let ActionKind::Publish(messages) = &actions[2].kind else { panic!("{actions:?}") };
    assert_eq!(messages.iter().map(|message| constant(&message.topic)).collect::<Vec<_>>(), ["home/b", "home/c"]);
    assert_eq!((messages[0].qos, messages[0].retain), (Qos::AtLeastOnce, false));
    assert!(matches!(messages[0].if_changed, IfChanged::Always));
    let ActionKind::Scene { name, messages, .. } = &actions[3].kind else { panic!("{actions:?}") };
    assert_eq!((&**name, messages.len()), ("night", 2));
}

#[test]
fn what_waits_is_decoded() {
    let (rule, actions) = actions();
    let kinds: Vec<&ActionKind> = actions.iter().map(|action| &action.kind).collect();
    assert!(matches!(kinds[4], ActionKind::Delay(delay) if seconds(delay) == 5));
    assert!(matches!(kinds[5], ActionKind::Delay(delay) if seconds(delay) == 300), "a constant is put in at load");
    assert!(matches!(kinds[6], ActionKind::Delay(DurationTemplate::Template(_))));
    let ActionKind::Wait(wait) = kinds[7] else { panic!("{kinds:?}") };
    assert!(matches!(&wait.what, WaitFor::Triggers(triggers) if &*triggers[0].path == "then[7].wait"));
    assert_eq!((wait.timeout.as_ref().map(seconds), wait.on_timeout), (Some(300), OnTimeout::Continue));
    let ActionKind::Wait(wait) = kinds[8] else { panic!("{kinds:?}") };
    assert!(matches!(&wait.what, WaitFor::Triggers(triggers) if &*triggers[1].path == "then[8].wait[1]"));
    let OnTimeout::Do(block) = wait.on_timeout else { panic!("{wait:?}") };
    assert_eq!(&*rule.block(block)[0].path, "then[8].on_timeout[0]");
    let ActionKind::Wait(wait) = kinds[9] else { panic!("{kinds:?}") };
    assert!(matches!(&wait.what, WaitFor::Until(_)) && wait.timeout.is_none());
}

#[test]
fn what_decides_is_decoded() {
    let (rule, actions) = actions();
    let kinds: Vec<&ActionKind> = actions.iter().map(|action| &action.kind).collect();
    let path = |block| rule.block(block).first().map_or(String::new(), |action| action.path.to_string());
    let ActionKind::If { condition, then, otherwise } = kinds[10] else { panic!("{kinds:?}") };
    assert_eq!(&*condition.path, "then[10].if");
    assert_eq!((path(*then), path(otherwise.unwrap())), ("then[10].then".into(), "then[10].else[0]".into()));
    let ActionKind::Choose { branches, otherwise } = kinds[11] else { panic!("{kinds:?}") };
    assert_eq!(path(branches[1].then), "then[11].choose[1].then[0]");
    assert_eq!(path(otherwise.unwrap()), "then[11].else");
    let ActionKind::ChooseCase { cases, otherwise, .. } = kinds[12] else { panic!("{kinds:?}") };
    let values: Vec<&str> = cases.iter().map(|case| case.value.kind()).collect();
    assert_eq!((values, path(cases[0].then)), (vec!["text", "a number", "a boolean"], "then[12].cases.single".into()));
    assert!(rule.block(otherwise.unwrap()).is_empty());
    let repeats: Vec<&RepeatKind> = kinds
        .iter()
        .filter_map(|kind| if let ActionKind::Repeat { kind, .. } = kind { Some(kind) } else { None })
        .collect();
    assert!(matches!(repeats[0], RepeatKind::Times(times) if constant(times) == "3"));
    assert!(matches!(repeats[1], RepeatKind::While(condition) if &*condition.path == "then[14].repeat.while"));
    assert!(matches!(repeats[2], RepeatKind::Until(_)));
    assert!(matches!(repeats[3], RepeatKind::Each(list) if list.as_constant().is_some()));
    assert!(matches!(repeats[4], RepeatKind::Each(Template::Expression(_))));
    assert!(matches!(repeats[5], RepeatKind::Every { interval, until: Until::Triggers(_) } if seconds(interval) == 30));
    assert!(matches!(repeats[6], RepeatKind::Every { until: Until::Condition(_), .. }));
    let ActionKind::Repeat { body, .. } = kinds[13] else { panic!("{kinds:?}") };
    assert_eq!(path(*body), "then[13].do");
    let ActionKind::Parallel(blocks) = kinds[20] else { panic!("{:?}", kinds[20]) };
    assert_eq!((path(blocks[0]), path(blocks[1])), ("then[20].parallel[0]".into(), "then[20].parallel[1][0]".into()));
}

#[test]
fn what_sets_runs_and_tells_is_decoded() {
    let (_, actions) = actions();
    let kinds: Vec<&ActionKind> = actions.iter().skip(21).map(|action| &action.kind).collect();
    let is =
        |reference: &RuleReference, id: &str| matches!(reference, RuleReference::Fixed(found) if found.as_str() == id);
    assert!(matches!(kinds[0], ActionKind::Let(variables) if variables.len() == 2));
    assert!(matches!(kinds[1], ActionKind::Remember(values) if &*values[0].0 == "seen"));
    assert!(matches!(kinds[2], ActionKind::Run { rule, with, .. } if is(rule, "full:helper") && &*with[0].0 == "lamp"));
    assert!(matches!(kinds[3], ActionKind::Run { rule, .. } if is(rule, "full:lamp[hall]")));
    assert!(matches!(kinds[4], ActionKind::Switch { rule, is_enabled: true } if is(rule, "full:triggers")));
    assert!(matches!(kinds[5], ActionKind::Switch { is_enabled: false, .. }));
    assert!(matches!(kinds[6], ActionKind::Cancel(RuleReference::Template(_))));
    assert!(matches!(kinds[7], ActionKind::Log { level: LogLevel::Debug, text: Template::Text(_) }));
    let ActionKind::Http(http) = kinds[8] else { panic!("{kinds:?}") };
    assert_eq!((constant(&http.method), seconds(&http.timeout), http.headers.len()), ("POST".into(), 3, 1));
    let ActionKind::Exec(exec) = kinds[9] else { panic!("{kinds:?}") };
    assert_eq!((constant(&exec.command[0]), seconds(&exec.timeout)), ("say".into(), 3));
    assert!(matches!(kinds[10], ActionKind::Stop(reason) if constant(reason) == "all done"));
}

#[test]
fn an_item_alone_has_the_path_of_its_key() {
    let rule = rule("rules: { r: { when: a/b, if: msg == 1, then: { a/c: 1 } } }", "full:r");
    let Start::When(triggers) = &rule.start else { panic!("{rule:?}") };
    assert_eq!(&*triggers[0].path, "when");
    assert_eq!(&*rule.condition.as_ref().unwrap().path, "if");
    assert_eq!(&*rule.block(rule.then.unwrap())[0].path, "then");
    assert_eq!((rule.mode, rule.max, matches!(rule.per, Per::Captures)), (Mode::Restart, 10, true));
}

#[test]
fn a_while_rule_has_its_own_keys() {
    let rule = rule(FULL, "full:awning[east,50]");
    let Start::While(start) = &rule.start else { panic!("{rule:?}") };
    assert_eq!((start.hold.as_secs(), start.linger.as_secs()), (300, 600));
    assert_eq!(start.every, Some(Duration::from_mins(1)));
    let ConditionKind::State(state) = &start.condition.kind else { panic!("{start:?}") };
    assert!((state.range.unwrap().above.unwrap() - 50.0).abs() < f64::EPSILON);
    assert!(rules(FULL).iter().any(|rule| rule.id.as_str() == "full:heating" && rule.then.is_none()));
}

#[test]
fn each_makes_one_rule_for_each_combination() {
    let text = "rules:\n  r:\n    each: { room: [hall, attic], side: [left, right] }\n    when: home/${room}/${side}\n    then: { home/x: 1 }\n";
    let rules = rules(text);
    let ids: Vec<&str> = rules.iter().map(|rule| rule.id.key()).collect();
    assert_eq!(ids, ["r[hall,left]", "r[hall,right]", "r[attic,left]", "r[attic,right]"]);
    let Start::When(triggers) = &rules[3].start else { panic!("{rules:?}") };
    assert!(matches!(&triggers[0].kind, TriggerKind::Topic { filter, .. } if filter.as_str() == "home/attic/right"));
}

#[test]
fn each_topic_makes_a_rule_when_a_topic_comes() {
    let home = home(&[("rules/full.yaml", FULL)]);
    let each = home.ruleset.entries.iter().find_map(|entry| match entry {
        RuleEntry::EachTopic(each) => Some(each.clone()),
        RuleEntry::Rule(_) => None,
    });
    let each = each.unwrap();
    let topic = Topic::parse("home/lamp/status").unwrap();
    assert!(each.filter.matches(&topic));
    let rule = (each.make)(&topic).unwrap();
    assert_eq!(rule.id.as_str(), "full:offline[lamp]");
    assert_eq!(rule.each_topic.as_ref(), Some(&topic));
    assert!(rule.constants.iter().any(|(name, value)| **name == *"device" && value.as_text() == Some("lamp")));
    assert_eq!((each.make)(&topic).unwrap().fingerprint, rule.fingerprint);
    let other = (each.make)(&Topic::parse("home/fan/status").unwrap()).unwrap();
    assert_ne!(other.fingerprint, rule.fingerprint);
}

#[test]
fn what_a_wildcard_matches_may_be_a_number() {
    let text = "rules: { r: { each: { topic: \"limits/+n\" }, while: { state: a/b, above: \"${n}\" } } }";
    let home = home(&[("rules/full.yaml", text)]);
    assert!(home.diagnostics.is_empty(), "{:#?}", home.diagnostics);
    let RuleEntry::EachTopic(each) = &home.ruleset.entries[0] else { panic!() };
    assert!((each.make)(&Topic::parse("limits/5").unwrap()).is_ok());
    let error = (each.make)(&Topic::parse("limits/five").unwrap()).unwrap_err();
    assert_eq!(error, "expected a number, found the text `${n}`");
}

#[test]
fn a_number_is_published_as_it_was_written() {
    let rule = rule("rules: { r: { when: a/b, then: { a/c: 21.50, a/d: 007, a/e: 5, a/f: [1.50] } } }", "full:r");
    let ActionKind::Publish(messages) = &rule.block(rule.then.unwrap())[0].kind else { panic!("{rule:?}") };
    let texts: Vec<String> = messages.iter().map(|message| constant(&message.payload)).collect();
    assert_eq!(texts, ["21.50", "007", "5", "[1.5]"]);
}

#[test]
fn a_scene_of_another_file_is_found_and_reads_its_own_constants() {
    let home = home(&[
        ("rules/a.yaml", "rules: { r: { when: a/b, then: { scene: night } } }"),
        ("rules/b.yaml", "let: { lamp: x/y }\nscenes: { night: { \"${lamp}/set\": OFF } }"),
    ]);
    assert!(home.diagnostics.is_empty(), "{:#?}", home.diagnostics);
    let RuleEntry::Rule(rule) = &home.ruleset.entries[0] else { panic!() };
    let ActionKind::Scene { constants, .. } = &rule.block(rule.then.unwrap())[0].kind else { panic!("{rule:?}") };
    assert!(constants.iter().any(|(name, value)| **name == *"lamp" && value.as_text() == Some("x/y")));
}
