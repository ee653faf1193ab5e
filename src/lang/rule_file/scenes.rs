//! Checks scenes that no rule uses: a mistake in them is said when the file loads, not when somebody first needs them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::lang::Diagnostic;
use crate::lang::reader::Reader;
use crate::model::RuleId;

use super::context::Context;
use super::decoder::Decoder;

/// Returns what is wrong with the scenes that no action names. The others are read where they are used, since they
/// may read variables of the rule.
pub(in crate::lang) fn check_unused_scenes(context: &Context) -> Vec<Diagnostic> {
    let mut used: BTreeSet<Arc<str>> = BTreeSet::new();
    for rule in context.files.iter().flat_map(|file| &file.rules) {
        rule.node.walk(&mut |node| {
            let name = node.get("scene").and_then(|scene| scene.as_scalar());
            used.extend(name.map(|name| Arc::from(name.text.as_str())));
        });
    }
    let mut diagnostics = Vec::new();
    for file in &context.files {
        let mut reader = Reader::new(file.text.clone());
        reader.sandbox = Some(&context.sandbox);
        reader.constants = file.constants.clone();
        let mut decoder = Decoder {
            names: file.constants.names(),
            reader,
            context,
            file,
            id: RuleId::new(&file.stem, ""),
            blocks: Vec::new(),
            beside: BTreeSet::new(),
            closures: Vec::new(),
        };
        for (_, scene) in file.scenes.iter().filter(|(name, _)| !used.contains(*name)) {
            decoder.messages(scene.as_map().unwrap_or_default().iter());
        }
        diagnostics.extend(decoder.reader.findings.into_vec());
    }
    diagnostics
}
