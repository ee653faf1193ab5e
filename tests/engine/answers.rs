//! What waits for an answer from outside (`http`, `exec`) when the daemon stops, or gets none.

use homerule::engine::{Answer, Effect, Engine, Event, Fault, Options, Outcome, RequestId, Snapshot};
use homerule::lang::{Home, Source, Sources};
use homerule::model::{Message, Origin, Payload, Qos, Topic};
use homerule::rules::Ruleset;
use jiff::Timestamp;

const RULES: &str = r#"
rules:
  asks:
    when: ask
    then: [{ http: { url: "http://lamp/" } }, { did/asked: "${http.status}" }]
  goes-on:
    when: ask/on
    then: [{ http: { url: "http://lamp/" }, on_error: continue }, { did/on: went on }]
"#;

#[test]
fn a_restart_fails_a_run_that_waits_for_an_answer_and_sends_nothing_again() {
    let mut home = Running::start();
    home.say("ask");
    assert_eq!(home.requests.len(), 1);
    home.restart();
    assert_eq!(home.requests.len(), 1, "nothing is sent again");
    assert_eq!(home.published, [""; 0]);
    assert_eq!(home.outcomes, [failed("the daemon was stopped while it waited for the answer")]);
}

#[test]
fn what_goes_on_after_an_error_goes_on_after_a_restart() {
    let mut home = Running::start();
    home.say("ask/on");
    home.restart();
    assert_eq!(home.published, ["did/on went on"]);
    assert_eq!(home.outcomes, [Outcome::Finished]);
}

#[test]
fn an_answer_that_never_comes_fails_the_run() {
    let mut home = Running::start();
    home.say("ask");
    let request = home.requests[0];
    home.handle(Event::Answered { request, answer: Answer::Failed("no route to lamp".to_owned()) });
    assert_eq!(home.outcomes, [failed("no route to lamp")]);
}

#[test]
fn an_answer_that_comes_too_late_changes_nothing() {
    let mut home = Running::start();
    home.say("ask");
    home.say("ask");
    let request = home.requests[0];
    let answer = || Answer::Ended { status: 200, body: Payload::default(), retry_after: None };
    home.handle(Event::Answered { request, answer: answer() });
    assert_eq!(home.published, [""; 0], "its run was restarted meanwhile");
    let request = home.requests[1];
    home.handle(Event::Answered { request, answer: answer() });
    home.handle(Event::Answered { request, answer: answer() });
    assert_eq!(home.published, ["did/asked 200"]);
}

/// A home whose answers are given by hand.
struct Running {
    engine: Engine,
    rules: Ruleset,
    saved: Snapshot,
    requests: Vec<RequestId>,
    published: Vec<String>,
    outcomes: Vec<Outcome>,
}

impl Running {
    fn start() -> Running {
        let mut sources = Sources::new();
        sources.insert("rules/a.yaml".into(), Source::Content(RULES.as_bytes().into()));
        let home = Home::load(&sources);
        assert!(home.diagnostics.is_empty(), "{:?}", home.diagnostics);
        let (engine, effects) = Engine::new(now(), home.ruleset.clone(), Options::default());
        let mut running = Running {
            engine,
            rules: home.ruleset,
            saved: Snapshot::default(),
            requests: Vec::new(),
            published: Vec::new(),
            outcomes: Vec::new(),
        };
        running.note(effects);
        running.handle(Event::Started);
        running
    }

    fn restart(&mut self) {
        let (engine, effects) = Engine::restore(now(), self.rules.clone(), self.saved.clone(), Options::default());
        self.engine = engine;
        self.note(effects);
        self.handle(Event::Started);
    }

    fn say(&mut self, topic: &str) {
        let topic = Topic::parse(topic).unwrap();
        let payload = Payload::default();
        self.handle(Event::Message(Message {
            topic,
            payload,
            qos: Qos::default(),
            retain: false,
            origin: Origin::Live,
            expires_at: None,
        }));
    }

    fn handle(&mut self, event: Event) {
        let effects = self.engine.handle(now(), event);
        self.note(effects);
    }

    fn note(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Http { request, .. } | Effect::Exec { request, .. } => self.requests.push(request),
                Effect::Publish(publication) => {
                    let text = publication.message.payload.text().unwrap_or_default();
                    self.published.push(format!("{} {text}", publication.message.topic));
                }
                Effect::Save { key, value } => self.saved.apply(&key, value.as_ref()),
                Effect::Trace(trace) => self.outcomes.push(trace.outcome.clone()),
                Effect::Log { .. }
                | Effect::Invariant(_)
                | Effect::Alert(_)
                | Effect::Recall(_)
                | Effect::Notify { .. }
                | Effect::Deliver { .. }
                | Effect::Tell(_) => {}
            }
        }
    }
}

fn now() -> Timestamp {
    "2024-01-01T12:00:00Z".parse().unwrap()
}

fn failed(message: &str) -> Outcome {
    Outcome::Failed(Fault::Error { message: message.to_owned(), place: None, line: None })
}
