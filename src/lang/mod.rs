//! Text to rules: reads the files of a home, finds every mistake with its place, and gives a [`Ruleset`].
//!
//! Pure: the shell reads the files into [`Sources`].
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod broker_limits;
mod checks;
mod codes;
mod constants;
mod diagnostic;
mod fields;
mod findings;
mod folder_name;
mod foreign;
mod home;
mod near;
mod reader;
mod render;
mod rule_file;
mod scalar;
mod schema;
mod scripts;
mod secrets;
mod settings;
mod settings_file;
mod source;
pub mod test_file;
mod text;
mod tree;
mod yaml_error;

pub use diagnostic::{Code, Diagnostic, Label, Severity, take_refusals_for_errors};
pub use home::Home;
pub use near::nearest;
pub use render::{Colour, Report};
pub use schema::{FileKind, schema_of_all};
pub use secrets::Secret;
pub use settings::{
    Allow, BrokerLimits, BrokerSettings, DiscoverySettings, EmbeddedBroker, ExternalBroker, Listener, RecorderSettings,
    Settings, Tls, WebSettings,
};
pub use source::{Source, Sources};
