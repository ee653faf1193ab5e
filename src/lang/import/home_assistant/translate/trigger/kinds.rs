//! Triggers: each kind of Home Assistant's with ours.

use crate::lang::Code;
use crate::lang::import::home_assistant::expression::{Fired, FiredKey, FiredKind, Marks, quoted};
use crate::lang::import::home_assistant::translate::duration::{self, Hold};
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

/// A trigger of ours.
#[derive(Debug, Clone)]
pub(in crate::lang::import::home_assistant::translate) struct Started {
    pub(in crate::lang::import::home_assistant::translate) doc: Doc,
    pub(in crate::lang::import::home_assistant::translate) fired: Fired,
    pub(in crate::lang::import::home_assistant::translate) guard: Option<Guard>,
}

/// A condition on what one trigger brought.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant::translate) struct Guard {
    pub(in crate::lang::import::home_assistant::translate) key: FiredKey,
    pub(in crate::lang::import::home_assistant::translate) expression: String,
}

/// A trigger that is an expression becoming true.
#[derive(Debug, Clone)]
pub(in crate::lang::import::home_assistant::translate) struct Computed {
    pub(in crate::lang::import::home_assistant::translate) expression: String,
    pub(in crate::lang::import::home_assistant::translate) hold: Option<i64>,
    pub(in crate::lang::import::home_assistant::translate) late: Option<String>,
    /// A trigger that begins it, if it isn't the expression; that is what ends it then.
    pub(in crate::lang::import::home_assistant::translate) when: Option<(Doc, Option<String>)>,
    pub(in crate::lang::import::home_assistant::translate) id: Option<String>,
    pub(in crate::lang::import::home_assistant::translate) is_enabled: bool,
    pub(in crate::lang::import::home_assistant::translate) comments: Vec<String>,
    pub(in crate::lang::import::home_assistant::translate) fired: Fired,
}

/// The triggers of an automation.
#[derive(Debug, Default)]
pub(in crate::lang::import::home_assistant::translate) struct Triggers {
    pub(in crate::lang::import::home_assistant::translate) listed: Vec<Started>,
    pub(in crate::lang::import::home_assistant::translate) computed: Vec<Computed>,
}

const TEMPLATE: &str =
    "a template that is true already when homerule first starts triggers then; there it must become true";

impl Triggers {
    pub(in crate::lang::import::home_assistant::translate) fn push(&mut self, started: Started) {
        self.listed.push(started);
    }

    /// Adds an expression that triggers when it becomes true.
    pub(in crate::lang::import::home_assistant::translate) fn computed(
        &mut self,
        expression: String,
        hold: Option<i64>,
        node: &Node,
    ) {
        let platform = node.get("trigger").and_then(Node::to_text).unwrap_or_default();
        let fired = Fired { kind: FiredKind::Other, platform, key: None, marks: Marks::default() };
        self.computed_of(expression, Hold { fixed: hold, computed: None }, fired);
    }

    /// Adds an expression about an entity that triggers when it becomes true.
    pub(in crate::lang::import::home_assistant::translate) fn computed_of(
        &mut self,
        expression: String,
        hold: Hold,
        fired: Fired,
    ) {
        let (id, is_enabled, comments) = (None, true, Vec::new());
        let (hold, late, when) = (hold.fixed, hold.computed, None);
        self.computed.push(Computed { expression, hold, late, when, id, is_enabled, comments, fired });
    }

    /// Adds a trigger that counts once it has held for a time that is computed when it fires; `until` ends that.
    pub(in crate::lang::import::home_assistant::translate) fn late(
        &mut self,
        started: Started,
        until: String,
        hold: String,
    ) {
        let (id, is_enabled, comments) = (None, true, Vec::new());
        let guard = started.guard.map(|guard| guard.expression);
        let (late, when) = (Some(hold), Some((started.doc, guard)));
        let (expression, hold, fired) = (until, None, started.fired);
        self.computed.push(Computed { expression, hold, late, when, id, is_enabled, comments, fired });
    }
}

