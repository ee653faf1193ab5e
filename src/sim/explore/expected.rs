//! What the home's own tests say is meant: a rule that fails, an invariant that breaks. Exploring doesn't tell of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::lang::test_file::{Expectation, StepKind, TestCase};
use crate::model::RuleId;

use super::Finding;

/// What tests expect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Rules that fail, as tests name them.
    failing: BTreeSet<Arc<str>>,
    /// Invariants that break.
    broken: BTreeSet<Arc<str>>,
}

impl Expected {
    /// Returns what these tests expect. One that says that a rule never fails expects no failure.
    pub fn of<'a>(tests: impl IntoIterator<Item = &'a TestCase>) -> Expected {
        let mut expected = Expected::default();
        for test in tests {
            expected.broken.extend(test.breaks.iter().map(|(name, _)| Arc::clone(name)));
            for step in &test.steps {
                if let StepKind::Expect(Expectation::Run(run)) = &step.kind
                    && run.outcome == Some("failed")
                    && run.times != Some(0)
                    && run.at_most != Some(0)
                {
                    expected.failing.insert(Arc::clone(&run.rule));
                }
            }
        }
        expected
    }

    /// Returns whether a test expects what was found.
    #[must_use]
    pub fn includes(&self, finding: &Finding) -> bool {
        match finding {
            Finding::Failed { rule, .. } => is_named(&self.failing, rule),
            Finding::Broken { invariant, .. } => is_named(&self.broken, &RuleId::from_text(invariant)),
            Finding::Loop(_) | Finding::Commanded { .. } | Finding::Differs { .. } | Finding::Panic(_) => false,
        }
    }
}

fn is_named(names: &BTreeSet<Arc<str>>, id: &RuleId) -> bool {
    let maker = id.maker();
    [id.as_str(), id.key(), maker.as_str(), maker.key()].iter().any(|name| names.contains(*name))
}
