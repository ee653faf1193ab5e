//! Home Assistant's configuration as rules of homerule.
//!
//! In stages that can be read one by one: `load` reads the files (as `yaml` and its tags say), `normal` gives everything one
//! spelling, `entities` says what each entity is here, `translate` makes rules (templates by `jinja` and `expression`), `write`
//! writes them, and `report` says what came of it. Nothing acts half: what can't be taken over whole is switched off.

mod colors;
mod computed;
mod entities;
mod expression;
mod import;
mod jinja;
mod library;
mod load;
mod normal;
mod outline;
mod pages;
mod report;
mod translate;
mod trial;
mod words;
mod write;
mod yaml;

pub use entities::{KnownDevice, KnownProperty};
pub use import::{Imported, Request, import};
pub use load::{Fetched, Folder};
pub use report::{Entry, EntryKind, Outcome, Reason, Report};
pub use trial::Trial;