impl Work<'_> {
    /// Translates the triggers of an automation. `needs_ids`: something reads `trigger.id`.
    pub(in crate::lang::import::home_assistant::translate) fn triggers(
        &mut self,
        node: &Node,
        needs_ids: bool,
    ) -> Triggers {
        let mut triggers = Triggers::default();
        for (index, item) in node.items().into_iter().enumerate() {
            let comments = self.take_comments(&item.place, false);
            let (listed, computed) = (triggers.listed.len(), triggers.computed.len());
            let before = self.refused.len();
            let outcome = self.trigger(item, &mut triggers);
            let mut comments = comments;
            comments.extend(self.take_comments(&item.place, true));
            if let Some(alias) = item.get("alias").and_then(Node::to_text) {
                comments.insert(0, alias);
            }
            if outcome.is_err() || self.refused.len() > before {
                triggers.listed.truncate(listed);
                triggers.computed.truncate(computed);
                let mut lines = comments;
                lines.extend(self.original(item));
                let kind = FiredKind::Other;
                triggers.push(Started {
                    doc: Doc::Comment(lines),
                    fired: Fired { kind, platform: String::new(), key: None, marks: Marks::default() },
                    guard: None,
                });
                continue;
            }
            let id = item.get("id").and_then(Node::to_text).or_else(|| needs_ids.then(|| index.to_string()));
            let is_enabled = self.is_enabled(item).unwrap_or(true);
            let marks = marks(item, id.clone(), index);
            for started in triggers.listed.iter_mut().skip(listed) {
                let own = std::mem::take(&mut started.fired.marks);
                started.fired.marks = marks.clone();
                started.fired.marks.values.extend(own.values);
                let id = own.id.filter(|_| needs_ids).or_else(|| id.clone());
                started.fired.marks.id.clone_from(&id);
                if let Doc::Inline(keys) = &mut started.doc {
                    keys.extend(id.map(|id| ("id".to_owned(), Doc::text(id))));
                    if !is_enabled {
                        keys.push(("enabled".to_owned(), Doc::Value(false.into())));
                    }
                }
                started.doc = started.doc.clone().noted(std::mem::take(&mut comments));
            }
            for computed in triggers.computed.iter_mut().skip(computed) {
                computed.fired.marks = marks.clone();
                computed.id.clone_from(&id);
                computed.is_enabled = is_enabled;
                computed.comments = std::mem::take(&mut comments);
            }
        }
        triggers
    }

    /// Translates one trigger.
    pub(in crate::lang::import::home_assistant::translate) fn trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        self.within(Code::TRIGGER_NOT_TAKEN, |work| work.trigger_of_kind(node, triggers))
    }

    fn trigger_of_kind(&mut self, node: &Node, triggers: &mut Triggers) -> Answer<()> {
        if node.as_map().is_none() {
            return self.refuse(node, "this isn't a trigger: it needs `trigger:`");
        }
        if let Some((place, reason)) = node.broken() {
            let (place, reason) = (place.clone(), reason.clone());
            return self.refuse_at(place, reason);
        }
        self.is_enabled(node)?;
        if node.get("variables").is_some_and(|variables| !variables.is_null() && variables.as_map().is_none()) {
            return self.refuse(node, "`variables` needs names with values");
        }
        let Some(kind) = node.get("trigger").and_then(Node::to_text) else {
            return self.refuse(node, "this trigger needs `trigger:` (or `platform:`)");
        };
        self.known_trigger_keys(node, &kind)?;
        match &*kind {
            "state" => self.state_trigger(node, triggers),
            "numeric_state" => self.numeric_trigger(node, triggers),
            "time" => self.time_trigger(node, triggers),
            "time_pattern" => self.pattern_trigger(node, triggers),
            "sun" => self.sun_trigger(node, triggers),
            "mqtt" => self.mqtt_trigger(node, triggers),
            "homeassistant" => self.start_trigger(node, triggers),
            "webhook" => self.webhook_trigger(node, triggers),
            "event" => self.event_trigger(node, triggers),
            "template" => self.template_trigger(node, triggers),
            "device" => self.device_trigger(node, triggers),
            "zone" | "geo_location" => self.refuse(node, format!("a `{kind}` trigger has no counterpart: zones aren't known here. A state trigger on the person works")),
            "calendar" => self.refuse(node, "a `calendar` trigger has no counterpart: put the calendar's file into `calendars:` and write `{ calendar: NAME, is: start }`"),
            "tag" => self.refuse(node, "a `tag` trigger has no counterpart: tags aren't known here. The reader's MQTT topic works"),
            "conversation" => self.refuse(node, "a `conversation` trigger has no counterpart: there is no voice assistant here"),
            "persistent_notification" => self.refuse(node, "a `persistent_notification` trigger has no counterpart here"),
            other => self.refuse(node, format!("a `{other}` trigger has no counterpart here")),
        }
    }

    pub(in crate::lang::import::home_assistant::translate) fn mqtt_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let Some(topic) = node.get("topic") else { return self.refuse(node, "`topic` is missing") };
        let topic = self.text(topic)?;
        if topic.contains("${") {
            return self.refuse(node, "a topic that is computed can't be listened to");
        }
        let mut keys = vec![("topic", Doc::text(&topic))];
        let payload = node.get("payload").filter(|payload| !payload.is_null());
        let payload = match payload {
            Some(payload) if is_template(payload) => {
                let rendered = self.template(payload)?;
                match rendered.constant() {
                    Some(text) => Some(text),
                    None => {
                        return self.refuse(payload, "a `payload` that is computed isn't translated: use a condition");
                    }
                }
            }
            Some(payload) => payload.to_text(),
            None => None,
        };
        match (payload, node.get("value_template")) {
            (Some(payload), None) => keys
                .push(("payload", Doc::Value(crate::lang::import::home_assistant::entities::payload_value(&payload)))),
            (Some(payload), Some(template)) => {
                let rendered = self.message_template(template)?;
                let written = rendered.expression();
                let constant = crate::lang::import::home_assistant::expression::Written::constant(&payload);
                let condition = match crate::lang::import::home_assistant::entities::payload_value(&payload) {
                    serde_json::Value::String(_)
                        if written.kind == crate::lang::import::home_assistant::expression::Kind::Any =>
                    {
                        // Here `()`, and there an empty text, which equals nothing either.
                        format!(
                            "{} == {}",
                            written.at(crate::lang::import::home_assistant::expression::SUM),
                            constant.text
                        )
                    }
                    _ => format!("{} == {}", written.as_text(), constant.text),
                };
                keys.push(("where", Doc::text(condition)));
            }
            (None, _) => {}
        }
        keys.push(("retained", Doc::Value(true.into())));
        let fired = Fired {
            kind: FiredKind::Mqtt,
            platform: "mqtt".to_owned(),
            key: Some(FiredKey::Topic(topic)),
            marks: Marks::default(),
        };
        triggers.push(Started { doc: entries(keys), fired, guard: None });
        Ok(())
    }

    /// Translates a template of a message, in which `value` and `value_json` are it.
    pub(in crate::lang::import::home_assistant::translate) fn message_template(
        &mut self,
        node: &Node,
    ) -> Answer<crate::lang::import::home_assistant::expression::Rendered> {
        use crate::lang::import::home_assistant::expression::{Kind, Written};
        let before = self.scope.variables.clone();
        self.scope.variables.insert("value".to_owned(), Written::atom("payload", Kind::Text));
        self.scope.variables.insert("value_json".to_owned(), Written::atom("msg", Kind::Any));
        let rendered = self.template(node);
        self.scope.variables = before;
        rendered
    }

    pub(in crate::lang::import::home_assistant::translate) fn start_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let event = match node.get("event").and_then(Node::to_text).as_deref() {
            Some("start") => "started",
            Some("shutdown") => "stopping",
            _ => return self.refuse(node, "`event` is `start` or `shutdown`"),
        };
        triggers.push(other("homeassistant", Doc::inline([("event", Doc::text(event))])));
        Ok(())
    }

    pub(in crate::lang::import::home_assistant::translate) fn webhook_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let Some(id) = node.get("webhook_id") else { return self.refuse(node, "`webhook_id` is missing") };
        if id.as_scalar().is_some_and(|scalar| scalar.secret.is_some()) || is_template(id) {
            return self.refuse(id, "a webhook's name can't be a secret or a template here: choose a name");
        }
        let Some(name) = id.to_text() else { return self.refuse(id, "`webhook_id` needs a name") };
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)) {
            return self
                .refuse(id, format!("`{name}` can't be the name of a webhook here: letters, digits, `-` and `_`"));
        }
        if let Some(methods) = node.get("allowed_methods") {
            let methods: Vec<String> = methods
                .items()
                .iter()
                .filter_map(|method| method.to_text())
                .map(|method| method.to_uppercase())
                .collect();
            if !methods.iter().any(|method| method == "POST") {
                return self.refuse(node, "only POST calls a webhook here");
            }
        }
        self.differ(format!("whoever calls it must call `/hook/{name}` of homerule, by POST"));
        let fired =
            Fired { kind: FiredKind::Webhook, platform: "webhook".to_owned(), key: None, marks: Marks::default() };
        triggers.push(Started { doc: Doc::inline([("webhook", Doc::text(name))]), fired, guard: None });
        Ok(())
    }

    pub(in crate::lang::import::home_assistant::translate) fn template_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let Some(template) = node.get("value_template") else {
            return self.refuse(node, "`value_template` is missing");
        };
        let hold = self.hold(node)?;
        let rendered = self.template(template)?;
        let written = rendered.trigger();
        match &*written.text {
            "true" | "false" => return self.refuse(template, "this template is always the same, so it never triggers"),
            _ => {}
        }
        self.differ(TEMPLATE);
        let (platform, marks) = ("template".to_owned(), Marks::default());
        triggers.computed_of(written.text, hold, Fired { kind: FiredKind::Other, platform, key: None, marks });
        Ok(())
    }
}

