//! Files of a home as the language reads them: what they mean, which are read, and what is said of mistakes.

mod broken;
mod diagnostics;
mod home;
mod meaning;
