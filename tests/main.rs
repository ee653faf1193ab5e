//! All integration tests, in one binary, so that the library is linked once.
//!
//! What proptest finds is kept in `proptest-regressions/` and tried again first: commit it together with what mends it.
//! `cargo test --test main cli::check` runs the tests of one module. `cfg(test)` tells clippy that helpers are tests too.

#[cfg(test)]
mod access;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod broker;
#[cfg(test)]
mod calendars;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod cookbook;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod files;
#[cfg(test)]
mod home;
#[cfg(test)]
mod net;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod safety;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod semantics;
#[cfg(test)]
mod simulation;
