//! The functions of dates.

use jiff::Unit;
use jiff::civil::Date;
use rhai::Dynamic;

use crate::script::evaluation::loan::Lent;
use crate::script::evaluation::moment::Moment;
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::expression::error::ExpressionErrorKind;

use crate::script::functions::arguments::{Call, Mistake};
use crate::script::functions::function::{Function, Kind, function};

type Answer<T> = Result<T, Refusal>;

/// The functions.
pub(in crate::script::functions) static ROWS: [Function; 2] = [
    function("date", 1, 1, "date('2026-12-24')", "The local midnight with which a date begins.")
        .reads()
        .gives(Kind::Time)
        .checked(dates)
        .by(|date| {
            let loan = date.loan();
            date.add(move |text: &str| {
                loan.with(|lent| {
                    let midnight = lent.world.calendar.local_midnight(parse(text)?);
                    Ok(Moment(midnight.to_zoned(lent.world.calendar.zone.clone())))
                })
            });
        }),
    function(
        "days_until",
        1,
        1,
        "days_until('2026-12-24')",
        "In how many days a date, or a time's date, is; negative once it was.",
    )
    .reads()
    .gives(Kind::Number)
    .checked(dates)
    .by(|until| {
        let loan = until.loan();
        until.add(move |text: &str| loan.with(|lent| lent.days_until(parse(text)?)));
        let loan = until.loan();
        until.add(move |moment: Moment| loan.with(|lent| lent.days_until(moment.0.date())));
    }),
];

impl Lent {
    fn days_until(&mut self, date: Date) -> Answer<Dynamic> {
        let today = self.today();
        let days = date.since((Unit::Day, today)).map_err(|error| refuse(&error.to_string()))?.get_days();
        Ok(Dynamic::from(i64::from(days)))
    }
}

fn parse(text: &str) -> Answer<Date> {
    text.trim().parse().map_err(|_| refuse(&not_a_date(text)))
}

fn not_a_date(text: &str) -> String {
    format!("`{text}` isn't a valid date; write it like `2026-12-24`")
}

fn dates(call: Call<'_>) -> Vec<Mistake> {
    let wrong =
        |text: &str| text.trim().parse::<Date>().is_err().then(|| (ExpressionErrorKind::BadTime, not_a_date(text)));
    call.checked(0, "a date", wrong).into_iter().collect()
}
