//! How steps are kept in the store: with a version, so that those of older versions still load.
//!
//! Version 1 kept a plain list, with words for what came of each step. This is the only place that reads them.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{Label, Place, RuleId, Topic, Value};

use super::{Fault, Step, StepKind, StepResult, Verdict, WhyFalse, WhyUnknown};

/// The version that is written.
const VERSION: u32 = 2;

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    steps: &'a [Step],
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    steps: Vec<Step>,
}

/// A step as version 1 kept it.
#[derive(Deserialize)]
struct FirstStep {
    path: Arc<str>,
    at: Timestamp,
    what: String,
    result: String,
    values: Vec<(Label, Value)>,
    #[serde(default)]
    source: Option<Arc<str>>,
    #[serde(default)]
    place: Option<Box<Place>>,
}

/// Writes steps with their version.
pub(in crate::engine) fn serialize<S: Serializer>(steps: &[Step], serializer: S) -> Result<S::Ok, S::Error> {
    Written { version: VERSION, steps }.serialize(serializer)
}

/// Reads steps of any version so far.
pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Step>, D::Error> {
    struct AnyVersion;

    impl<'de> Visitor<'de> for AnyVersion {
        type Value = Vec<Step>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the steps of a trace")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, steps: A) -> Result<Vec<Step>, A::Error> {
            let steps = Vec::<FirstStep>::deserialize(SeqAccessDeserializer::new(steps))?;
            Ok(steps.into_iter().map(Step::from).collect())
        }

        fn visit_map<A: MapAccess<'de>>(self, read: A) -> Result<Vec<Step>, A::Error> {
            let read = Read::deserialize(MapAccessDeserializer::new(read))?;
            if read.version != VERSION {
                return Err(A::Error::custom(format_args!(
                    "version {} of a trace is newer than this daemon",
                    read.version
                )));
            }
            Ok(read.steps)
        }
    }

    deserializer.deserialize_any(AnyVersion)
}

impl From<FirstStep> for Step {
    fn from(first: FirstStep) -> Step {
        let FirstStep { path, at, what, result, values, source, place } = first;
        // Every word of version 1 is one of today's.
        let kind = StepKind::from_word(&what).unwrap_or(StepKind::Script);
        let result = match kind {
            StepKind::Condition => StepResult::Judged { verdict: first_verdict(&result), source },
            StepKind::Run | StepKind::Enable | StepKind::Disable if !result.contains(' ') => {
                StepResult::Rule(RuleId::from_text(&result))
            }
            _ if result.is_empty() => StepResult::Done,
            _ => StepResult::Words(result),
        };
        Step { path, at, kind, result, values, place }
    }
}

