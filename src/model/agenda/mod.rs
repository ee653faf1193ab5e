//! Agendas: the events of the home's calendars (docs/language/calendars.md).
//!
//! An [`Agenda`] holds what one iCalendar file says; a recurrence is followed as far as somebody asks, never to its end.

mod events;
mod matching;
mod occurrence;
mod recurrence;
mod series;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use events::Agenda;
pub use matching::Matching;
pub use occurrence::{Edge, Event, Occurrence};
pub use recurrence::{Recurrence, RecurrenceError};
pub use series::{Length, Series};

/// The agendas of a home, by their names in the settings.
pub type Agendas = BTreeMap<Arc<str>, Arc<Agenda>>;
