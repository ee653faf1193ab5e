//! A crossing without hysteresis on a value that was recorded to flap around the threshold.
//!
//! Silent without a recording of it, and where the rule doesn't act three times in ten minutes of it: with `for`, `linger`,
//! `cooldown`, `hysteresis` or `holds()`.

use jiff::{SignedDuration, Timestamp};

use crate::analysis::{Literal, literals_of};
use crate::lang::Code;
use crate::model::{Payload, ValuePath};

use super::{Checked, Claim, Suspicion};

/// How many crossings into a range are flapping.
const CROSSINGS: usize = 3;

/// In how long.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);

pub(super) fn find(home: &Checked<'_>) -> Vec<Suspicion> {
    let mut found = Vec::new();
    for node in home.graph.rules.iter().filter(|node| node.rule.enabled) {
        for literal in literals_of(&node.rule).iter().filter(|literal| literal.is_order) {
            if let Some(suspicion) = of(home, &node.rule.id, literal) {
                found.push(suspicion);
            }
        }
    }
    found
}

fn of(home: &Checked<'_>, rule: &crate::model::RuleId, literal: &Literal) -> Option<Suspicion> {
    let threshold = literal.value.as_number()?;
    let path = ValuePath::parse(&literal.path).ok()?;
    let (topic, samples) = home.known.matching(&literal.pattern).find_map(|(topic, heard)| {
        let numbers = heard
            .samples
            .iter()
            .filter_map(|(at, payload)| Some((*at, payload.value().at(&path)?.as_number()?, payload)));
        Some((topic, flaps(&numbers.collect::<Vec<_>>(), threshold)?))
    })?;
    let mut last = samples.first()?.0;
    let said = samples.iter().map(|(at, payload)| {
        let after = at.duration_since(last).as_millis();
        last = *at;
        (u64::try_from(after).unwrap_or(0), payload.clone())
    });
    Some(Suspicion {
        code: Code::FLAPPING,
        place: literal.place.clone(),
        related: Vec::new(),
        message: format!(
            "`{topic}` was recorded to go back and forth around {}: the rule acts again and again",
            literal.value
        ),
        help: "add `hysteresis:`, or `for:`, to the trigger, or `linger:` to the `while`".to_owned(),
        rules: vec![rule.clone()],
        needs_witness: true,
        claim: Claim::Recorded { rule: rule.clone(), topic: topic.clone(), said: said.collect() },
    })
}

/// Returns samples in which a number crosses the threshold again and again, with the one before.
fn flaps(numbers: &[(Timestamp, f64, &Payload)], threshold: f64) -> Option<Vec<(Timestamp, Payload)>> {
    let crosses = |index: &usize| {
        let (before, now) = (numbers.get(index.wrapping_sub(1)), numbers.get(*index));
        matches!((before, now), (Some(before), Some(now)) if (before.1 > threshold) != (now.1 > threshold))
    };
    let crossings: Vec<usize> = (1..numbers.len()).filter(crosses).collect();
    let at = |index: usize| numbers.get(index).map(|sample| sample.0);
    // Into the range and out of it: twice as many.
    let window = crossings.windows(CROSSINGS * 2 - 1).find(|window| {
        let (Some(first), Some(last)) = (window.first().and_then(|i| at(*i)), window.last().and_then(|i| at(*i)))
        else {
            return false;
        };
        last.duration_since(first) <= WITHIN
    })?;
    let (first, last) = (*window.first()?, *window.last()?);
    let begin = first.saturating_sub(1);
    // The next one too, so that both directions cross three times.
    let samples = numbers.get(begin..=(last + 1).min(numbers.len().saturating_sub(1)))?;
    Some(samples.iter().take(60).map(|(at, _, payload)| (*at, (*payload).clone())).collect())
}
