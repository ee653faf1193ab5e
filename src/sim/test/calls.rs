//! What rules asked of the outside, against what a test expects.

use crate::explain::Report;
use crate::lang::test_file::{Expected, ExpectedCall};

use crate::sim::home::{Call, VirtualHome};
use crate::sim::report::{self, Comparison, Concern, Outside, Relation};

/// Compares requests, programs or notifications.
///
/// # Errors
/// When they aren't as expected.
pub(super) fn expect_calls(
    expected: &Expected<ExpectedCall>,
    calls: &[Call],
    kind: Outside,
    world: &mut VirtualHome,
) -> Result<(), (String, Report)> {
    let relate = |expected: &ExpectedCall, call: &Call| {
        if expected.pattern.accepts(&call.to_value()) { Relation::Same } else { Relation::Akin }
    };
    let comparison = Comparison::new(expected, calls, relate);
    if comparison.is_exact() {
        return Ok(());
    }
    let (Expected::InOrder(list) | Expected::AnyOrder(list)) = expected;
    let noun = match kind {
        Outside::Http => "request",
        Outside::Exec => "program",
        Outside::Notify => "notification",
    };
    let (message, mut report) = report::of_calls(list, calls, &comparison, noun, world);
    report.append(Concern::of_calls(kind).explain(world));
    Err((message, report))
}
