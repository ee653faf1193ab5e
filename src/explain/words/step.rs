//! What came of a step of a trace, in words.

use std::borrow::Cow;

use crate::engine::{DeviceStep, OverriddenBy, Refusal, Step, StepKind, StepResult, WaitsFor};
use crate::model::{Payload, Topic, format_duration, format_size, spoken};

use super::awaited::awaited_any;
use super::cause::cause_of_step;
use super::values::{shown, value_text};
use super::verdict::{verdict_text, verdict_why};
use super::{LocalTime, progress};

/// Returns what came of a step: `true`, `home/hall/light/set ON`, `failed: …`.
#[must_use]
pub fn step_result<'a>(step: &'a Step, time: &LocalTime) -> Cow<'a, str> {
    words(&step.result, step, time)
}

/// Returns what came of a step; of a condition that's an expression, with what it says: `` false: msg == 'ON' ``,
/// `` unknown: state('lux') < 3: `lux` has no value yet ``.
#[must_use]
pub fn step_result_with_source<'a>(step: &'a Step, time: &LocalTime) -> Cow<'a, str> {
    let StepResult::Judged { verdict, source: Some(source) } = &step.result else { return step_result(step, time) };
    let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = verdict_why(verdict, step.at, time).map_or(String::new(), |why| format!(": {why}"));
    Cow::Owned(format!("{}: {source}{why}", verdict.word()))
}

fn words<'a>(result: &'a StepResult, step: &Step, time: &LocalTime) -> Cow<'a, str> {
    let words = match result {
        StepResult::Done => return Cow::Borrowed(""),
        StepResult::TimedOut => return Cow::Borrowed("timed out"),
        StepResult::Text(text) | StepResult::Words(text) => return Cow::Borrowed(text),
        StepResult::Rule(rule) => return Cow::Borrowed(rule.as_str()),
        StepResult::Caused(cause) => cause_of_step(cause, step.at, time),
        StepResult::TimerDue { name, cause } => {
            let cause = cause_of_step(cause, step.at, time);
            name.as_ref().map_or_else(|| cause.clone(), |name| format!("{name}, {cause}"))
        }
        StepResult::Judged { verdict, .. } => verdict_text(verdict, step.at, time),
        StepResult::Refused(refusal) => refused(refusal, step, time),
        StepResult::Published(topic, payload) => message(topic, payload),
        StepResult::Device(step) => device_step(step),
        StepResult::Unchanged(topic, value) => format!("unchanged: `{topic}` is already {}", shown(value)),
        StepResult::Withheld(topic, payload) => format!("not sent: {}", message(topic, payload)),
        StepResult::Would(result) => format!("would {} {}", verb(step.kind), words(result, step, time)),
        StepResult::Lasts(duration) => format_duration(*duration),
        StepResult::WaitsFor(what) => waits_for(what, time),
        StepResult::Case(value) => return shown(value),
        StepResult::NoCase { value, cases } => {
            let cases = cases.iter().map(shown).collect::<Vec<_>>().join(", ");
            format!("{} isn't one of the cases ({cases})", shown(value))
        }
        StepResult::TooLarge(size) => format!("{}, too much to keep in a trace", format_size(*size)),
        StepResult::Set(name, value) => format!("{name} = {}", shown(value)),
        StepResult::Requested { method, url } => format!("{method} {url}"),
        StepResult::Notified { target, title, message } if title.is_empty() => format!("{target}: {message}"),
        StepResult::Notified { target, title, message } => format!("{target}: {title}: {message}"),
        StepResult::Started(command) => command.join(" "),
        StepResult::TimerSet { name, delay } => {
            format!("{} in {}", name.as_deref().unwrap_or("a timer"), format_duration(*delay))
        }
        StepResult::TimerCancelled { name, was_set: true } => name.to_string(),
        StepResult::TimerCancelled { name, was_set: false } => format!("{name}: there was no such timer"),
        StepResult::Failed(fault) => format!("failed: {fault}"),
    };
    Cow::Owned(words)
}

fn device_step(step: &DeviceStep) -> String {
    match step {
        DeviceStep::Commanded { device, values } => format!("{device} {}", shown(values)),
        DeviceStep::Unchanged { device, values } => format!("unchanged: {device} says {} already", shown(values)),
        DeviceStep::Nobody => "no device fits".to_owned(),
        DeviceStep::Confirmed { asked: 1 } => "confirmed".to_owned(),
        DeviceStep::Confirmed { asked } => format!("confirmed, asked {asked} times"),
        DeviceStep::Again { missing, left } => {
            let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
            let left = match left {
                0 => "for the last time".to_owned(),
                1 => "1 more try left".to_owned(),
                left => format!("{left} more tries left"),
            };
            format!("sent again, {left}: {}", missing.join("; "))
        }
        DeviceStep::Superseded { of } => format!("superseded: a newer command to {of}"),
    }
}

fn message(topic: &Topic, payload: &Payload) -> String {
    format!("{topic} {}", payload.text().unwrap_or("(binary)"))
}

