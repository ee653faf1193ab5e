//! Rules: an automation, a script, a scene or a computed helper as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use crate::lang::Code;
use crate::lang::import::home_assistant::entities::{Home, InputKind, Source as EntitySource};
use crate::lang::import::home_assistant::expression::Scope;
use crate::lang::import::home_assistant::load::LoadedFile;
use crate::lang::import::home_assistant::normal;
use crate::lang::import::home_assistant::report::Reason;
use crate::lang::import::home_assistant::translate::action::flow::block;
use crate::lang::import::home_assistant::translate::condition::kinds::as_if;
use crate::lang::import::home_assistant::translate::helper::nothing;
use crate::lang::import::home_assistant::translate::keys::{impossible as impossible_keys, is_loose};
use crate::lang::import::home_assistant::translate::names::Names;
use crate::lang::import::home_assistant::translate::refused::{refused_whole, refused_whole_at};
use crate::lang::import::home_assistant::translate::shared::Shared;
use crate::lang::import::home_assistant::translate::trigger::kinds::{Computed, Triggers};
use crate::lang::import::home_assistant::translate::trigger::variables::{bring_variables, needed, started_alone};
use crate::lang::import::home_assistant::translate::work::{Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::{Comment, Node};

const LOOSE: &str =
    "Home Assistant refuses lists and templates within a list of actions; here they're read as if written out";

/// What a rule is made from.
#[derive(Clone, Copy)]
pub(in crate::lang::import::home_assistant) struct Source<'a> {
    pub(in crate::lang::import::home_assistant) home: &'a Home,
    pub(in crate::lang::import::home_assistant) names: &'a Names,
    pub(in crate::lang::import::home_assistant) shared: &'a Shared,
    pub(in crate::lang::import::home_assistant) files: &'a BTreeMap<Arc<str>, LoadedFile>,
}

/// A rule that was made, with those that go with it.
#[derive(Debug)]
pub(in crate::lang::import::home_assistant) struct Made {
    /// Each with its key.
    pub(in crate::lang::import::home_assistant) rules: Vec<(String, Doc)>,
    pub(in crate::lang::import::home_assistant) differs: Vec<String>,
    pub(in crate::lang::import::home_assistant) refused: Vec<Reason>,
}

impl<'a> Source<'a> {
    pub(in crate::lang::import::home_assistant::translate) fn work(
        &self,
        node: &Node,
        key: &str,
        comments: Vec<Comment>,
    ) -> Work<'a> {
        let scope = Scope {
            home: self.home,
            fired: Vec::new(),
            words: Vec::new(),
            awaited: Vec::new(),
            variables: BTreeMap::new(),
            constants: BTreeMap::new(),
            trigger_id: "trigger.id".to_owned(),
            rule: key.to_owned(),
            is_script: false,
            given: BTreeSet::new(),
            items: Vec::new(),
            turns: None,
            repeats: false,
            waits: false,
        };
        Work {
            scope,
            names: self.names,
            shared: self.shared,
            files: self.files,
            differs: Vec::new(),
            refused: Vec::new(),
            part: Code::ACTION_NOT_TAKEN,
            is_exact: false,
            helpers: Vec::new(),
            comments,
            file: Arc::clone(&node.place.file),
            secrets: None,
            reassigned: reassigned(node),
        }
    }
}

/// Returns the names that more than one `variables` sets.
fn reassigned(node: &Node) -> BTreeSet<String> {
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    node.walk(&mut |part| {
        for key in ["variables", "trigger_variables"] {
            for entry in part.get(key).and_then(Node::as_map).unwrap_or_default() {
                if !seen.insert(entry.name().to_owned()) {
                    found.insert(entry.name().to_owned());
                }
            }
        }
    });
    found
}

/// Returns whether something reads `trigger.id`.
fn reads_trigger_id(node: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |part| {
        let names = ["trigger.id", "trigger.platform", "trigger.event", "trigger.above", "trigger.below"];
        found |= is_template(part) && part.as_text().is_some_and(|text| names.iter().any(|name| text.contains(name)));
        found |= part.get("condition").and_then(Node::as_text) == Some("trigger");
    });
    found
}

