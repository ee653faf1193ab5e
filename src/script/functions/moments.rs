//! The functions that read the home's rules and times, and chance.

use rhai::{Array, Dynamic, Expr};

use crate::model::RuleId;
use crate::model::schedule::{Boundary, TimeWindow, Weekdays};
use crate::script::evaluation::convert::kind;
use crate::script::evaluation::loan::Lent;
use crate::script::evaluation::operators::number;
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::expression::error::ExpressionErrorKind;

use super::arguments::Argument::{Days, End, Named};
use super::arguments::{Call, Mistake};
use super::function::{Function, Kind, function};

type Answer<T> = Result<T, Refusal>;

/// The functions.
pub(super) static ROWS: [Function; 6] = [
    function(
        "holds",
        0,
        1,
        "holds('rule')",
        "Whether a `while` rule has begun and not ended; without an argument, this rule.",
    )
    .reads()
    .gives(Kind::Boolean)
    .takes(&[Named("the name of a rule")])
    .by(|holds| {
        let loan = holds.loan();
        holds.add(move || {
            loan.with(|lent| {
                let rule = lent.rule.clone();
                Ok(lent.holds(rule))
            })
        });
        let loan = holds.loan();
        holds.add(move |rule: &str| {
            loan.with(|lent| {
                let rule = lent.find_rule(rule)?;
                Ok(lent.holds(rule))
            })
        });
    }),
    function("running", 1, 1, "running('rule')", "Whether a rule has a run that hasn't ended.")
        .reads()
        .gives(Kind::Boolean)
        .takes(&[Named("the name of a rule")])
        .by(|running| {
            let loan = running.loan();
            running.add(move |rule: &str| loan.with(|lent| lent.is_running(rule)));
        }),
    function(
        "between",
        2,
        2,
        "between('22:00', '06:00')",
        "Whether it is between two times of day or sun events; the range may pass midnight.",
    )
    .reads()
    .gives(Kind::Boolean)
    .takes(&[End, End])
    .by(|between| {
        let loan = between.loan();
        between.add(move |after: &str, before: &str| loan.with(|lent| lent.is_between(after, before)));
    }),
    function("weekend", 0, 0, "weekend()", "Whether it is Saturday or Sunday.").reads().gives(Kind::Boolean).by(
        |weekend| {
            let loan = weekend.loan();
            weekend.add(move || {
                loan.with(|lent| {
                    let today = lent.today().weekday();
                    Ok(today == jiff::civil::Weekday::Saturday || today == jiff::civil::Weekday::Sunday)
                })
            });
        },
    ),
    function("weekday", 1, 1, "weekday('mon')", "Whether it is one of these days: `mon`, `mon-fri`.")
        .reads()
        .gives(Kind::Boolean)
        .takes(&[Days])
        .by(|weekday| {
            let loan = weekday.loan();
            weekday.add(move |days: &str| {
                loan.with(|lent| {
                    let days = Weekdays::parse(days).map_err(|error| refuse(&error.to_string()))?;
                    Ok(days.contains(lent.today()))
                })
            });
        }),
    function(
        "random",
        0,
        2,
        "random(1, 6)",
        "A number from 0 to below 1; with two numbers, one from the first to the second; with a list, one of its items.",
    )
    .reads()
    .checked(ends)
    .by(|random| {
        let loan = random.loan();
        random.add(move || loan.with(|lent| Ok(lent.draw())));
        let loan = random.loan();
        random.add(move |low: Dynamic, high: Dynamic| loan.with(|lent| lent.draw_from(&low, &high)));
        let loan = random.loan();
        random.add(move |list: Array| loan.with(|lent| lent.choose(&list)));
    }),
];

impl Lent {
    pub(super) fn find_rule(&self, text: &str) -> Answer<RuleId> {
        let mut found = self.world.rule_names.find(text, self.rule.file());
        if found.len() > 1 {
            let names = found.iter().map(|rule| format!("`{rule}`")).collect::<Vec<_>>().join(", ");
            return Err(refuse(&format!("`{text}` may be any of {names}: write the file too")));
        }
        found.pop().ok_or_else(|| refuse(&format!("there is no rule `{text}`")))
    }

