//! Times and the sun, as expressions read them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, Zoned};
use rhai::Engine;

use crate::model::schedule::{Calendar, SunDay, SunEvent, SunPosition};
use crate::model::{Map, Value};

use super::refusal::{Refusal, refuse};

/// A time within an evaluation.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(in crate::script) struct Moment(pub(in crate::script) Zoned);

impl Moment {
    /// Returns how many seconds lie between `earlier` and this time.
    pub(in crate::script) fn seconds_since(&self, earlier: &Moment) -> rhai::Dynamic {
        seconds(self.0.timestamp().duration_since(earlier.0.timestamp()))
    }

    /// Returns the time so many seconds later; negative: earlier.
    pub(in crate::script) fn later(&self, seconds: f64) -> Result<Moment, Refusal> {
        let duration = SignedDuration::try_from_secs_f64(seconds);
        let later = duration.ok().and_then(|duration| self.0.checked_add(duration).ok());
        later.map(Moment).ok_or_else(|| refuse("the time lies beyond what a calendar holds"))
    }
}

/// Returns a duration in seconds: a whole number where it is one.
pub(in crate::script) fn seconds(duration: SignedDuration) -> rhai::Dynamic {
    if duration.subsec_nanos() == 0 { duration.as_secs().into() } else { duration.as_secs_f64().into() }
}

/// The sun at an instant, computed as far as it is asked.
#[derive(Debug, Clone)]
pub(in crate::script) struct SunNow {
    /// The instant.
    pub(in crate::script) now: Timestamp,
    /// Where it is seen from.
    pub(in crate::script) calendar: Arc<Calendar>,
}

impl SunNow {
    /// Returns the sun as a map.
    pub(in crate::script) fn to_value(&self) -> Result<Value, String> {
        let text = |error: Refusal| error.to_string();
        let position = self.position().map_err(text)?;
        let time = |event| self.event(event).map_or(Value::Null, |moment| Value::Time(Box::new(moment.0)));
        let map: Map = [
            ("azimuth", Value::Float(position.azimuth)),
            ("elevation", Value::Float(position.elevation)),
            ("sunrise", time(SunEvent::Sunrise)),
            ("sunset", time(SunEvent::Sunset)),
            ("up", Value::Bool(self.is_up().map_err(text)?)),
        ]
        .into_iter()
        .map(|(key, value)| (key.into(), value))
        .collect();
        Ok(Value::Map(Arc::new(map)))
    }

    fn is_up(&self) -> Result<bool, Refusal> {
        SunDay::is_up(self.now, &self.calendar).ok_or_else(no_location)
    }

    fn position(&self) -> Result<SunPosition, Refusal> {
        let location = self.calendar.location.ok_or_else(no_location)?;
        Ok(SunPosition::at(self.now, location))
    }

    /// Returns when the event is today; `None` on a day without it.
    fn event(&self, event: SunEvent) -> Option<Moment> {
        let today = self.now.to_zoned(self.calendar.zone.clone()).date();
        event.on(today, &self.calendar).map(|at| Moment(at.to_zoned(self.calendar.zone.clone())))
    }

    fn event_or_nothing(&self, event: SunEvent) -> Result<rhai::Dynamic, Refusal> {
        self.calendar.location.ok_or_else(no_location)?;
        Ok(self.event(event).map_or(rhai::Dynamic::UNIT, rhai::Dynamic::from))
    }
}

#[expect(clippy::unnecessary_box_returns, reason = "Rhai's errors are boxed")]
fn no_location() -> Refusal {
    refuse("the sun needs the home's place: set `location:` in homerule.yaml")
}

/// Returns how many days a date is after the first of 1970.
fn days_since_1970(date: jiff::civil::Date) -> i64 {
    let first = jiff::civil::date(1970, 1, 1);
    date.since((jiff::Unit::Day, first)).map_or(0, |span| i64::from(span.get_days()))
}

/// Registers the types with their properties.
pub(in crate::script) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Moment>("time")
        .register_get("hour", |moment: &mut Moment| i64::from(moment.0.hour()))
        .register_get("minute", |moment: &mut Moment| i64::from(moment.0.minute()))
        .register_get("second", |moment: &mut Moment| i64::from(moment.0.second()))
        .register_get("day", |moment: &mut Moment| i64::from(moment.0.day()))
        .register_get("month", |moment: &mut Moment| i64::from(moment.0.month()))
        .register_get("year", |moment: &mut Moment| i64::from(moment.0.year()))
        .register_get("unix", |moment: &mut Moment| moment.0.timestamp().as_second())
        .register_get("week", |moment: &mut Moment| i64::from(moment.0.date().iso_week_date().week()))
        .register_get("yearday", |moment: &mut Moment| i64::from(moment.0.day_of_year()))
        .register_get("days", |moment: &mut Moment| days_since_1970(moment.0.date()))
        .register_get("weekday", |moment: &mut Moment| moment.0.strftime("%a").to_string().to_lowercase())
        .register_get("date", |moment: &mut Moment| moment.0.strftime("%Y-%m-%d").to_string())
        .register_get("time", |moment: &mut Moment| moment.0.strftime("%H:%M:%S").to_string())
        .register_fn("to_string", |moment: &mut Moment| Value::Time(Box::new(moment.0.clone())).to_string());
    engine
        .register_type_with_name::<SunNow>("sun")
        .register_get("up", |sun: &mut SunNow| sun.is_up())
        .register_get("elevation", |sun: &mut SunNow| sun.position().map(|position| position.elevation))
        .register_get("azimuth", |sun: &mut SunNow| sun.position().map(|position| position.azimuth))
        .register_get("sunrise", |sun: &mut SunNow| sun.event_or_nothing(SunEvent::Sunrise))
        .register_get("sunset", |sun: &mut SunNow| sun.event_or_nothing(SunEvent::Sunset));
}
