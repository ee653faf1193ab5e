//! Rule files: YAML and scripts to rules (docs/language/README.md, docs/language/scripts.md).
//!
//! A home is read in two passes: the first finds the ids, constants and scenes of all files, the second decodes each
//! rule, knowing the names of the others. A step's path in its rule is made here and nowhere else:
//!
//! - the items of a list are `when[0]`, `if[1]`, `then[2]`; a single item is `when`, `if`, `then`;
//! - conditions inside: `if.all[0]`, `if.any[1]`, `if.not`;
//! - lists of actions inside: `then[0].then`, `then[0].else`, `then[0].choose[1].then`, `then[0].cases.ON`,
//!   `then[0].do`, `then[0].parallel[1]`, `then[0].on_timeout`;
//! - what an action waits for or checks: `then[0].wait`, `then[0].if`, `then[0].repeat.until`.

mod action;
mod checks;
mod conditions;
mod context;
mod decoder;
mod device;
mod each;
mod file;
mod fingerprint;
mod invariant;
mod range;
mod rates;
mod rule;
mod scenes;
mod script;
pub(super) mod secrets;
mod trigger;
mod yields;

pub(super) use context::Context;
pub(super) use file::RuleFile;
pub(super) use rule::{decode_invariant, decode_rule};
pub(super) use scenes::check_unused_scenes;
pub(super) use script::report;