/// Translates an automation, in its full form. `original` is as it's written; it was `unread` for this reason.
#[expect(clippy::too_many_lines, reason = "the parts of a rule, in their order")]
pub(in crate::lang::import::home_assistant) fn automation(
    source: Source<'_>,
    original: &Node,
    expanded: Result<Node, String>,
    key: &str,
    comments: Vec<Comment>,
) -> Made {
    let mut work = source.work(original, key, comments);
    let above = work.take_comments(&original.place, false);
    let node = match expanded {
        Ok(node) => match impossible_keys(&node, false) {
            Some(reason) => return refused_whole_at(&mut work, original, above, reason),
            None => {
                if is_loose(&node) {
                    work.differ(LOOSE);
                }
                normal::automation(&node)
            }
        },
        Err(reason) => {
            return refused_whole(&mut work, original, key, above, Reason::new(Code::NOT_READ, reason));
        }
    };
    if node.as_map().is_none()
        || node.get("triggers").is_none_or(|triggers| triggers.items().is_empty()) && node.get("actions").is_none()
    {
        return refused_whole(
            &mut work,
            original,
            key,
            above,
            Reason::new(Code::REFUSED_THERE_TOO, "this isn't an automation: it has no triggers and no actions"),
        );
    }
    if let Some(reason) = impossible(&node) {
        return refused_whole(&mut work, original, key, above, Reason::new(Code::REFUSED_THERE_TOO, reason));
    }
    let needs_ids = reads_trigger_id(&node) || bring_variables(node.get("triggers"));
    let mut lets = Vec::new();
    if let Some(variables) = node.get("trigger_variables") {
        lets.extend(work.variable_entries(variables).unwrap_or_default());
    }
    let triggers = node.get("triggers").map(|listed| work.triggers(listed, needs_ids)).unwrap_or_default();
    work.scope.fired = triggers
        .listed
        .iter()
        .map(|started| started.fired.clone())
        .filter(|fired| !fired.platform.is_empty())
        .collect();
    work.scope.fired.extend(triggers.computed.iter().map(|computed| computed.fired.clone()));
    work.scope.words = words(&node, source.home);
    let listed = triggers.listed.iter().filter(|started| !started.doc.is_comment()).count();
    if !triggers.computed.is_empty() && needs_ids {
        work.scope.trigger_id =
            if listed == 0 { "started_by".to_owned() } else { "(started_by ?? trigger.id)".to_owned() };
    }
    if let Some(listed) = node.get("triggers") {
        lets.extend(work.trigger_lets(listed, &triggers).unwrap_or_default());
    }
    if let Some(variables) = node.get("variables") {
        lets.extend(work.variable_entries(variables).unwrap_or_default());
    }
    let guards = guards(&mut work, original, &triggers);
    let mut conditions: Vec<_> = Vec::new();
    if let Some(listed) = node.get("conditions").filter(|listed| !listed.items().is_empty()) {
        conditions = work.conditions(listed);
    }
    // A template whose trigger was switched off, and conditions for each that triggers alone.
    let separate: Vec<(Computed, Option<Doc>)> = triggers
        .computed
        .iter()
        .map(|computed| {
            let asked = match (&computed.quoted_id(), needs_ids) {
                (Some(id), true) => {
                    let before = std::mem::replace(&mut work.scope.trigger_id, id.clone());
                    let conditions = node.get("conditions").map(|listed| work.conditions(listed)).unwrap_or_default();
                    work.scope.trigger_id = before;
                    as_if(&conditions)
                }
                _ => as_if(&conditions),
            };
            (computed.clone(), asked)
        })
        .collect();
    let is_simple = |computed: &Computed| computed.is_enabled && computed.late.is_none();
    let is_alone = listed == 0 && separate.len() == 1 && separate.iter().all(|(computed, _)| is_simple(computed));
    if is_alone
        && let Some(id) = triggers.computed.first().and_then(Computed::quoted_id)
        && !waits(node.get("actions"))
    {
        work.scope.trigger_id = id;
    }
    let then = node.get("actions").map(|listed| work.actions(listed)).unwrap_or_default();
    let mut above = above;
    let end = Node { place: original.place.clone(), kind: original.kind.clone() };
    above.extend(work.take_comments(&end.place, true));
    let is_direct = is_alone && !waits(node.get("actions"));
    for (place, asked) in guards {
        let _ = place;
        conditions.push((Vec::new(), asked));
    }
    let mut keys = head(&mut work, &node);
    let mut rules = Vec::new();
    if is_direct {
        if let Some((computed, asked)) = separate.into_iter().next() {
            keys.extend(computed.keys());
            add_let(&mut keys, started_alone(lets, &computed));
            keys.extend(asked.map(|asked| ("if".to_owned(), asked)));
        }
        keys.push(("then".to_owned(), block(then)));
        let doc = Doc::Map(keys).noted(above);
        return work.made(vec![(key.to_owned(), doc)], key);
    }
    let mut heard: Vec<Doc> = triggers.listed.iter().map(|started| started.doc.clone()).collect();
    let when = match heard.len() {
        _ if listed == 0 => {
            let mut docs = heard;
            docs.push(nothing());
            if docs.len() == 1 { docs.remove(0) } else { Doc::List(docs) }
        }
        1 => heard.remove(0),
        _ => Doc::List(heard),
    };
    keys.push(("when".to_owned(), when));
    add_let(&mut keys, lets.clone());
    keys.extend(as_if(&conditions).filter(|_| listed > 0).map(|asked| ("if".to_owned(), asked)));
    keys.push(("then".to_owned(), block(then)));
    add_mode(&mut work, &node, &mut keys);
    rules.push((key.to_owned(), Doc::Map(keys).noted(above)));
    for (index, (computed, asked)) in separate.into_iter().enumerate() {
        let mut keys = Vec::new();
        if !computed.is_enabled {
            keys.push(("enabled".to_owned(), Doc::Value(false.into())));
        }
        keys.extend(computed.keys());
        if let Some(asked) = &asked {
            add_let(&mut keys, needed(started_alone(lets.clone(), &computed), asked));
        }
        let mut run = vec![("run", Doc::text(key))];
        if let (true, Some(id)) = (needs_ids, &computed.id) {
            run.push(("with", Doc::inline([("started_by", Doc::text(id))])));
        }
        run.push(("wait", Doc::Value(false.into())));
        run.push(("on_dropped", Doc::text("continue")));
        let run = crate::lang::import::home_assistant::translate::trigger::state_trigger::entries(run);
        // What is asked when it starts, is asked once it has held.
        let run = match asked {
            Some(asked) if computed.late.is_some() => {
                Doc::Map(vec![("if".to_owned(), asked), ("then".to_owned(), run)])
            }
            Some(asked) => {
                keys.push(("if".to_owned(), asked));
                run
            }
            None => run,
        };
        let is_begun = computed.when.is_some();
        keys.push(("then".to_owned(), computed.then(run)));
        if is_begun {
            keys.push(("mode".to_owned(), Doc::text("restart")));
            keys.push(("per".to_owned(), Doc::Value(json!([]))));
        }
        let note = if rules.len() == 1 && index == 0 {
            vec![format!("A trigger of `{key}`: when this becomes true.")]
        } else {
            vec![format!("Another trigger of `{key}`.")]
        };
        rules.push((
            format!("{key}-trigger{}", if index == 0 { String::new() } else { format!("-{}", index + 1) }),
            Doc::Map(keys).noted(note),
        ));
    }
    work.made(rules, key)
}

