//! The functions that read how other rules are: until when they wait, whether they are switched on, how they ran last.

use std::time::Duration;

use jiff::Timestamp;
use rhai::Dynamic;

use crate::script::evaluation::loan::Lent;
use crate::script::evaluation::moment::{Moment, seconds};
use crate::script::evaluation::refusal::Refusal;

use crate::script::functions::arguments::Argument::Named;
use crate::script::functions::function::{Function, Kind, function};

type Answer<T> = Result<T, Refusal>;

/// The functions.
pub(in crate::script::functions) static ROWS: [Function; 4] = [
    function(
        "remaining",
        1,
        1,
        "remaining('rule')",
        "Seconds until the first is over of what a rule waits for (`for`, `linger`, `delay`, `wait`); `()` if nothing.",
    )
    .reads()
    .takes(&[Named("the name of a rule")])
    .by(|row| {
        let loan = row.loan();
        row.add(move |rule: &str| loan.with(|lent| lent.remaining(rule)));
    }),
    function("enabled", 1, 1, "enabled('rule')", "Whether a rule is switched on.")
        .reads()
        .gives(Kind::Boolean)
        .takes(&[Named("the name of a rule")])
        .by(|row| {
            let loan = row.loan();
            row.add(move |rule: &str| loan.with(|lent| lent.is_enabled(rule)));
        }),
    function(
        "overridden",
        1,
        1,
        "overridden('rule')",
        "Whether a rule yields, since somebody changed what it commands.",
    )
    .reads()
    .gives(Kind::Boolean)
    .takes(&[Named("the name of a rule")])
    .by(|row| {
        let loan = row.loan();
        row.add(move |rule: &str| loan.with(|lent| lent.is_overridden(rule)));
    }),
    function(
        "last_run",
        1,
        1,
        "last_run('rule')",
        "When a rule's last run began and how it ended: `#{ at, outcome }`; `()` where it never ran.",
    )
    .reads()
    .takes(&[Named("the name of a rule")])
    .by(|row| {
        let loan = row.loan();
        row.add(move |rule: &str| loan.with(|lent| lent.last_run(rule)));
    }),
];

impl Lent {
    fn remaining(&mut self, rule: &str) -> Answer<Dynamic> {
        let rule = self.find_rule(rule)?;
        let (now, due) = (self.world.now, self.world.waits.get(&rule).copied());
        self.reads.rules.insert(rule);
        let Some(due) = due.filter(|due| *due > now) else { return Ok(Dynamic::UNIT) };
        let left = due.duration_since(now);
        // It crosses a whole number of seconds then, and that's what it is compared with.
        let next = left.subsec_nanos();
        let step =
            if next == 0 { Duration::from_secs(1) } else { Duration::from_nanos(u64::from(next.unsigned_abs())) };
        self.reads.changes_at(now.checked_add(step).unwrap_or(Timestamp::MAX));
        Ok(seconds(left))
    }

    fn is_enabled(&mut self, rule: &str) -> Answer<bool> {
        let rule = self.find_rule(rule)?;
        let is_enabled = !self.world.disabled.contains(&rule);
        self.reads.rules.insert(rule);
        Ok(is_enabled)
    }

    fn is_overridden(&mut self, rule: &str) -> Answer<bool> {
        let rule = self.find_rule(rule)?;
        let is_overridden = self.world.overridden.contains(&rule);
        self.reads.rules.insert(rule);
        Ok(is_overridden)
    }

    fn last_run(&mut self, rule: &str) -> Answer<Dynamic> {
        let rule = self.find_rule(rule)?;
        let last = self.world.last_runs.get(&rule).cloned();
        if self.world.asked_last.insert(rule.clone()) {
            self.world.ran.insert(rule.clone());
        }
        self.reads.rules.insert(rule);
        let Some(last) = last else { return Ok(Dynamic::UNIT) };
        let at = Moment(last.at.to_zoned(self.world.calendar.zone.clone()));
        let entries = [("at", Dynamic::from(at)), ("outcome", Dynamic::from(last.outcome.to_string()))];
        let map: rhai::Map = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Ok(Dynamic::from_map(map))
    }
}
