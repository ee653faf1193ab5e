//! The devices that a home's files know: those of homerule.yaml, and those that `devices.jsonl` keeps.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::devices::{Found, Naming, Registry};
use crate::lang::diagnostic::findings::Findings;
use crate::lang::diagnostic::near::Suggestion;
use crate::lang::settings::decoder::SETTINGS_FILE;
use crate::lang::yaml::tree::{self, Node, NodeKind};
use crate::lang::{Code, Diagnostic, Settings, Source, Sources};
use crate::model::recording::RecordingReader;
use crate::model::{Payload, Topic};

/// The file in which `homerule devices --save` keeps what devices say of themselves.
pub const DEVICES_FILE: &str = "devices.jsonl";

/// What devices say of themselves, by topic.
pub type KeptDevices = BTreeMap<Topic, Payload>;

/// The devices that a home's files know.
#[derive(Debug)]
pub(in crate::lang) struct DevicesOfFiles {
    /// What they say of themselves.
    pub(in crate::lang) kept: Arc<KeptDevices>,
    /// The devices that it tells of.
    pub(in crate::lang) registry: Registry,
    /// Whether there is such a file: else a device that isn't known may well be there.
    pub(in crate::lang) is_kept: bool,
}

/// Reads the devices that a home's files know. What can't be read is reported.
pub(super) fn read(sources: &Sources, settings: &Settings, diagnostics: &mut Vec<Diagnostic>) -> DevicesOfFiles {
    let mut registry = Registry::new(settings.device_settings(""));
    let mut findings = Findings::new(DEVICES_FILE.into());
    let mut kept = KeptDevices::new();
    let source = sources.get(DEVICES_FILE);
    match source {
        None => {}
        Some(Source::Unreadable(reason)) => {
            findings.error(Code::UNREADABLE_FILE, 0..0, format!("can't read `{DEVICES_FILE}`: {reason}"));
        }
        Some(Source::Content(bytes)) => {
            let mut reader = RecordingReader::of_ours(&**bytes);
            for recorded in reader.by_ref() {
                registry.note(&recorded.message.topic, &recorded.message.payload);
                kept.insert(recorded.message.topic, recorded.message.payload);
            }
            let skipped = reader.findings().skipped();
            if skipped > 0 {
                let lines = if skipped == 1 { "1 line".to_owned() } else { format!("{skipped} lines") };
                let found =
                    findings.warning(Code::UNREADABLE_FILE, 0..0, format!("{lines} of `{DEVICES_FILE}` can't be read"));
                found.help("run `homerule devices --save` to write it again");
            }
        }
    }
    diagnostics.extend(findings.into_vec());
    if source.is_some() {
        check_named(sources, settings, &registry, diagnostics);
    }
    DevicesOfFiles { kept: Arc::new(kept), registry, is_kept: source.is_some() }
}

/// Reports entries of `devices` that name a device which isn't known.
fn check_named(sources: &Sources, settings: &Settings, registry: &Registry, diagnostics: &mut Vec<Diagnostic>) {
    // One that has another name by now is known by that.
    let is_known = |name: &str| !matches!(registry.find(name), Found::None(_));
    let is_unknown = |naming: &&Naming| !is_known(&naming.device) && !naming.name.as_deref().is_some_and(is_known);
    let unknown: Vec<&Naming> = settings.named_devices.named.iter().filter(is_unknown).collect();
    let Some((path, source)) = sources.get_key_value(SETTINGS_FILE).filter(|_| !unknown.is_empty()) else { return };
    let Some(text) = super::file_text(path, source, &mut Vec::new()) else { return };
    let Some(root) = tree::parse(&text, &mut Findings::new(text.file())) else { return };
    let mut findings = Findings::new(text.file());
    for node in named_nodes(&root) {
        let Some(scalar) = node.as_scalar() else { continue };
        let Some(naming) = unknown.iter().find(|naming| *naming.device == *scalar.text.as_str()) else { continue };
        let message = format!("no device is called `{}`", naming.device);
        let found = findings.warning(Code::UNKNOWN_DEVICE, node.span.clone(), message);
        match registry.find(&naming.device) {
            Found::None(Some(near)) => found.suggest(node.span.clone(), Some(Suggestion::guess(&near))),
            _ => found.help("run `homerule devices --save` if it's new, and `homerule devices` for their names"),
        };
    }
    diagnostics.extend(findings.into_vec());
}

/// Returns the names of the known devices that `devices` names anew.
fn named_nodes(root: &Node) -> Vec<&Node> {
    let Some(devices) = root.get("devices") else { return Vec::new() };
    match &devices.kind {
        NodeKind::List(items) => items.iter().filter_map(|item| item.get("device")).collect(),
        NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => devices.get("device").into_iter().collect(),
    }
}