/// Returns why an automation can't be one, in Home Assistant neither.
fn impossible(node: &Node) -> Option<String> {
    let mode = node.get("mode").filter(|mode| !mode.is_null()).and_then(Node::to_text);
    if let Some(mode) = mode
        && !matches!(&*mode, "single" | "restart" | "queued" | "parallel")
    {
        return Some(format!("`mode: {mode}` isn't one of `single`, `restart`, `queued` and `parallel`"));
    }
    if node.get("actions").is_none_or(|actions| actions.items().is_empty()) {
        return Some("it has no actions".to_owned());
    }
    None
}

/// Returns the conditions that single triggers bring, each asked only where that trigger fired.
fn guards(
    work: &mut Work<'_>,
    node: &Node,
    triggers: &Triggers,
) -> Vec<(usize, crate::lang::import::home_assistant::translate::condition::kinds::Condition)> {
    let total = triggers.listed.iter().filter(|started| !started.doc.is_comment()).count();
    let mut found: Vec<(usize, crate::lang::import::home_assistant::translate::condition::kinds::Condition)> =
        Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (index, started) in triggers.listed.iter().enumerate() {
        let Some(guard) = &started.guard else { continue };
        let others = triggers.listed.iter().enumerate().filter(|(other, _)| *other != index);
        let is_ambiguous = others
            .into_iter()
            .any(|(_, other)| other.fired.key.as_ref() == Some(&guard.key) && other.guard.as_ref() != Some(guard));
        if is_ambiguous {
            let _ = work.refuse::<()>(node, "two triggers on one entity, one of them with `not_to` or `not_from`, aren't told apart: put it into the conditions");
            continue;
        }
        let expression = guard.expression(total == 1);
        if !seen.contains(&expression) {
            seen.push(expression.clone());
            let level = if total == 1 {
                crate::lang::import::home_assistant::expression::AND
            } else {
                crate::lang::import::home_assistant::expression::OR
            };
            found.push((
                index,
                crate::lang::import::home_assistant::translate::condition::kinds::Condition::expression(
                    expression, level,
                ),
            ));
        }
    }
    found
}

