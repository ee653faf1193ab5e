//! What the engine makes of a wall clock that is set.

use homerule::engine::{Effect, Engine, Event, Options, Snapshot};
use homerule::lang::{Home, Source, Sources};
use homerule::model::schedule::Calendar;
use homerule::model::{Message, Origin, Payload, Qos, Topic};
use homerule::rules::Ruleset;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const RULES: &str = r#"
rules:
  delay: { when: go, then: [{ delay: 10m }, { out/delay: yes }] }
  hold: { when: { state: door, to: open, for: 10m }, then: { out/hold: yes } }
  silent: { when: { silent: door, for: 10m }, then: { out/silent: yes } }
  wait: { when: go, then: [{ wait: { at: "13:00" } }, { out/wait: yes }] }
  timeout: { when: go, then: [{ wait: never, timeout: 10m, on_timeout: continue }, { out/timeout: yes }] }
  turns: { when: go, then: { repeat: { every: 10m, until: repeat.index == 2 }, do: { out/turn: "${repeat.index}" } } }
  lasting: { while: "state('door') == 'open'", for: 10m, then: { out/lasting: yes } }
  at: { when: { at: "13:00" }, then: { out/at: yes } }
  asked: { when: { at: "if exists('alarm') { '13:00' } else { () }" }, then: { out/asked: yes } }
  age: { when: ask, then: { out/age: "${age('door')}" } }
"#;

/// A home whose clock can be set.
struct Clock {
    engine: Engine,
    rules: Ruleset,
    saved: Snapshot,
    now: Timestamp,
    zone: TimeZone,
    /// What was published, with what the clock showed.
    published: Vec<String>,
}

impl Clock {
    /// Starts at 12:00.
    fn start() -> Clock {
        Clock::of(RULES, "UTC")
    }

    /// Starts at 12:00 UTC with these rules, in a zone.
    fn of(rules: &str, zone: &str) -> Clock {
        let mut sources = Sources::new();
        sources.insert("rules/a.yaml".into(), Source::Content(rules.as_bytes().into()));
        let zone = TimeZone::get(zone).unwrap();
        let home = Home::load(&sources);
        assert!(!home.has_errors(), "{:?}", home.diagnostics);
        let now = "2024-06-01T12:00:00Z".parse().unwrap();
        let options =
            Options { calendar: Calendar { zone: zone.clone(), ..Calendar::default() }, ..Options::default() };
        let rules = home.ruleset;
        let (engine, effects) = Engine::new(now, rules.clone(), options);
        let mut clock = Clock { engine, rules, saved: Snapshot::default(), now, zone, published: Vec::new() };
        clock.take(effects);
        clock.handle(Event::Started);
        clock
    }

    fn handle(&mut self, event: Event) {
        let effects = self.engine.handle(self.now, event);
        self.take(effects);
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Publish(publication) => {
                    let message = publication.message;
                    let time = self.now.strftime("%H:%M:%S");
                    self.published.push(format!("{time} {} {}", message.topic, message.payload.text().unwrap()));
                }
                Effect::Save { key, value } => self.saved.apply(&key, value.as_ref()),
                _ => {}
            }
        }
    }

    /// Ends the daemon, and starts it again by a clock that shows another time.
    fn restart_at(&mut self, now: &str) {
        let effects = self.engine.flush();
        self.take(effects);
        self.saved.alive_at = Some(self.now);
        self.now = now.parse().unwrap();
        let options =
            Options { calendar: Calendar { zone: self.zone.clone(), ..Calendar::default() }, ..Options::default() };
        let (engine, effects) = Engine::restore(self.now, self.rules.clone(), self.saved.clone(), options);
        self.engine = engine;
        self.take(effects);
        self.handle(Event::Started);
    }

    fn say(&mut self, topic: &str, payload: &str) {
        let payload = Payload::from_bytes(payload.as_bytes().to_vec());
        let (topic, qos) = (Topic::parse(topic).unwrap(), Qos::AtLeastOnce);
        self.handle(Event::Message(Message {
            topic,
            payload,
            qos,
            retain: false,
            origin: Origin::Live,
            expires_at: None,
        }));
    }

    /// Lets minutes pass, from deadline to deadline.
    fn pass(&mut self, minutes: i64) {
        let until = self.now + SignedDuration::from_mins(minutes);
        while let Some(due) = self.engine.next_deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.handle(Event::Tick);
        }
        self.now = until;
    }

    fn set(&mut self, forward: SignedDuration) {
        self.now += forward;
        self.handle(Event::ClockChanged { forward: i64::try_from(forward.as_millis()).unwrap() });
    }

    fn published(&mut self) -> Vec<String> {
        std::mem::take(&mut self.published)
    }
}