/// Reads `true`, `false`, `false: why`, `` unknown: `topic` has no value yet ``, `failed: why`.
fn first_verdict(result: &str) -> Verdict {
    let Some((word, why)) = result.split_once(": ") else {
        return if result == "true" { Verdict::True } else { Verdict::False(None) };
    };
    match word {
        "unknown" => match why.split('`').nth(1).and_then(|topic| Topic::parse(topic).ok()) {
            Some(topic) => Verdict::Unknown(Box::new(WhyUnknown::NoValueYet(topic))),
            None => Verdict::False(Some(Box::new(WhyFalse::Words(why.into())))),
        },
        "failed" => Verdict::Failed(Box::new(Fault::Error { message: why.to_owned(), place: None, line: None })),
        _ => Verdict::False(Some(Box::new(WhyFalse::Words(why.into())))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{BlockedBy, Refusal};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Kept(#[serde(with = "super")] Vec<Step>);

    fn at() -> Timestamp {
        Timestamp::from_second(1_717_264_800).unwrap()
    }

    fn step(kind: StepKind, result: StepResult) -> Step {
        Step::new(&"then[0]".into(), at(), kind, result)
    }

    fn no_value_yet(topic: &str) -> Verdict {
        Verdict::Unknown(Box::new(WhyUnknown::NoValueYet(Topic::parse(topic).unwrap())))
    }

    #[test]
    fn why_a_verdict_is_unknown_comes_back_and_a_topic_alone_is_read() {
        let old: Verdict = serde_json::from_str(r#"{"unknown":"a/b"}"#).unwrap();
        assert_eq!(old, no_value_yet("a/b"));
        let (topic, field) = (Topic::parse("a/b").unwrap(), Some("t".into()));
        for value in [Value::Null, Value::Text("nan".into())] {
            let why = WhyUnknown::NoNumber { topic: topic.clone(), field: field.clone(), value };
            let verdict = Verdict::Unknown(Box::new(why));
            let text = serde_json::to_string(&verdict).unwrap();
            assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict, "{text}");
        }
    }

    #[test]
    fn steps_are_kept_with_their_version_and_come_back_equal() {
        let topic = Topic::parse("home/tv").unwrap();
        let fault = Fault::Error { message: "no".to_owned(), place: None, line: None };
        let verdict = Verdict::Unknown(Box::new(WhyUnknown::NoValueYet(topic.clone())));
        let kept = Kept(vec![
            step(StepKind::Condition, StepResult::Judged { verdict, source: Some("state('home/tv')".into()) }),
            step(
                StepKind::Blocked(BlockedBy::Mode),
                StepResult::Refused(Refusal::Busy { runs: 1, since: Some(at()), max: 1 }),
            ),
            step(StepKind::Publish, StepResult::Would(Box::new(StepResult::Unchanged(topic, Value::Null)))),
            step(StepKind::Exec, StepResult::Failed(Box::new(fault))),
        ]);
        let text = serde_json::to_string(&kept).unwrap();
        assert!(text.starts_with(r#"{"version":2,"steps":["#), "{text}");
        assert!(text.contains(r#""kind":{"gate":"mode"}"#), "stores written before must load: {text}");
        assert_eq!(serde_json::from_str::<Kept>(&text).unwrap(), kept);
    }

    #[test]
    fn steps_of_the_first_version_load() {
        let first = |what: &str, result: &str| {
            let text = format!(
                r#"[{{"path":"then[0]","at":"{}","what":"{what}","result":"{result}","values":[["msg",1]]}}]"#,
                at()
            );
            serde_json::from_str::<Kept>(&text).unwrap().0.remove(0)
        };
        let judged = |verdict| StepResult::Judged { verdict, source: None };
        let words = |text: &str| Some(Box::new(WhyFalse::Words(text.into())));
        for (what, result, expected) in [
            ("condition", "true", judged(Verdict::True)),
            ("condition", "false", judged(Verdict::False(None))),
            ("condition", "false: the sun is up", judged(Verdict::False(words("the sun is up")))),
            ("condition", "unknown: `a/b` has no value yet", judged(no_value_yet("a/b"))),
            ("run", "tv:on", StepResult::Rule(RuleId::from_text("tv:on"))),
            ("run", "would run tv:on", StepResult::Words("would run tv:on".to_owned())),
            ("publish", "home/tv ON", StepResult::Words("home/tv ON".to_owned())),
            ("script", "", StepResult::Done),
        ] {
            let step = first(what, result);
            assert_eq!((step.kind.word(), &step.result), (what, &expected));
            assert_eq!(step.values, [("msg".into(), Value::Int(1))]);
        }
        assert_eq!(first("cooldown", "until then").kind, StepKind::Blocked(BlockedBy::Cooldown));
    }

    #[test]
    fn a_step_stays_small_since_each_message_makes_some() {
        assert!(size_of::<Step>() <= 168, "{}", size_of::<Step>());
    }

    #[test]
    fn steps_of_a_newer_version_are_refused() {
        let error = serde_json::from_str::<Kept>(r#"{"version":3,"steps":[]}"#).unwrap_err();
        assert!(error.to_string().contains("version 3"), "{error}");
    }
}
