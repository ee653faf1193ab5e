//! The functions of times as texts and as seconds.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use rhai::Dynamic;

use crate::model::schedule::TimeOfDay;
use crate::script::evaluation::loan::Lent;
use crate::script::evaluation::moment::Moment;
use crate::script::evaluation::operators::number;
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::functions::function::{Function, Kind, function};

type Answer<T> = Result<T, Refusal>;

/// The functions.
pub(in crate::script::functions) static ROWS: [Function; 2] = [
    function(
        "strftime",
        2,
        3,
        "strftime(time, '%H:%M', 'UTC')",
        "A time, or seconds since 1970, as a text, in the home's time zone or the one that is named.",
    )
    .reads()
    .gives(Kind::Text)
    .by(|row| {
        let loan = row.loan();
        row.add(move |time: Dynamic, format: &str| loan.with(|lent| lent.written(&time, format, None)));
        let loan = row.loan();
        row.add(move |time: Dynamic, format: &str, zone: &str| {
            loan.with(|lent| lent.written(&time, format, Some(zone)))
        });
    }),
    function(
        "unix_time",
        1,
        2,
        "unix_time('2024-06-01 20:00', format)",
        "Seconds since 1970 of a time, a number or a text, which is local unless it says otherwise; `()` where it's no time.",
    )
    .reads()
    .by(|row| {
        let loan = row.loan();
        row.add(move |time: Dynamic| loan.with(|lent| Ok(lent.seconds_of(&time))));
        let loan = row.loan();
        row.add(move |text: &str, format: &str| loan.with(|lent| Ok(lent.parsed(text, format))));
    }),
];

impl Lent {
    fn written(&mut self, time: &Dynamic, format: &str, zone: Option<&str>) -> Answer<String> {
        let zone = match zone {
            None => self.world.calendar.zone.clone(),
            Some(name) => TimeZone::get(name).map_err(|_| refuse(&format!("there is no time zone `{name}`")))?,
        };
        let instant = match time.clone().try_cast::<Moment>() {
            Some(moment) => moment.0.timestamp(),
            None => number(time)
                .and_then(instant)
                .ok_or_else(|| refuse("`strftime` needs a time, or seconds since 1970"))?,
        };
        strtime::format(format, &instant.to_zoned(zone))
            .map_err(|error| refuse(&format!("`{format}` can't be used as the format of a time: {error}")))
    }

    fn seconds_of(&mut self, time: &Dynamic) -> Dynamic {
        if let Some(moment) = time.clone().try_cast::<Moment>() {
            return seconds(moment.0.timestamp());
        }
        if number(time).is_some() {
            return time.clone();
        }
        let Ok(text) = time.clone().into_immutable_string() else { return Dynamic::UNIT };
        let text = text.trim();
        if let Ok(at) = text.parse::<Timestamp>() {
            return seconds(at);
        }
        if let Ok(zoned) = text.parse::<Zoned>() {
            return seconds(zoned.timestamp());
        }
        let date_and_time = text.parse::<DateTime>().ok();
        // A time of day alone is that of today.
        let date_and_time = date_and_time.or_else(|| {
            let time = TimeOfDay::parse(text).ok()?;
            self.reads.clock = true;
            Some(self.world.local().date().to_datetime(time.0))
        });
        self.at_local(date_and_time)
    }

    fn parsed(&mut self, text: &str, format: &str) -> Dynamic {
        if let Ok(zoned) = Zoned::strptime(format, text) {
            return seconds(zoned.timestamp());
        }
        let date = || jiff::civil::Date::strptime(format, text).ok().map(DateTime::from);
        let date_and_time = DateTime::strptime(format, text).ok().or_else(date);
        self.at_local(date_and_time)
    }

    fn at_local(&self, time: Option<DateTime>) -> Dynamic {
        time.map_or(Dynamic::UNIT, |time| seconds(self.world.calendar.first_instant(time)))
    }
}

/// Returns the instant so many seconds after 1970.
fn instant(seconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "a timestamp out of range is refused")]
    let micros = (seconds * 1_000_000.0).round() as i64;
    Timestamp::from_microsecond(micros).ok()
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit a float")]
fn seconds(at: Timestamp) -> Dynamic {
    let micros = at.as_microsecond();
    if micros % 1_000_000 == 0 { Dynamic::from(micros / 1_000_000) } else { Dynamic::from(micros as f64 / 1_000_000.0) }
}