#[test]
fn what_lasts_keeps_its_remaining_time_when_the_clock_is_set() {
    for (hours, end) in [(5, "17:10:00"), (-5, "07:10:00"), (24 * 365 * 50, "12:10:00")] {
        let mut clock = Clock::start();
        clock.say("door", "open");
        clock.say("go", "1");
        assert_eq!(clock.published(), ["12:00:00 out/turn 1"]);
        clock.pass(5);
        clock.set(SignedDuration::from_hours(hours));
        clock.pass(4);
        assert_eq!(clock.published(), [""; 0], "{hours}");
        clock.pass(1);
        let all = ["delay yes", "hold yes", "silent yes", "timeout yes", "turn 2", "lasting yes"];
        assert_eq!(clock.published(), all.map(|what| format!("{end} out/{what}")), "{hours}");
    }
}

#[test]
fn what_was_due_before_the_clock_was_set_fires_at_its_time() {
    let mut clock = Clock::start();
    clock.say("door", "open");
    clock.now += SignedDuration::from_mins(15);
    clock.set(SignedDuration::from_hours(5));
    let published = clock.published();
    assert_eq!(published, ["hold", "silent", "lasting"].map(|what| format!("17:15:00 out/{what} yes")));
}

#[test]
fn a_time_of_day_is_computed_anew_when_the_clock_is_set() {
    let mut clock = Clock::start();
    clock.set(SignedDuration::from_hours(5));
    clock.pass(60);
    assert_eq!(clock.published(), [""; 0], "13:00 was passed over");
    clock.set(SignedDuration::from_hours(-5));
    clock.pass(1);
    clock.say("go", "1");
    assert_eq!(clock.published(), ["13:01:00 out/turn 1"]);
    clock.set(SignedDuration::from_hours(-2));
    clock.pass(119);
    let times = clock.published().into_iter().filter(|line| line.ends_with("wait yes") || line.ends_with("at yes"));
    assert_eq!(times.collect::<Vec<_>>(), ["13:00:00 out/wait yes", "13:00:00 out/at yes"]);
}

#[test]
fn a_time_of_day_that_fired_comes_once_though_the_clock_is_set_back_and_again_the_next_day() {
    for restarts in [false, true] {
        let mut clock = Clock::start();
        clock.say("alarm", "1");
        clock.pass(61);
        assert_eq!(clock.published(), ["13:00:00 out/at yes", "13:00:00 out/asked yes"]);
        if restarts {
            clock.restart_at("2024-06-01T12:01:00Z");
        } else {
            clock.set(SignedDuration::from_hours(-1));
        }
        clock.pass(23 * 60);
        assert_eq!(clock.published(), [""; 0], "restarts: {restarts}");
        clock.pass(120);
        assert_eq!(clock.published(), ["13:00:00 out/at yes", "13:00:00 out/asked yes"], "restarts: {restarts}");
    }
}

#[test]
fn a_clock_that_was_days_ahead_keeps_no_time_of_day_waiting() {
    for restarts in [false, true] {
        let mut clock = Clock::start();
        clock.say("alarm", "1");
        clock.set(SignedDuration::from_hours(24 * 365));
        clock.pass(61);
        clock.published();
        if restarts {
            clock.restart_at("2024-06-01T12:01:00Z");
        } else {
            clock.set(SignedDuration::from_hours(-24 * 365 - 1));
        }
        clock.pass(60);
        assert_eq!(clock.published(), ["13:00:00 out/at yes", "13:00:00 out/asked yes"], "restarts: {restarts}");
    }
}

#[test]
fn what_runs_through_clock_changes_runs_on_when_the_clock_is_set_back() {
    let mut clock = Clock::of(
        "rules: { every: { when: { every: 20m }, then: { out/every: x } }, cron: { when: { cron: \"*/30 * * * *\" }, then: { out/cron: x } } }",
        "UTC",
    );
    clock.pass(31);
    assert_eq!(
        clock.published(),
        ["12:00:00 out/every x", "12:00:00 out/cron x", "12:20:00 out/every x", "12:30:00 out/cron x"]
    );
    clock.set(SignedDuration::from_hours(-1));
    clock.pass(31);
    assert_eq!(clock.published(), ["11:40:00 out/every x", "12:00:00 out/every x", "12:00:00 out/cron x"]);
}