/// Returns the states that may trigger, none if these aren't all known.
fn words(node: &Node, home: &Home) -> Vec<String> {
    const SWITCHES: [&str; 7] =
        ["light.", "switch.", "binary_sensor.", "input_boolean.", "fan.", "group.", "automation."];
    let mut words: Vec<String> = Vec::new();
    for trigger in node.get("triggers").map(Node::items).unwrap_or_default() {
        if trigger.get("trigger").and_then(Node::as_text) != Some("state") {
            continue;
        }
        if let Some(to) = trigger.get("to").filter(|to| !to.is_null()) {
            words.extend(to.items().into_iter().filter_map(Node::to_text));
            continue;
        }
        for id in trigger.get("entity_id").map(Node::items).unwrap_or_default() {
            let id = id.as_text().unwrap_or_default();
            match home.entity(id).source {
                EntitySource::Input { kind: InputKind::Choice { options }, .. } => words.extend(options),
                _ if SWITCHES.iter().any(|domain| id.starts_with(domain)) => {
                    words.extend(["on".to_owned(), "off".to_owned()]);
                }
                _ => return Vec::new(),
            }
        }
    }
    words.sort();
    words.dedup();
    words
}

/// Returns whether actions take time.
fn waits(node: Option<&Node>) -> bool {
    let mut found = false;
    if let Some(node) = node {
        node.walk(&mut |part| {
            found |= ["delay", "wait_template", "wait_for_trigger", "repeat", "parallel"]
                .iter()
                .any(|key| part.get(key).is_some());
            found |= part.get("action").and_then(Node::to_text).is_some_and(|action| {
                action.starts_with("script.")
                    || action.starts_with("rest_command.")
                    || action.starts_with("automation.trigger")
            });
        });
    }
    found
}

fn add_let(keys: &mut Vec<(String, Doc)>, lets: Vec<(String, Doc)>) {
    if !lets.is_empty() {
        keys.push(("let".to_owned(), Doc::Map(lets)));
    }
}

