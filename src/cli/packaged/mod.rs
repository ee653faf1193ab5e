//! What packages bring along beside the program: completions for shells, and pages for `man`.

pub(super) mod completions;
pub(super) mod man;