/// Returns what is written of a trigger, for those that ask which one fired.
pub(in crate::lang::import::home_assistant::translate) fn marks(
    node: &Node,
    id: Option<String>,
    index: usize,
) -> Marks {
    let platform = node.get("trigger").and_then(Node::to_text).unwrap_or_default();
    let mut values = std::collections::BTreeMap::new();
    let keys: &[&str] = match &*platform {
        "homeassistant" | "sun" => &["event"],
        "numeric_state" => &["above", "below"],
        _ => &[],
    };
    // How long it has held, in seconds; a text stands for what is computed.
    if let Some(hold) = node.get("for").filter(|hold| !hold.is_null()) {
        #[expect(clippy::cast_precision_loss, reason = "a time of milliseconds is far below")]
        let seconds = duration::constant(hold).and_then(|millis| serde_json::Number::from_f64(millis as f64 / 1000.0));
        values.insert("for".to_owned(), seconds.map_or_else(|| "computed".into(), serde_json::Value::Number));
    }
    for key in keys {
        let Some(value) = node.get(key).filter(|value| !is_template(value)) else { continue };
        let number = value.as_number().or_else(|| value.to_text()?.trim().parse().ok());
        let value = match number.and_then(serde_json::Number::from_f64) {
            Some(number) => serde_json::Value::Number(number),
            None => value.to_text().unwrap_or_default().into(),
        };
        values.insert((*key).to_owned(), value);
    }
    Marks { id, index, values }
}

