//! What `check` finds in a home as a whole: how its rules work together, shown by running them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::{Allowed, Suspicion, suspicions};
use crate::cli::Failure;
use crate::cli::home::known::known;
use crate::cli::test::Suite;
use crate::cli::why::Place;
use crate::disk;
use crate::lang::{Diagnostic, Places};
use crate::sim::Witnesses;

/// How many suspicions are looked into; a home with more has other worries.
const MOST: usize = 100;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// What can't be demonstrated too.
    pub(super) all: bool,
    /// Where tests are written to that demonstrate it.
    pub(super) witness: Option<&'a Path>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Deep {
    pub(super) found: Vec<Diagnostic>,
    /// What became of the tests that demonstrate it, as lines.
    pub(super) witnesses: Vec<String>,
    /// What the files allow, as far as it was needed.
    allowed: Allowed,
}

/// Looks at how the rules of a home work together.
///
/// # Errors
/// When a test can't be written.
pub(super) fn look(folder: &Path, suite: &Suite, wanted: Wanted<'_>) -> Result<Deep, Failure> {
    let known = Arc::new(known(folder, suite, &suite.settings));
    let witnesses = Witnesses::new(&suite.rules, suite.home.options(), &known);
    let mut deep = Deep::default();
    let mut places = Places::new(&suite.sources);
    deep.allowed = Allowed::new(&suite.sources, &suite.rules);
    for suspicion in suspicions(&suite.rules, &known).into_iter().take(MOST) {
        let mut diagnostic = diagnostic(&suspicion, &mut places);
        if deep.allowed.allows(&diagnostic, &mut places) {
            continue;
        }
        let asks = suspicion.needs_witness || wanted.witness.is_some();
        let witness = asks.then(|| witnesses.find(&suspicion)).flatten();
        if suspicion.needs_witness && witness.is_none() {
            if !wanted.all {
                continue;
            }
            diagnostic.message.push_str(" (not demonstrated)");
        }
        if let Some(to) = wanted.witness {
            let told = match &witness {
                None => Err("not demonstrated".to_owned()),
                Some(witness) => {
                    let file = file(to, &suspicion, deep.witnesses.len())?;
                    let path =
                        Place::of(&file, folder).map_or_else(|_| name_of(&file), |place| place.path().to_owned());
                    witnesses.to_test(&suspicion, witness, &suite.home, &path).map(|text| (file, text))
                }
            };
            deep.witnesses.push(match told {
                Ok((file, text)) => {
                    let shown = file.display();
                    fs::write(&file, text).map_err(|error| {
                        Failure::new(format!("`{shown}` can't be written: {}", disk::reason(&error)))
                    })?;
                    format!("{} {}: shown by {shown}", suspicion.code, suspicion.place)
                }
                Err(why) if why == "not demonstrated" => {
                    format!("{} {}: not demonstrated", suspicion.code, suspicion.place)
                }
                Err(why) => format!("{} {}: not demonstrated: {why}", suspicion.code, suspicion.place),
            });
        }
        deep.found.push(diagnostic);
    }
    Ok(deep)
}

/// Leaves out what the files allow, and tells what they allow in vain.
pub(super) fn without_allowed(found: &mut Vec<Diagnostic>, suite: &Suite, deep: &mut Deep) {
    let mut places = Places::new(&suite.sources);
    let allowed = &mut deep.allowed;
    found.retain(|found| !allowed.allows(found, &mut places));
    deep.found.extend(allowed.idle(&mut places));
}

fn diagnostic(suspicion: &Suspicion, places: &mut Places<'_>) -> Diagnostic {
    let (message, help) = (suspicion.message.clone(), Some(suspicion.help.clone()));
    let mut diagnostic = places.warning(suspicion.code, &suspicion.place, message, help);
    let related = suspicion.related.iter().map(|(place, text)| places.label(place, text.clone()));
    diagnostic.related = related.collect();
    diagnostic
}

/// Returns the file of a test that demonstrates a suspicion.
fn file(folder: &Path, suspicion: &Suspicion, index: usize) -> Result<PathBuf, Failure> {
    fs::create_dir_all(folder)
        .map_err(|error| Failure::new(format!("`{}` can't be written: {}", folder.display(), disk::reason(&error))))?;
    let rule = suspicion.rules.first().map_or_else(|| "home".to_owned(), ToString::to_string);
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let rule: String = rule.chars().map(plain).collect();
    let code = suspicion.code.to_string().to_ascii_lowercase();
    Ok(folder.join(format!("{code}-{}-{}.test.yaml", rule.trim_matches('-'), index + 1)))
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
