//! Whatever stands in a file, it is read or said to be wrong: nothing panics, and each mark lies in the file.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use homerule::lang::{Colour, Home, Report, Source, Sources};
use homerule::rules::RuleEntry;
use proptest::prelude::*;

/// A file that uses every trigger, condition and action.
const FULL: &str = include_str!("full.yaml");

/// Pieces that mean something in YAML, in expressions or in filters.
const PIECES: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "\t",
    "'",
    "\"",
    "\\",
    "#",
    " #",
    "&a ",
    "*a",
    "!t ",
    "|\n",
    ">-\n",
    "${",
    "}",
    "$${",
    "+",
    "+x",
    "/",
    "\u{feff}",
    "\u{0}",
    "é",
    "😀",
    "\r\n",
    "---\n",
    "...\n",
    "? ",
    "~",
    "null",
    "1e999",
    "0x",
    "<<: ",
    "%YAML 1.2\n",
    "ON",
    "msg.x ==",
    "(",
    "5m",
];

fn check(bytes: &[u8], name: &str) {
    let mut sources = Sources::new();
    sources.insert(name.into(), Source::Content(Arc::from(bytes)));
    let home = Home::load(&sources);
    let mut report = Report::new(&sources);
    for found in &home.diagnostics {
        let place = report.place(found);
        assert!(place.line >= 1 && place.column >= 1);
        assert!(found.label.span.start <= found.label.span.end, "{found:?}");
        assert!(found.label.span.end <= bytes.len() || *found.label.file != *name, "{found:?}");
        assert!(!report.text_of(found, Colour::No).is_empty());
        assert!(!report.text_of(found, Colour::Yes).is_empty());
        assert!(!found.message.is_empty());
    }
    assert!(report.json(&home.diagnostics)["diagnostics"].is_array());
    if home.has_errors() && name.starts_with("rules/") {
        assert!(home.ruleset.entries.is_empty(), "a file with an error gives no rules");
    }
    let _ = Home::secrets(&sources);
}

fn inputs() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    paths.sort();
    let mut inputs: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    inputs.retain(|bytes| bytes.len() < 2_000);
    for _ in 0..inputs.len() {
        inputs.push(FULL.as_bytes().to_vec());
    }
    inputs
}

/// Puts pieces in, and cuts pieces out.
fn mutate(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, prop::sample::Index, usize)]) -> Vec<u8> {
    for (at, piece, cut) in changes {
        let at = at.index(bytes.len() + 1);
        let end = (at + cut % 8).min(bytes.len());
        let piece = if cut % 3 == 0 { b"" } else { PIECES[piece.index(PIECES.len())].as_bytes() };
        bytes.splice(at..end, piece.iter().copied());
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_is_read_or_said_to_be_wrong(
        input in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_usize..24), 1..6),
    ) {
        let inputs = inputs();
        let bytes = mutate(inputs[input.index(inputs.len())].clone(), &changes);
        check(&bytes, "rules/a.yaml");
        check(&bytes, "homerule.yaml");
    }

    #[test]
    fn any_bytes_are_read_or_said_to_be_wrong(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        check(&bytes, "rules/a.yaml");
    }

    #[test]
    fn any_text_is_read_or_said_to_be_wrong(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..20)) {
        check(pieces.concat().as_bytes(), "rules/a.yaml");
    }
}

#[test]
fn the_full_file_loads() {
    let mut sources = Sources::new();
    sources.insert("rules/full.yaml".into(), Source::Content(FULL.as_bytes().into()));
    let settings = b"location: { latitude: 51.5, longitude: 0 }\nallow: { exec: [say] }\n";
    sources.insert("homerule.yaml".into(), Source::Content(settings.as_slice().into()));
    let home = Home::load(&sources);
    let mut report = Report::new(&sources);
    let shown: String = home.diagnostics.iter().map(|found| report.text_of(found, Colour::No)).collect();
    assert_eq!(shown, "");
    assert!(home.ruleset.entries.iter().any(|entry| matches!(entry, RuleEntry::EachTopic(_))));
}