#[test]
fn a_small_step_back_across_a_restart_repeats_nothing() {
    let mut clock = Clock::of("rules: { every: { when: { every: 20m }, then: { out/every: x } } }", "UTC");
    clock.pass(20);
    assert_eq!(clock.published(), ["12:00:00 out/every x", "12:20:00 out/every x"]);
    clock.restart_at("2024-06-01T12:19:59Z");
    clock.pass(20);
    assert_eq!(clock.published(), [""; 0]);
    clock.pass(1);
    assert_eq!(clock.published(), ["12:40:00 out/every x"]);
}

const CATCHING_UP: &str = r#"
rules:
  at: { when: { at: "13:00", catch_up: 1h }, then: { out/at: "x" } }
  cron: { when: { cron: "*/10 * * * *", catch_up: 15m }, then: { out/cron: x } }
  never: { when: { at: "13:01" }, then: { out/never: x } }
"#;

#[test]
fn what_a_clock_set_forward_passes_over_is_caught_up_with_once_where_that_is_asked() {
    let mut clock = Clock::of(CATCHING_UP, "UTC");
    clock.pass(5);
    assert_eq!(clock.published(), ["12:00:00 out/cron x"]);
    clock.set(SignedDuration::from_hours(25));
    assert_eq!(clock.published(), ["13:05:00 out/at x", "13:05:00 out/cron x"]);
    clock.set(SignedDuration::from_hours(-1));
    clock.set(SignedDuration::from_hours(1));
    assert_eq!(clock.published(), [""; 0], "once");
    clock.set(SignedDuration::from_hours(23) + SignedDuration::from_mins(56));
    assert_eq!(clock.published(), ["13:01:00 out/at x", "13:01:00 out/cron x"]);
    clock.set(SignedDuration::from_hours(26));
    assert_eq!(clock.published(), ["15:01:00 out/cron x"], "two hours are more than `catch_up`");
}

#[test]
fn what_was_missed_is_caught_up_with_once_the_clock_is_right_after_a_start_in_1970() {
    let mut clock = Clock::of(CATCHING_UP, "UTC");
    clock.pass(55);
    clock.published();
    clock.restart_at("1970-01-01T00:00:30Z");
    clock.pass(1);
    assert_eq!(clock.published(), [""; 0]);
    let right: Timestamp = "2024-06-01T13:05:00Z".parse().unwrap();
    clock.set(right.duration_since(clock.now));
    assert_eq!(clock.published(), ["13:05:00 out/at x", "13:05:00 out/cron x"]);
    clock.pass(5);
    assert_eq!(clock.published(), ["13:10:00 out/cron x"]);

    clock.restart_at("1970-01-01T00:00:30Z");
    clock.set((right + SignedDuration::from_mins(6)).duration_since(clock.now));
    assert_eq!(clock.published(), [""; 0], "both have fired");
}

#[test]
fn another_zone_after_a_restart_makes_times_of_day_due_by_that_zone() {
    let rules = "rules: { at: { when: { at: \"15:00\" }, then: { out/at: x } } }";
    let mut clock = Clock::of(rules, "Europe/Berlin");
    clock.zone = TimeZone::UTC;
    clock.restart_at("2024-06-01T12:01:00Z");
    clock.pass(24 * 60);
    assert_eq!(clock.published(), ["15:00:00 out/at x"]);
    clock.zone = TimeZone::get("Europe/Berlin").unwrap();
    clock.restart_at("2024-06-02T12:01:00Z");
    clock.pass(2 * 60);
    assert_eq!(clock.published(), ["13:00:00 out/at x"], "15:00 in Berlin");
}

#[test]
fn cooldowns_and_lingers_keep_what_remains_when_the_clock_is_set() {
    let rules = r#"
rules:
  cooled: { when: go, cooldown: 10m, then: { out/cooled: x } }
  linger: { while: "state('on') == 'yes'", linger: 10m, else: { out/ended: x } }
"#;
    for hours in [-5, 5, 24] {
        let mut clock = Clock::of(rules, "UTC");
        clock.say("go", "1");
        clock.say("on", "yes");
        clock.say("on", "no");
        assert_eq!(clock.published(), ["12:00:00 out/cooled x"]);
        clock.pass(5);
        clock.set(SignedDuration::from_hours(hours));
        clock.pass(4);
        clock.say("go", "1");
        assert_eq!(clock.published(), [""; 0], "{hours}");
        clock.pass(1);
        clock.say("go", "1");
        let lines = clock.published();
        assert_eq!(lines.len(), 2, "{hours}: {lines:?}");
        assert!(lines[0].ends_with(":10:00 out/ended x") && lines[1].ends_with(":10:00 out/cooled x"), "{lines:?}");
    }
}