/// Returns what an action does, as a verb.
fn verb(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Publish | StepKind::Scene => "publish",
        StepKind::Http => "send",
        StepKind::Exec | StepKind::Run => "run",
        other => other.word(),
    }
}

fn refused(refusal: &Refusal, step: &Step, time: &LocalTime) -> String {
    match refusal {
        Refusal::Until(until) => format!("until {}", time.text(*until)),
        Refusal::Busy { runs, since, max } => {
            let since = since.map_or(String::new(), |since| format!(" since {}", time.text(since)));
            match runs {
                1 if *max == 1 => format!("it has been running{since}"),
                1 => format!("1 run has been under way{since}, and `max` is {max}"),
                runs => format!("{runs} runs have been under way{since}, and `max` is {max}"),
            }
        }
        Refusal::Overridden { by, until } => {
            let until = until.map_or(String::new(), |until| format!(", until {}", time.text(until)));
            format!("{}{until}", overridden_by(by))
        }
        Refusal::HoldBroken { topic, since, due, value } => {
            let held = progress(*since, step.at, *due);
            let value = value.as_ref().map_or(String::new(), |value| format!(", then it was {value}"));
            match topic {
                Some(topic) => format!("`{}` held for {held}{value}", spoken(topic.as_str())),
                None => format!("true for {held}"),
            }
        }
    }
}

/// Returns who changed what a rule commands: ``client `phone` set `home/lamp` to OFF``.
#[must_use]
pub fn overridden_by(by: &OverriddenBy) -> String {
    let OverriddenBy { client, rule, topic, value } = by;
    let value = value_text(value);
    match (client, rule) {
        (Some(client), _) => format!("client `{client}` changed `{topic}` to {value}"),
        (None, Some(rule)) => format!("rule `{rule}`, as a person, changed `{topic}` to {value}"),
        (None, None) => format!("`{topic}` changed to {value}"),
    }
}

