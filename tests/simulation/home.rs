//! The rules of the simulated home: the real engine, which decides while the broker routes.

use std::sync::Arc;

use homerule::engine::{Effect, Engine, Event, Options, Snapshot};
use homerule::lang::{Home as Files, Source, Sources};
use homerule::model::Message;
use homerule::rules::Ruleset;
use jiff::Timestamp;

/// One rule has a run that waits for each message, one has memory that each message changes, and both publish to clients.
const RULES: &str = "
rules:
  late:
    when: d/+
    mode: parallel
    max: 100000
    then:
      - delay: 3s
      - { publish: t/late, payload: 'late.${payload}', qos: 2 }
  count:
    when: d/+
    then:
      - remember: { count: '${(memory.count ?? 0) + 1}' }
      - { publish: count, payload: '${memory.count}', qos: 0 }
";

/// The rules in force.
pub(super) struct Home {
    pub(super) engine: Engine,
    ruleset: Ruleset,
}

impl Home {
    /// Starts the home at `now`, with what is on the disk, and with what the broker kept. Returns what that leads to.
    pub(super) fn start(now: Timestamp, kept: Snapshot, retained: Vec<Message>) -> (Home, Vec<Effect>) {
        let mut sources = Sources::new();
        sources.insert("rules/home.yaml".into(), Source::Content(RULES.as_bytes().into()));
        let files = Files::load(&sources);
        assert!(!files.has_errors(), "{:?}", files.diagnostics);
        let options = Options { runs: 1_000_000, ..Options::default() };
        let (mut engine, mut effects) = Engine::restore(now, files.ruleset.clone(), kept, options);
        for message in retained {
            effects.extend(engine.handle(now, Event::Message(message)));
        }
        effects.extend(engine.handle(now, Event::Started));
        (Home { engine, ruleset: files.ruleset }, effects)
    }

    /// A client published `message`. Returns what that leads to.
    pub(super) fn hear(&mut self, now: Timestamp, message: Message, client: Arc<str>) -> Vec<Effect> {
        self.engine.handle(now, Event::MessageFrom { message, client })
    }

    /// Reads the same rules again, as after a file was saved.
    pub(super) fn reload(&mut self, now: Timestamp) -> Vec<Effect> {
        self.engine.replace_rules(now, self.ruleset.clone())
    }
}