#[test]
fn a_linger_ends_on_time_after_a_restart() {
    let rules = "rules: { linger: { while: \"state('on') == 'yes'\", linger: 10m, then: { out/begun: x }, else: { out/ended: x } } }";
    for (restart, end) in [("2024-06-01T12:08:00Z", "12:10:00"), ("2024-06-01T12:30:00Z", "12:30:00")] {
        let mut clock = Clock::of(rules, "UTC");
        clock.say("on", "yes");
        clock.say("on", "no");
        clock.pass(5);
        assert_eq!(clock.published(), ["12:00:00 out/begun x"]);
        clock.restart_at(restart);
        clock.pass(10);
        assert_eq!(clock.published(), [format!("{end} out/ended x")]);
    }
}

#[test]
fn a_small_step_leaves_no_time_of_day_out_and_repeats_none() {
    let mut clock = Clock::start();
    clock.now += SignedDuration::from_secs(3599);
    clock.set(SignedDuration::from_secs(2));
    assert_eq!(clock.published(), ["13:00:01 out/at yes"]);
    clock.set(SignedDuration::from_secs(-2));
    clock.pass(10);
    assert_eq!(clock.published(), [""; 0]);
}

#[test]
fn an_age_goes_on_when_the_clock_is_set() {
    let mut clock = Clock::start();
    clock.say("door", "shut");
    clock.pass(1);
    clock.set(SignedDuration::from_hours(-5));
    clock.say("ask", "1");
    assert_eq!(clock.published(), ["07:01:00 out/age 60"]);
}

#[test]
fn a_start_by_a_clock_that_is_behind_keeps_what_remains_and_blocks_nothing_until_then() {
    let mut clock = Clock::start();
    clock.say("door", "open");
    clock.say("go", "1");
    clock.pass(5);
    clock.published();
    clock.restart_at("1970-01-01T00:00:00Z");
    clock.pass(4);
    assert_eq!(clock.published(), [""; 0]);
    clock.pass(1);
    let all = ["delay yes", "hold yes", "silent yes", "timeout yes", "turn 2", "lasting yes"];
    assert_eq!(clock.published(), all.map(|what| format!("00:05:00 out/{what}")));
    clock.say("ask", "x");
    assert_eq!(clock.published(), ["00:05:00 out/age 600"]);
    clock.pass(13 * 60);
    let published = clock.published();
    assert!(published.contains(&"13:00:00 out/at yes".to_owned()), "{published:?}");
}

#[test]
fn a_second_restart_before_the_clock_is_right_moves_nothing_twice() {
    let mut clock = Clock::start();
    clock.say("go", "1");
    clock.pass(5);
    clock.published();
    clock.restart_at("1970-01-01T00:00:00Z");
    clock.pass(1);
    clock.restart_at("1970-01-01T00:00:00Z");
    clock.pass(3);
    clock.set(SignedDuration::from_hours(24 * 365 * 54));
    assert_eq!(clock.published(), [""; 0]);
    clock.pass(1);
    let published = clock.published();
    assert!(published[0].ends_with("out/delay yes"), "{published:?}");
}

#[test]
fn what_fell_due_while_the_daemon_was_down_comes_in_the_order_of_its_own_time() {
    let rules = r#"
rules:
  window: { while: { time: { after: "12:30", before: "14:00" } }, then: { out/window: yes } }
  ended: { while: { time: { after: "11:00", before: "12:28" } }, then: { out/ended: begun }, else: { out/ended: over } }
  hour: { while: now.minute >= 35, then: { out/minute: yes } }
  late: { when: { at: "12:25", catch_up: 1h }, then: { out/at: yes } }
  earlier: { when: { at: "12:15", catch_up: 1h }, then: { out/earlier: yes } }
  wait: { when: door, then: [ { wait: { until: { all: [{ state: door, is: open, for: 22m }] } } }, { out/wait: yes } ] }
  sustained: { while: { state: door, is: open, for: 18m }, then: { out/sustained: yes } }
  hold: { when: { state: door, to: open, for: 20m }, then: { out/hold: yes } }
"#;
    let mut clock = Clock::of(rules, "UTC");
    clock.say("door", "open");
    clock.pass(5);
    assert_eq!(clock.published(), ["12:00:00 out/ended begun"]);
    clock.restart_at("2024-06-01T12:50:00Z");
    let topics: Vec<String> =
        clock.published().iter().map(|line| line.split(' ').nth(1).unwrap().replace("out/", "")).collect();
    assert_eq!(topics, ["earlier", "sustained", "hold", "wait", "at", "ended", "window", "minute"]);
}
