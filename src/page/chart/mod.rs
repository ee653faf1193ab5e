//! Charts as SVG: numbers as a line, other values as bars. All widths are parts of the whole, so that one chart fits every
//! screen; text keeps its size.

mod axis;
mod numbers;
mod states;

use maud::Markup;

use crate::api::view::History;

use super::Look;

pub(super) use axis::{TimeScale, time_axis};
pub(super) use states::{bars, colours};

/// Returns a chart of what a topic said.
pub(super) fn chart(look: &Look, history: &History) -> Markup {
    let are_numbers = history.points.iter().all(|point| point.value.is_number());
    if are_numbers { numbers::line(look, history) } else { states::chart(look, history) }
}

/// Returns a part of the whole as SVG takes it.
pub(super) fn percent(part: f64) -> String {
    format!("{:.3}%", part * 100.0)
}