/// Returns the topic on which our own events are said.
pub(in crate::lang::import::home_assistant::translate) fn event_topic(event: &str) -> String {
    format!("home_assistant/event/{event}")
}

/// Returns the name of the webhook that an answer to a notification calls.
pub(in crate::lang::import::home_assistant::translate) fn reply(action: &str) -> String {
    let name: String = action
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "-_".contains(letter) { letter } else { '-' })
        .collect();
    if name.is_empty() { "answer".to_owned() } else { name }
}

impl Computed {
    /// Returns the value of `while` with the keys beside it.
    pub(in crate::lang::import::home_assistant::translate) fn keys(&self) -> Vec<(String, Doc)> {
        if let Some((when, guard)) = &self.when {
            let mut keys = vec![("when".to_owned(), when.clone().noted(self.comments.clone()))];
            keys.extend(guard.as_ref().map(|guard| ("if".to_owned(), Doc::text(guard))));
            return keys;
        }
        let mut keys = vec![("while".to_owned(), Doc::text(&self.expression).noted(self.comments.clone()))];
        keys.extend(self.hold.map(|millis| ("for".to_owned(), Doc::text(duration::written(millis)))));
        keys
    }

    /// Returns what waits for a time that is computed, and what it's about.
    pub(in crate::lang::import::home_assistant::translate) fn then(&self, run: Doc) -> Doc {
        let Some(late) = &self.late else { return run };
        if self.when.is_none() {
            // A `while` that ends, ends the delay with it.
            return Doc::List(vec![Doc::inline([("delay", Doc::text(late))]), run]);
        }
        let wait = Doc::inline([
            ("wait", Doc::inline([("until", Doc::text(&self.expression))])),
            ("timeout", Doc::text(late)),
            ("on_timeout", Doc::text("continue")),
        ]);
        let held = Doc::Map(vec![("if".to_owned(), Doc::text("wait.timed_out")), ("then".to_owned(), run)]);
        Doc::List(vec![wait, held])
    }

    pub(in crate::lang::import::home_assistant::translate) fn quoted_id(&self) -> Option<String> {
        self.id.as_ref().map(|id| quoted(id))
    }
}

/// Returns a trigger of which templates see nothing but its kind.
pub(in crate::lang::import::home_assistant::translate) fn other(platform: &str, doc: Doc) -> Started {
    Started {
        doc,
        fired: Fired { kind: FiredKind::Other, platform: platform.to_owned(), key: None, marks: Marks::default() },
        guard: None,
    }
}
