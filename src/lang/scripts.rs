//! The scripts of a home: all are loaded together, since they import one another.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::script::{LoadedScript, Sandbox, ScriptFile};

use super::findings::Findings;
use super::home::{file_text, path_inside};
use super::rule_file::report;
use super::text::FileText;
use super::{Diagnostic, Sources};

/// The rule files that are scripts: each by its path, with its stem and what it said when it was loaded.
type RuleScripts = BTreeMap<Arc<str>, (FileText, Arc<str>, LoadedScript)>;

/// Loads all scripts in `folder`. What is wrong with libraries is reported here; with the others, it is in what is
/// returned.
pub(super) fn read(
    sources: &Sources,
    folder: &str,
    sandbox: &Sandbox,
    diagnostics: &mut Vec<Diagnostic>,
) -> RuleScripts {
    let mut texts = Vec::new();
    for (path, source) in sources {
        let stem = path_inside(path, folder).and_then(|inside| inside.strip_suffix(".rhai"));
        let Some(stem) = stem.filter(|stem| !stem.is_empty()) else { continue };
        let Some(text) = file_text(path, source, diagnostics) else { continue };
        texts.push((Arc::<str>::from(stem), text));
    }
    if texts.is_empty() {
        return RuleScripts::new();
    }
    let file = |(stem, text): &(Arc<str>, FileText)| ScriptFile {
        file: text.file(),
        stem: Arc::clone(stem),
        text: text.as_str().into(),
    };
    let files: Vec<ScriptFile> = texts.iter().map(file).collect();
    let mut loaded = sandbox.load_scripts(&files);
    let mut rule_scripts = RuleScripts::new();
    for (stem, text) in texts {
        let Some(loaded) = loaded.remove(&stem) else { continue };
        if stem.starts_with("lib/") {
            let mut findings = Findings::new(text.file());
            report(&loaded.errors, &mut findings);
            diagnostics.extend(findings.into_vec());
        } else {
            rule_scripts.insert(text.file(), (text, stem, loaded));
        }
    }
    rule_scripts
}
