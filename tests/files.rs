//! Files of a home as the language reads them: what they mean, which are read, and what is said of mistakes.
//!
//! `cfg(test)` tells clippy that helpers are tests too.

#[cfg(test)]
#[path = "files/broken.rs"]
mod broken;
#[cfg(test)]
#[path = "files/diagnostics.rs"]
mod diagnostics;
#[cfg(test)]
#[path = "files/home.rs"]
mod home;
#[cfg(test)]
#[path = "files/meaning.rs"]
mod meaning;
