//! What a target's answer means.

use std::time::Duration;

use crate::engine::event::Answer;
use crate::model::Value;
use crate::rules::TargetKind;

/// What becomes of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The target has it.
    Taken,
    /// It's tried again, after the pause that the target asks for.
    Again {
        /// Why, in words.
        reason: String,
        /// How long it asks us to wait.
        pause: Option<Duration>,
        /// Whether it may be this notice that the target can't take.
        may_be_its_fault: bool,
    },
    /// The target won't ever take it; with the reason.
    Never(String),
}

impl Verdict {
    /// Returns what `answer` of a target of this kind means.
    pub(super) fn of(kind: &TargetKind, answer: Answer) -> Verdict {
        let (status, body, retry_after) = match answer {
            Answer::Failed(reason) => return Verdict::Again { reason, pause: None, may_be_its_fault: false },
            Answer::Ended { status, body, retry_after } => (status, body, retry_after),
        };
        let is_telegram = matches!(kind, TargetKind::Telegram(_));
        let said = if is_telegram { Said::of(body.value()) } else { Said::default() };
        let status = match said.status {
            // Telegram answers 200 and says what went wrong.
            Some(said) if (200..300).contains(&status) => said,
            _ => status,
        };
        let reason = match &said.why {
            Some(why) => format!("it answered {status}: {why}"),
            None => format!("it answered {status}"),
        };
        let pause = retry_after.or(said.pause);
        match status {
            200..300 => Verdict::Taken,
            300..400 => Verdict::Never(format!("{reason}, a redirect, which isn't followed")),
            429 => Verdict::Again { reason, pause, may_be_its_fault: false },
            408 | 500.. => Verdict::Again { reason, pause, may_be_its_fault: true },
            _ => Verdict::Never(reason),
        }
    }
}

/// What Telegram says in its answer.
#[derive(Default)]
struct Said {
    /// What went wrong, if something did.
    status: Option<i64>,
    why: Option<String>,
    pause: Option<Duration>,
}

impl Said {
    fn of(body: &Value) -> Said {
        let Value::Map(entries) = body else { return Said::default() };
        let number = |value: Option<&Value>| match value {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        };
        let has_failed = entries.get("ok") == Some(&Value::Bool(false));
        let pause = match entries.get("parameters") {
            Some(Value::Map(parameters)) => number(parameters.get("retry_after")),
            _ => None,
        };
        let why = entries.get("description").and_then(Value::as_text).map(|text| text.chars().take(200).collect());
        Said {
            status: has_failed.then(|| number(entries.get("error_code")).unwrap_or(400)),
            why,
            pause: pause.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs),
        }
    }
}