    fn holds(&mut self, rule: RuleId) -> bool {
        let is_holding = self.world.holding.contains(&rule);
        self.reads.holds.insert(rule);
        is_holding
    }

    fn is_running(&mut self, rule: &str) -> Answer<bool> {
        let rule = self.find_rule(rule)?;
        let is_running = self.world.running.get(&rule).is_some_and(|runs| *runs > 0);
        self.reads.running.insert(rule);
        Ok(is_running)
    }

    fn is_between(&mut self, after: &str, before: &str) -> Answer<bool> {
        let window =
            TimeWindow { after: Some(boundary(after)?), before: Some(boundary(before)?), weekdays: Weekdays::ALL };
        self.reads.clock = true;
        if let Some(at) = window.next_change(self.world.now, &self.world.calendar) {
            self.reads.changes_at(at);
        }
        Ok(window.contains(self.world.now, &self.world.calendar))
    }

    pub(super) fn today(&mut self) -> jiff::civil::Date {
        self.reads.clock = true;
        self.world.local().date()
    }

    fn draw_from(&mut self, low: &Dynamic, high: &Dynamic) -> Answer<Dynamic> {
        if let (Ok(low), Ok(high)) = (low.as_int(), high.as_int()) {
            if low > high {
                return Err(refuse(&format!("`random` takes the lower number first: {low} is above {high}")));
            }
            return Ok(self.draw_between(low, high).into());
        }
        let (Some(from), Some(to)) = (number(low), number(high)) else {
            return Err(refuse(&format!("`random` takes two numbers, not {} and {}", kind(low), kind(high))));
        };
        if from > to {
            return Err(refuse(&format!("`random` takes the lower number first: {from} is above {to}")));
        }
        Ok((from + self.draw() * (to - from)).into())
    }

    fn choose(&mut self, list: &Array) -> Answer<Dynamic> {
        let last = i64::try_from(list.len()).unwrap_or(i64::MAX) - 1;
        if last < 0 {
            return Err(refuse("`random` can't choose from an empty list"));
        }
        let index = self.draw_between(0, last);
        Ok(usize::try_from(index).ok().and_then(|index| list.get(index).cloned()).unwrap_or(Dynamic::UNIT))
    }

    /// Returns the next number from 0 to below 1.
    fn draw(&mut self) -> f64 {
        const STEPS: f64 = 9_007_199_254_740_992.0;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
        let step = (self.draw_bits() >> 11) as f64;
        step / STEPS
    }

    /// Returns the next whole number from `low` to `high`, both included.
    fn draw_between(&mut self, low: i64, high: i64) -> i64 {
        let span = u128::from(high.abs_diff(low)) + 1;
        let offset = (u128::from(self.draw_bits()) * span) >> 64;
        i64::try_from(i128::from(low) + i128::try_from(offset).unwrap_or(0)).unwrap_or(high)
    }

    /// Returns the next 64 random bits: `SplitMix64` of what the draw depends on.
    fn draw_bits(&mut self) -> u64 {
        self.draws += 1;
        self.reads.random = true;
        let mut bits = self.entropy.wrapping_add(self.draws.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }
}

/// Checks the two ends of `random(low, high)`.
fn ends(call: Call<'_>) -> Vec<Mistake> {
    let [Expr::IntegerConstant(low, position), Expr::IntegerConstant(high, _)] = call.arguments else {
        return Vec::new();
    };
    if low <= high {
        return Vec::new();
    }
    let message = format!("`random` takes the lower number first: {low} is above {high}");
    vec![Mistake::new(ExpressionErrorKind::BadWord, *position, message)]
}

/// Reads an end of a window: a time of day, or a sun event with an offset (`sunset-30m`).
fn boundary(text: &str) -> Answer<Boundary> {
    Boundary::parse(text).map_err(|error| refuse(&error.to_string()))
}
