//! The devices that a home's files know: those of homerule.yaml, and those that `devices.jsonl` keeps.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::devices::Registry;
use crate::lang::diagnostic::findings::Findings;
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
    DevicesOfFiles { kept: Arc::new(kept), registry, is_kept: source.is_some() }
}