/// Returns the keys that say what a rule is.
pub(in crate::lang::import::home_assistant::translate) fn head(work: &mut Work<'_>, node: &Node) -> Vec<(String, Doc)> {
    let mut keys = Vec::new();
    let text = |key: &str| {
        node.get(key).filter(|value| !value.is_null()).and_then(Node::to_text).filter(|text| !text.trim().is_empty())
    };
    keys.extend(
        text("alias").map(|alias| {
            ("name".to_owned(), Doc::text(crate::lang::import::home_assistant::expression::escape(&alias)))
        }),
    );
    keys.extend(text("description").map(|text| {
        ("description".to_owned(), Doc::text(crate::lang::import::home_assistant::expression::escape(text.trim())))
    }));
    keys.extend(text("id").map(|id| ("tags".to_owned(), Doc::Value(json!([id])))));
    if node.get("initial_state").and_then(Node::as_bool) == Some(false) {
        keys.push(("enabled".to_owned(), Doc::Value(false.into())));
        work.differ("there, each restart switches it off; here the switch is kept");
    }
    keys
}

fn add_mode(work: &mut Work<'_>, node: &Node, keys: &mut Vec<(String, Doc)>) {
    let mode = node.get("mode").and_then(Node::to_text).unwrap_or_else(|| "single".to_owned());
    let can_bound = matches!(&*mode, "queued" | "parallel");
    keys.push(("mode".to_owned(), Doc::text(mode)));
    if let Some(max) = node.get("max").filter(|_| can_bound) {
        match max.as_number().or_else(|| max.to_text()?.parse().ok()) {
            Some(max) => keys.push((
                "max".to_owned(),
                Doc::Value(crate::lang::import::home_assistant::translate::helper::plain(max)),
            )),
            None => {
                let _ = work.refuse::<()>(max, "`max` needs a number");
            }
        }
    }
    keys.push(("per".to_owned(), Doc::Value(json!([]))));
}

/// Translates a script.
pub(in crate::lang::import::home_assistant) fn script(
    source: Source<'_>,
    original: &Node,
    expanded: Result<Node, String>,
    object: &str,
    key: &str,
    comments: Vec<Comment>,
) -> Made {
    let mut work = source.work(original, key, comments);
    let above = work.take_comments(&original.place, false);
    let node = match expanded {
        Ok(node) => match impossible_keys(&node, true) {
            Some(reason) => return refused_whole_at(&mut work, original, above, reason),
            None => node,
        },
        Err(reason) => {
            return refused_whole(&mut work, original, key, above, Reason::new(Code::NOT_READ, reason));
        }
    };
    work.scope.is_script = true;
    let given = source.names.given.get(object).cloned().unwrap_or_default();
    // A field that nobody gives isn't defined.
    work.scope.given.clone_from(&given);
    for name in &given {
        if let Some(variable) = crate::lang::import::home_assistant::translate::names::variable(name) {
            let texts = source.names.given_texts.get(&(object.to_owned(), name.clone())).cloned().flatten();
            let texts: Vec<String> = texts.unwrap_or_default().into_iter().collect();
            let written = crate::lang::import::home_assistant::expression::Written::one_of(&variable, &texts, true);
            work.scope.variables.insert(name.clone(), written);
        }
    }
    let sequence = normal::sequence_of(&node);
    if sequence.items().is_empty() {
        let reason = Reason::new(Code::REFUSED_THERE_TOO, "it has no actions");
        return refused_whole(&mut work, original, key, above, reason);
    }
    if let Some(reason) = impossible(&Node::map_at(&node.place, {
        let mut keys = vec![("actions", sequence.clone())];
        keys.extend(node.get("mode").map(|mode| ("mode", mode.clone())));
        keys
    })) {
        return refused_whole(&mut work, original, key, above, Reason::new(Code::REFUSED_THERE_TOO, reason));
    }
    let lets =
        node.get("variables").map(|variables| work.variable_entries(variables).unwrap_or_default()).unwrap_or_default();
    let then = work.actions(&sequence);
    let mut above = above;
    above.extend(work.take_comments(&original.place, true));
    let mut keys = head(&mut work, &node);
    keys.retain(|(key, _)| key != "tags");
    keys.push(("when".to_owned(), nothing()));
    add_let(&mut keys, lets);
    keys.push(("then".to_owned(), block(then)));
    add_mode(&mut work, &node, &mut keys);
    let rules = vec![(key.to_owned(), Doc::Map(keys).noted(above))];
    work.made(rules, key)
}
