//! Text to rules: reads the files of a home, finds every mistake and its place, and returns a
//! [`Ruleset`](crate::rules::Ruleset).
//!
//! Pure: the shell reads the files into [`Sources`].
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod calendar_file;
mod diagnostic;
mod home;
pub mod import;
mod reader;
mod rule_file;
mod schema;
mod settings;
pub mod test_file;
mod text;
mod yaml;

use diagnostic::near;

pub use diagnostic::{
    Applies, Code, Colour, Diagnostic, Fix, Label, Places, Report, Severity, apply_fixes, nearest,
    take_refusals_for_errors, take_unfit_for_errors,
};
pub use home::{DEVICES_FILE, Home, KeptDevices, Source, Sources};
pub use schema::{FileKind, schema_of_all};
pub use settings::{
    Allow, BrokerLimits, BrokerSettings, ClientCertificate, Compare, DiscoverySettings, EmbeddedBroker, ExternalBroker,
    Host, Identity, InstanceRole, InstanceSettings, ListenAddress, Listener, NamedDevices, Password, RecorderSettings,
    Secret, Settings, ShadowSettings, Tls, WebSettings, WebTls,
};
pub use yaml::Yaml;
