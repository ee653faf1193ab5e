//! The functions that read the home's calendars (docs/language/calendars.md).

use jiff::{SignedDuration, Timestamp};
use rhai::Dynamic;

use crate::model::Value;
use crate::model::agenda::Occurrence;
use crate::model::schedule::Ahead;
use crate::script::evaluation::convert::to_dynamic;
use crate::script::evaluation::loan::Lent;
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::expression::error::ExpressionErrorKind;
use crate::script::expression::mention::HOLIDAYS;

use crate::script::functions::arguments::Argument::Named;
use crate::script::functions::arguments::{Call, Mistake};
use crate::script::functions::function::{Function, Kind, function};

type Answer<T> = Result<T, Refusal>;

/// The functions.
pub(in crate::script::functions) static ROWS: [Function; 2] = [
    function(
        "calendar",
        1,
        2,
        "calendar('bins', 'tomorrow')",
        "The events of a calendar: those of this moment, or of `'today'`, `'tomorrow'`, `'week'`, `'month'`, a date, or the next `'24h'`.",
    )
    .reads()
    .gives(Kind::List)
    .takes(&[Named("the name of a calendar")])
    .checked(|call| time_of(call, 1))
    .by(|row| {
        let (loan, items) = (row.loan(), row.items());
        row.add(move |name: &str| loan.with(|lent| lent.calendar(name, "now", items)));
        let loan = row.loan();
        row.add(move |name: &str, ahead: &str| loan.with(|lent| lent.calendar(name, ahead, items)));
    }),
    function(
        "holiday",
        0,
        1,
        "holiday()",
        "Whether there is an event in the calendar `holidays` now, or on another day: `holiday('tomorrow')`.",
    )
    .reads()
    .gives(Kind::Boolean)
    .checked(|call| time_of(call, 0))
    .by(|row| {
        let loan = row.loan();
        row.add(move || loan.with(|lent| lent.holiday("now")));
        let loan = row.loan();
        row.add(move |ahead: &str| loan.with(|lent| lent.holiday(ahead)));
    }),
];

fn time_of(call: Call<'_>, index: usize) -> Vec<Mistake> {
    let mistake = call.checked(index, "a text like `'tomorrow'`", |text| {
        Ahead::parse(text).err().map(|error| (ExpressionErrorKind::BadWindow, error.to_string()))
    });
    mistake.into_iter().collect()
}

impl Lent {
    fn calendar(&mut self, name: &str, ahead: &str, items: usize) -> Answer<Dynamic> {
        let events = self.events(name, ahead)?;
        let zone = &self.world.calendar.zone;
        let list = events.iter().map(|event| event.to_value(zone)).collect::<Vec<_>>();
        to_dynamic(&Value::List(list.into()), None, items).map_err(|error| refuse(&error))
    }

    fn holiday(&mut self, ahead: &str) -> Answer<bool> {
        Ok(!self.events(HOLIDAYS, ahead)?.is_empty())
    }

    /// Returns the events of a calendar, and notes until when they stay so.
    fn events(&mut self, name: &str, ahead: &str) -> Answer<Vec<Occurrence>> {
        let when = Ahead::parse(ahead).map_err(|error| refuse(&error.to_string()))?;
        let (now, calendar) = (self.world.now, &self.world.calendar);
        let Some(agenda) = calendar.agendas.get(name) else {
            return Err(refuse(&format!("there is no calendar `{name}` in homerule.yaml")));
        };
        let (from, until) = when.span(now, calendar);
        let events = agenda.within(from, until, &calendar.zone);
        let over = |at: Timestamp| agenda.next_change(at, &calendar.zone);
        let next = match when {
            Ahead::Now => over(now),
            // One goes at its end, one comes so long before its start.
            Ahead::Next(length) => {
                let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
                let last = now.checked_add(length).unwrap_or(Timestamp::MAX);
                let comes = over(last).and_then(|at| at.checked_sub(length).ok());
                over(now).into_iter().chain(comes).min()
            }
            // Other days begin at midnight.
            Ahead::Day(_) | Ahead::Week | Ahead::Month => {
                calendar.date_of(now).tomorrow().ok().map(|tomorrow| calendar.local_midnight(tomorrow))
            }
            Ahead::On(_) => None,
        };
        let shown = events.iter().map(|event| Value::Text(event.event.summary.clone())).collect::<Vec<_>>();
        if let Some(next) = next.filter(|next| *next > now) {
            self.reads.changes_at(next);
        }
        let label =
            if when == Ahead::Now { format!("calendar('{name}')") } else { format!("calendar('{name}', '{ahead}')") };
        self.reads.past.insert(label.into(), Value::List(shown.into()));
        Ok(events)
    }
}
