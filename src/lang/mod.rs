//! Text to rules: reads the files of a home, finds every mistake with its place, and gives a [`Ruleset`].
//!
//! Pure: the shell reads the files into [`Sources`].
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod diagnostic;
mod home;
mod reader;
mod rule_file;
mod schema;
mod settings;
pub mod test_file;
mod text;
mod yaml;

use diagnostic::near;

pub use diagnostic::{Code, Colour, Diagnostic, Label, Report, Severity, nearest, take_refusals_for_errors};
pub use home::{Home, Source, Sources};
pub use schema::{FileKind, schema_of_all};
pub use settings::{
    Allow, BrokerLimits, BrokerSettings, DiscoverySettings, EmbeddedBroker, ExternalBroker, Listener, RecorderSettings,
    Secret, Settings, Tls, WebSettings,
};
