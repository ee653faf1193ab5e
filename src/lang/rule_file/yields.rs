//! Decodes `yields`: when a rule steps back (docs/safety.md).

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::lang::Code;
use crate::lang::reader::fields::Fields;
use crate::lang::reader::foreign::Place;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::{Value, ValuePath};
use crate::rules::{Action, ActionKind, Block, Watched, Yields};
use crate::script::Template;

use super::decoder::Decoder;
use super::trigger::optional;

/// How long after a command a report may differ from it, unless the rule says.
const GRACE: Duration = Duration::from_secs(5);

impl Decoder<'_> {
    /// Returns when a rule steps back: a duration, or a map.
    pub(super) fn yields(&mut self, node: &Node) -> Option<Yields> {
        let plain = |hold| Yields {
            hold: Some(hold),
            until: None,
            to: Vec::new(),
            grace: GRACE,
            skips_else: false,
            keys: BTreeSet::new(),
        };
        if node.as_map().is_none() {
            return self.interval(node).map(plain);
        }
        let fields = Fields::of(node, "`yields`", &self.reader.text, &mut self.reader.findings)?;
        let mut fields = fields.at(Place::Elsewhere);
        let hold = fields.take("for").map(|node| self.interval(node));
        let until = fields.take("until").map(|node| self.condition(node, "yields.until"));
        let to = fields.take("to").map(|node| self.watched(node));
        let grace = fields.take("grace").map(|node| self.duration(node));
        let after = fields.take("after").map(|node| self.word(node, &[("nothing", true), ("else", false)]));
        if hold.is_none() && until.is_none() {
            let span = self.mark(node);
            let found = self.findings.error(Code::MISSING_KEY, span, "`yields` needs `for` or `until`");
            found.help("write e.g. `yields: 2h`, or `yields: { for: 2h, to: [zigbee2mqtt/hall_lamp] }`");
        }
        fields.finish(&mut self.reader.findings);
        Some(Yields {
            hold: optional(hold)?,
            until: optional(until)?,
            to: optional(to)?.unwrap_or_default(),
            grace: optional(grace)?.unwrap_or(GRACE),
            skips_else: optional(after)?.unwrap_or(false),
            keys: BTreeSet::new(),
        })
    }

    /// Returns the topics that are watched: one, a list, or a map of topics to the fields that matter.
    fn watched(&mut self, node: &Node) -> Option<Vec<Watched>> {
        match &node.kind {
            NodeKind::Map(entries) => {
                let mut all = Vec::new();
                for entry in entries {
                    let key = Node {
                        span: entry.key_span.clone(),
                        kind: NodeKind::Scalar(crate::lang::yaml::tree::Scalar {
                            text: entry.key.clone(),
                            is_plain: false,
                            value: Value::text(entry.key.as_str()),
                        }),
                    };
                    let filter = self.checked_filter(&key);
                    let fields = self.fields_of(&entry.value);
                    all.push(filter.zip(fields).map(|(filter, fields)| Watched { filter, fields }));
                }
                all.into_iter().collect()
            }
            NodeKind::List(items) => {
                let all: Vec<_> = items.iter().map(|item| self.watched_item(item)).collect();
                all.into_iter().collect::<Option<Vec<_>>>().map(|all| all.concat())
            }
            NodeKind::Scalar(_) | NodeKind::Closure(_) => self.watched_item(node),
        }
    }

    fn watched_item(&mut self, node: &Node) -> Option<Vec<Watched>> {
        if node.as_map().is_some() {
            return self.watched(node);
        }
        self.checked_filter(node).map(|filter| vec![Watched { filter, fields: Vec::new() }])
    }

    /// Returns the fields of a payload that matter.
    fn fields_of(&mut self, node: &Node) -> Option<Vec<ValuePath>> {
        let items = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => std::slice::from_ref(node),
        };
        let all: Vec<_> = items.iter().map(|item| self.path(item)).collect();
        all.into_iter().collect()
    }

    /// Completes what a rule yields to, once its actions are known; reports one that watches nothing.
    pub(super) fn complete_yields(&mut self, yields: Yields, span: Range<usize>) -> Option<Yields> {
        let actions = || self.blocks.iter().flatten().flat_map(|block: &Block| &block.actions);
        if yields.to.is_empty() && !actions().any(commands_devices) {
            let message = "this rule has nothing to yield to: none of its actions is a `set`, and `to` names no topic";
            let found = self.findings.error(Code::YIELDS_TO_NOTHING, span, message);
            found
                .help("name the topics that tell what it commands: `yields: { for: 2h, to: [zigbee2mqtt/hall_lamp] }`");
            return None;
        }
        let mut keys = BTreeSet::new();
        for action in actions() {
            for message in action.kind.messages() {
                keys_of(&message.payload, &mut keys);
            }
        }
        Some(Yields { keys, ..yields })
    }
}

/// Returns whether an action may command devices by name.
fn commands_devices(action: &Action) -> bool {
    // A script may, and a snapshot may be one of devices.
    !action.kind.sets().is_empty() || matches!(action.kind, ActionKind::Script(_) | ActionKind::Restore { .. })
}

/// Adds the keys of a payload that are written out.
fn keys_of(payload: &Template, keys: &mut BTreeSet<Arc<str>>) {
    match payload {
        Template::Constant(Value::Map(map)) => keys.extend(map.keys().cloned()),
        Template::Map(entries) => {
            let written = entries.iter().filter_map(|(key, _)| key.as_constant().and_then(Value::as_text));
            keys.extend(written.map(Arc::from));
        }
        Template::Constant(_) | Template::Expression(_) | Template::Text(_) | Template::List(_) => {}
    }
}