fn waits_for(what: &WaitsFor, time: &LocalTime) -> String {
    match what {
        WaitsFor::Turn => "until the run before it has ended".to_owned(),
        WaitsFor::Time(due) => format!("until {}", time.text(*due)),
        WaitsFor::Events { events, until } => {
            let until = until.map_or(String::new(), |until| format!(", until {}", time.text(until)));
            format!("for {}{until}", awaited_any(events))
        }
        WaitsFor::Run(run) => format!("for run {}", run.0),
        WaitsFor::Answer => "for an answer from outside".to_owned(),
        WaitsFor::Confirm { missing, until } => {
            let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
            format!("until {} for its devices: {}", time.text(*until), missing.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::engine::{Awaited, BlockedBy, Cause, CauseKind, Fault, RunId, Verdict, WhyFalse, WhyUnknown};
    use crate::model::{Origin, RuleId, Value};
    use crate::rules::Wanted;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_717_264_800 + second).unwrap()
    }

    fn topic(text: &str) -> Topic {
        Topic::parse(text).unwrap()
    }

    fn told(kind: StepKind, result: StepResult) -> String {
        let step = Step::new(&"then[0]".into(), at(0), kind, result);
        step_result_with_source(&step, &LocalTime::new(TimeZone::UTC)).into_owned()
    }

    fn judged(verdict: Verdict, source: Option<&str>) -> String {
        told(StepKind::Condition, StepResult::Judged { verdict, source: source.map(Into::into) })
    }

    fn no(why: WhyFalse) -> Verdict {
        Verdict::False(Some(Box::new(why)))
    }

    #[test]
    fn a_verdict_says_why() {
        let (lux, field) = (topic("lux"), Some("t".into()));
        let wanted = Wanted::OneOf(vec![Value::text("open"), Value::text("ajar")]);
        let other = WhyFalse::OtherValue { topic: topic("door"), field: None, value: Value::text("closed"), wanted };
        let low = WhyFalse::OtherValue {
            topic: lux.clone(),
            field: field.clone(),
            value: Value::Int(9),
            wanted: Wanted::Above(10.0),
        };
        let fault = Fault::Error { message: "no".to_owned(), place: None, line: None };
        assert_eq!(judged(Verdict::True, None), "true");
        assert_eq!(judged(Verdict::False(None), Some("msg\n  == 'ON'")), "false: msg == 'ON'");
        let unknown = Verdict::Unknown(Box::new(WhyUnknown::NoValueYet(lux.clone())));
        assert_eq!(judged(unknown, Some("state('lux') < 3")), "unknown: state('lux') < 3: `lux` has no value yet");
        let nan = WhyUnknown::NoNumber { topic: lux.clone(), field: field.clone(), value: Value::text("nan") };
        let words = "unknown: `t` of `lux` is nan, which is a text, not a number";
        assert_eq!(judged(Verdict::Unknown(Box::new(nan)), None), words);
        assert_eq!(judged(Verdict::Failed(Box::new(fault)), None), "failed: no");
        assert_eq!(judged(no(WhyFalse::GaveNothing), None), "false: it gives `()`");
        assert_eq!(judged(no(WhyFalse::Sun { is_up: true }), None), "false: the sun is up");
        let window = WhyFalse::OutsideWindow("after 22:00".into());
        assert_eq!(judged(no(window), None), "false: it is Sat 18:00:00, not after 22:00");
        assert_eq!(judged(no(other), None), "false: `door` is closed, not open or ajar");
        assert_eq!(judged(no(low), None), "false: `t` of `lux` is 9, not above 10");
        let nothing = WhyFalse::NoValue { topic: lux.clone(), field };
        assert_eq!(judged(no(nothing), None), "false: `lux` has no value at `t` now");
        let short = WhyFalse::TooShort { topic: lux, since: at(-161), due: at(19) };
        assert_eq!(judged(no(short), None), "false: `lux` has been so for 2m41s of 3m");
    }

    #[test]
    fn an_action_says_what_it_did_or_would_have_done() {
        let sent = || StepResult::Published(topic("home/tv"), Payload::from_bytes("ON"));
        let would = |result| StepResult::Would(Box::new(result));
        let rule = || StepResult::Rule(RuleId::from_text("tv:on"));
        let request = || StepResult::Requested { method: "GET".to_owned(), url: "http://a/".to_owned() };
        let binary = StepResult::Published(topic("home/tv"), Payload::from_bytes(&b"\xff"[..]));
        let (name, delay) = (Some("off".into()), std::time::Duration::from_mins(2));
        for (kind, result, words) in [
            (StepKind::Publish, sent(), "home/tv ON"),
            (StepKind::Publish, binary, "home/tv (binary)"),
            (StepKind::Scene, would(sent()), "would publish home/tv ON"),
            (StepKind::Publish, StepResult::Unchanged(topic("a"), Value::Int(1)), "unchanged: `a` is already 1"),
            (StepKind::Run, would(rule()), "would run tv:on"),
            (StepKind::Disable, would(rule()), "would disable tv:on"),
            (StepKind::Http, request(), "GET http://a/"),
            (StepKind::Http, would(request()), "would send GET http://a/"),
            (StepKind::Exec, would(StepResult::Started(vec!["/bin/true".to_owned()])), "would run /bin/true"),
            (StepKind::After, StepResult::TimerSet { name, delay }, "off in 2m"),
            (
                StepKind::Cancel,
                StepResult::TimerCancelled { name: "off".into(), was_set: false },
                "off: there was no such timer",
            ),
            (StepKind::Let, StepResult::Set("n".into(), Value::Int(1)), "n = 1"),
            (StepKind::Script, StepResult::Done, ""),
        ] {
            assert_eq!(told(kind, result), words);
        }
    }

    #[test]
    fn a_gate_and_a_wait_say_until_when_and_for_what() {
        let refused = |by, refusal| told(StepKind::Blocked(by), StepResult::Refused(refusal));
        let busy = |runs, max| Refusal::Busy { runs, since: Some(at(-60)), max };
        assert_eq!(refused(BlockedBy::Cooldown, Refusal::Until(at(60))), "until 2024-06-01 18:01:00");
        assert_eq!(refused(BlockedBy::Mode, busy(1, 1)), "it has been running since 2024-06-01 17:59:00");
        let two = "2 runs have been under way since 2024-06-01 17:59:00, and `max` is 2";
        assert_eq!(refused(BlockedBy::Mode, busy(2, 2)), two);
        let (since, due, value) = (at(-161), at(19), Some(Value::text("ajar")));
        let broken = Refusal::HoldBroken { topic: Some(topic("door")), since, due, value };
        assert_eq!(refused(BlockedBy::Hold, broken), "`door` held for 2m41s of 3m, then it was ajar");
        let waits = |what| told(StepKind::Waits, StepResult::WaitsFor(what));
        let events = vec![Awaited::Webhook("bell".into()), Awaited::Condition(Some("a  > b".into()))];
        let until = Some(at(60));
        let events = waits(WaitsFor::Events { events, until });
        assert_eq!(events, "for the webhook `bell` or `a > b`, until 2024-06-01 18:01:00");
        assert_eq!(waits(WaitsFor::Run(RunId(7))), "for run 7");
    }

    #[test]
    fn a_trigger_says_what_led_to_it_and_when_that_began() {
        let kind = CauseKind::Message { sequence: 1, topic: topic("home/door"), origin: Origin::Live };
        let cause = Cause { kind, depth: 0, run: None, armed: None };
        let after = cause.clone().since(at(-180));
        assert_eq!(told(StepKind::Trigger, StepResult::Caused(cause)), "home/door (live)");
        assert_eq!(told(StepKind::Trigger, StepResult::Caused(after)), "home/door (live), 3m earlier");
        let kind = CauseKind::Time { due: at(-5), late: true, event: None };
        let due = Cause { kind, depth: 0, run: Some(RunId(1)), armed: None }.since(at(-65));
        let timer = StepResult::TimerDue { name: Some("off".into()), cause: Box::new(due) };
        assert_eq!(told(StepKind::Timer, timer), "off, due at 2024-06-01 17:59:55, late, 1m after it was set");
    }
}
