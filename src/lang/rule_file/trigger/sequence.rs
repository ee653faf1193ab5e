//! Decodes sequences and taps: triggers that fire once others have (docs/language/sequences.md).

use std::time::Duration;

use crate::lang::Code;
use crate::lang::reader::fields::Fields;
use crate::lang::reader::foreign::Place;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::schedule::Schedule;
use crate::rules::{Order, PartOf, Sequence, Trigger, TriggerKind};

use crate::lang::rule_file::decoder::Decoder;

/// The triggers that may fire several times, with `times`.
pub(in crate::lang::rule_file) const TAPPED: [&str; 6] = ["topic", "state", "device", "input", "client", "webhook"];

/// How many parts a sequence may have.
const MOST_PARTS: usize = 16;

/// How often a trigger may have to fire.
const MOST_TIMES: u64 = 100;

impl Decoder<'_> {
    /// Adds a trigger to `triggers`, and behind it its parts where it's a sequence.
    pub(in crate::lang::rule_file) fn trigger_with_parts(
        &mut self,
        node: &Node,
        path: &str,
        triggers: &mut Vec<Trigger>,
    ) {
        if node.get("sequence").is_some() {
            self.sequence(node, path, triggers);
        } else if TAPPED.iter().any(|word| node.get(word).is_some())
            && ["times", "within", "exact"].iter().any(|key| node.get(key).is_some())
        {
            self.taps(node, path, triggers);
        } else {
            triggers.extend(self.trigger(node, path));
        }
    }

    /// Reports a sequence within a sequence.
    pub(in crate::lang::rule_file) fn nested_sequence(&mut self, fields: &mut Fields<'_>) -> Option<TriggerKind> {
        fields.allow(&["within", "order"]);
        let entry = fields.take_entry("sequence")?;
        let found =
            self.findings.error(Code::BAD_SEQUENCE, entry.key_span.clone(), "a part of a sequence can't be a sequence");
        found.help("write its parts in the outer one");
        None
    }

    fn sequence(&mut self, node: &Node, path: &str, triggers: &mut Vec<Trigger>) {
        let what = "the trigger `sequence`";
        let Some(fields) = Fields::of(node, what, &self.reader.text, &mut self.reader.findings) else { return };
        let mut fields = fields.at(Place::Trigger);
        let id = fields.take("id").and_then(|id| self.plain_text(id));
        let enabled = fields.take("enabled").and_then(|flag| self.flag(flag)).unwrap_or(true);
        let within = fields.need("within", &self.reader.text).and_then(|node| self.interval(node));
        let order = fields.take("order").map(|node| self.word(node, &[("any", Order::Any)]));
        let parts = fields.take("sequence");
        fields.finish(&mut self.reader.findings);
        let Some(parts) = parts else { return };
        let NodeKind::List(items) = &parts.kind else {
            self.wrong_type(parts, "a list of triggers");
            return;
        };
        if items.len() < 2 || items.len() > MOST_PARTS {
            let message = format!("a sequence has 2 to {MOST_PARTS} parts, and this one has {}", items.len());
            let span = self.mark(parts);
            let found = self.findings.error(Code::BAD_SEQUENCE, span, message);
            found.help("for one that fires several times, write `{ topic: …, times: 2, within: 500ms }`");
            return;
        }
        let each = items.iter().enumerate();
        let read: Vec<Option<Trigger>> =
            each.map(|(index, item)| self.part(item, &format!("{path}.sequence[{index}]"))).collect();
        let (Some(within), Some(read)) = (within, read.into_iter().collect::<Option<Vec<Trigger>>>()) else { return };
        let order = match order {
            None => Order::AsWritten,
            Some(Some(order)) => order,
            Some(None) => return,
        };
        self.check_times(parts, &read, within, order);
        let sequence = Sequence { parts: u16::try_from(read.len()).unwrap_or(u16::MAX), within, order };
        let place = self.place(node);
        let kind = TriggerKind::Sequence(sequence);
        push(triggers, Trigger { id, enabled, kind, part_of: None, path: path.into(), place }, read);
    }

    fn part(&mut self, node: &Node, path: &str) -> Option<Trigger> {
        for key in ["times", "exact"] {
            if let Some(entry) = node.as_map().unwrap_or_default().iter().find(|entry| entry.key.as_str() == key) {
                let message = format!("`{key}` doesn't work in a part of a sequence");
                let found = self.findings.error(Code::BAD_SEQUENCE, entry.key_span.clone(), message);
                found.help("write the part as often as it must fire");
                return None;
            }
        }
        self.trigger(node, path)
    }

    /// Reports times of day that can't follow each other within the time.
    fn check_times(&mut self, node: &Node, parts: &[Trigger], within: Duration, order: Order) {
        if order != Order::AsWritten {
            return;
        }
        let times = |trigger: &Trigger| match &trigger.kind {
            TriggerKind::Schedule { schedule: Schedule::At { times, .. }, .. } => Some(times.clone()),
            _ => None,
        };
        for pair in parts.windows(2) {
            let [first, second] = pair else { continue };
            let (Some(earlier), Some(later)) = (times(first), times(second)) else { continue };
            let seconds = |time: &crate::model::schedule::TimeOfDay| {
                i64::from(time.0.hour()) * 3600 + i64::from(time.0.minute()) * 60 + i64::from(time.0.second())
            };
            let gap = |one: i64, other: i64| (other - one).rem_euclid(86_400);
            let gaps = earlier.iter().flat_map(|one| later.iter().map(move |other| gap(seconds(one), seconds(other))));
            let least = gaps.min().unwrap_or_default();
            if u64::try_from(least).unwrap_or_default() > within.as_secs() {
                let span = self.mark(node);
                let message = "these times are further apart than `within`, so the sequence never fires";
                self.findings.error(Code::BAD_SEQUENCE, span, message).help("use a longer `within`");
            }
        }
    }

    fn taps(&mut self, node: &Node, path: &str, triggers: &mut Vec<Trigger>) {
        let entry = |key: &str| node.as_map().unwrap_or_default().iter().find(|entry| entry.key.as_str() == key);
        let exact = entry("exact").map(|entry| self.flag(&entry.value));
        let within = entry("within").map(|entry| self.interval(&entry.value));
        let times = entry("times").map(|entry| self.integer(&entry.value, 1..MOST_TIMES + 1));
        let part = self.trigger(node, &format!("{path}.times"));
        let Some(given) = times else {
            let first = entry("within").or(entry("exact"));
            let key = first.map_or("within", |entry| entry.key.as_str()).to_owned();
            let span = first.map_or(self.mark(node), |entry| entry.key_span.clone());
            let found = self.findings.error(Code::KEY_WITHOUT_EFFECT, span, format!("`{key}` needs `times`"));
            found.help("write e.g. `times: 2, within: 500ms`");
            return;
        };
        let Some(within) = within else {
            let span = entry("times").map_or(self.mark(node), |entry| entry.key_span.clone());
            let found = self.findings.error(Code::MISSING_KEY, span, "`times` needs `within`");
            found.help("write e.g. `times: 2, within: 500ms`");
            return;
        };
        let (Some(times), Some(within), Some(part)) = (given, within, part) else { return };
        let exact = match exact {
            None => false,
            Some(Some(exact)) => exact,
            Some(None) => return,
        };
        if times == 1 && !exact {
            let span = entry("times").map_or(self.mark(node), |entry| entry.value.span.clone());
            let found = self.findings.error(Code::BAD_SEQUENCE, span, "`times: 1` is what the trigger does anyway");
            found.help("leave it out, or add `exact: true`: then a second one in that time fires nothing");
            return;
        }
        let order = Order::Times { times: u16::try_from(times).unwrap_or(u16::MAX), exact };
        let kind = TriggerKind::Sequence(Sequence { parts: 1, within, order });
        let place = part.place.clone();
        let whole =
            Trigger { id: part.id.clone(), enabled: part.enabled, kind, part_of: None, path: path.into(), place };
        push(triggers, whole, vec![part]);
    }
}

/// Adds a sequence, and its parts behind it.
fn push(triggers: &mut Vec<Trigger>, whole: Trigger, parts: Vec<Trigger>) {
    let sequence = u16::try_from(triggers.len()).unwrap_or(u16::MAX);
    triggers.push(whole);
    let parts = (0..).zip(parts);
    triggers.extend(parts.map(|(part, trigger)| Trigger { part_of: Some(PartOf { sequence, part }), ..trigger }));
}
