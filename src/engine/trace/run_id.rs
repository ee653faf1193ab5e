//! The number of a run.

use serde::{Deserialize, Serialize};

/// The id of a run: they count up over the life of a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(pub u64);
