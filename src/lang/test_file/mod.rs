//! Test files: `*.test.yaml`, the tests of a home's rules (docs/testing.md).

mod answers;
mod case;
mod decoder;
mod device_decoder;
mod device_step;
mod expectation;
mod expectation_decoder;
mod file;
mod notify_decoder;
mod pattern;
mod step;
mod step_decoder;

pub use answers::Answers;
pub use case::{Recorded, TestCase, WrittenPath};
pub use device_step::{DeviceSays, ExpectedSet, InputStep, Obeying};
pub use expectation::{
    BLOCKED_BY, Expectation, Expected, ExpectedCall, ExpectedMessage, ExpectedPayload, ExpectedRun, ExpectedTime,
    OUTCOMES,
};
pub use file::{RuleSelection, TestFile, TestLocation};
pub use pattern::Pattern;
pub use step::{PublishStep, Restart, Step, StepKind};
