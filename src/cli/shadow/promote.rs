//! Puts the rules in the shadow in force: their folder and that of the rules in force change places, in one step.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde_json::{Value, json};

use crate::api::view::ShadowAnswer;
use crate::cli::home::settings_file::read_settings;
use crate::cli::link::daemon_client::{DaemonArguments, DaemonClient};
use crate::cli::{Exit, Failure, print};
use crate::disk::home_files::{is_test, rules_folder_of, scan_instead};
use crate::lang::{Diagnostic, Home, Severity};

/// The folders that change places.
struct Folders {
    /// Where the rules in force are, as the settings name it.
    in_force: (String, PathBuf),
    /// Where those in the shadow are.
    shadow: (String, PathBuf),
}

/// Swaps the folders of the home whose daemon is meant, and tells the daemon.
pub(super) fn promote(daemon: &DaemonArguments, is_json: bool) -> Result<Exit, Failure> {
    let home = daemon.home();
    let settings = read_settings(home)?;
    let client = daemon.client()?;
    // A daemon that was started with `--shadow` knows it better than the settings.
    let running = client.get("/api/shadow", &[]).ok();
    let running = running.and_then(|answer| serde_json::from_value::<ShadowAnswer>(answer).ok());
    let named = running.as_ref().map(|answer| answer.rules.clone());
    let named = named.or_else(|| settings.shadow.as_ref().map(|shadow| rules_folder_of(home, &shadow.rules)));
    let Some(named) = named else {
        return Err(Failure::new(
            "no rules are in the shadow: name their folder in homerule.yaml, `shadow: { rules: ../new-rules }`",
        ));
    };
    let folders = Folders {
        in_force: (settings.rules.clone(), home.join(&settings.rules)),
        shadow: (named.clone(), home.join(&named)),
    };
    folders.check()?;
    if let Some(errors) = errors_of(home, &settings.rules, &named)? {
        print::line(&format!("nothing was changed: {errors} of the rules in `{named}` must be fixed first"));
        return Ok(Exit::No);
    }
    folders.swap()?;
    let reloaded = running.is_some().then(|| reload(&client));
    tell(&folders, reloaded, is_json)
}

impl Folders {
    /// Finds what keeps them from changing places.
    fn check(&self) -> Result<(), Failure> {
        for (name, path) in [&self.in_force, &self.shadow] {
            let refused = |why: &str| Failure::new(format!("nothing was changed: `{name}` {why}"));
            let path = without_slash(path);
            match path.symlink_metadata() {
                Ok(found) if found.is_symlink() => {
                    return Err(refused("is a link; let it lead to the other folder yourself, with `ln -sfn`"));
                }
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(refused("isn't a folder")),
                Err(error) => return Err(refused(&format!("can't be found: {}", crate::disk::reason(&error)))),
            }
        }
        let real = |(_, path): &(String, PathBuf)| path.canonicalize().unwrap_or_else(|_| path.clone());
        let (in_force, shadow) = (real(&self.in_force), real(&self.shadow));
        let names = (&self.in_force.0, &self.shadow.0);
        if in_force == shadow {
            return Err(Failure::new(format!("nothing was changed: `{}` and `{}` are one folder", names.0, names.1)));
        }
        if in_force.starts_with(&shadow) || shadow.starts_with(&in_force) {
            return Err(Failure::new(format!(
                "nothing was changed: one of `{}` and `{}` is within the other; put them side by side",
                names.0, names.1
            )));
        }
        Ok(())
    }

    /// Swaps them: whoever looks sees both before, or both after.
    fn swap(&self) -> Result<(), Failure> {
        let (in_force, shadow) = (without_slash(&self.in_force.1), without_slash(&self.shadow.1));
        renameat_with(CWD, &in_force, CWD, &shadow, RenameFlags::EXCHANGE).map_err(|error| {
            let names = format!("`{}` and `{}`", self.in_force.0, self.shadow.0);
            let why = match error {
                Errno::XDEV => {
                    "they are on different file systems, or mounted by themselves; copy one of them beside the other"
                        .to_owned()
                }
                Errno::BUSY => "one of them is mounted by itself; swap what is mounted".to_owned(),
                Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP => {
                    "this file system can't swap folders in one step; stop the daemon, and rename them yourself"
                        .to_owned()
                }
                other => crate::disk::reason(&other.into()),
            };
            Failure::new(format!("nothing was changed: {names} can't be swapped: {why}"))
        })
    }
}

/// Prints the errors in the rules of the shadow by the paths that they have, and returns how many those are, in words; `None`: there are none.
fn errors_of(home: &Path, own: &str, named: &str) -> Result<Option<String>, Failure> {
    let mut scan = scan_instead(home, named).map_err(|error| Failure::new(error.to_string()))?;
    scan.sources.retain(|path, _| !is_test(path));
    let loaded = Home::load(&scan.sources);
    let is_error = |found: &Diagnostic| found.severity == Severity::Error;
    let mut errors: Vec<Diagnostic> = loaded.diagnostics.into_iter().filter(is_error).collect();
    if errors.is_empty() && loaded.ruleset.entries.is_empty() {
        return Err(Failure::new(format!("nothing was changed: there are no rules in `{named}`")));
    }
    let own = own.trim_end_matches('/');
    let shown = |path: &Arc<str>| -> Arc<str> {
        let rest = path.strip_prefix(own).filter(|rest| rest.starts_with('/'));
        rest.map_or_else(|| Arc::clone(path), |rest| format!("{}{rest}", named.trim_end_matches('/')).into())
    };
    for label in errors.iter_mut().flat_map(|error| [&mut error.label].into_iter().chain(&mut error.related)) {
        label.file = shown(&label.file);
    }
    let sources = scan.sources.iter().map(|(path, source)| (shown(path), source.clone())).collect();
    print::diagnostics(&errors, &sources, "");
    Ok((!errors.is_empty()).then(|| match errors.len() {
        1 => "1 error".to_owned(),
        more => format!("{more} errors"),
    }))
}

/// Lets the daemon read its files again, and returns what came of it.
fn reload(client: &DaemonClient) -> Result<Value, Failure> {
    client.post_json("/api/reload", &json!({}))
}

/// Says what was done.
fn tell(folders: &Folders, reloaded: Option<Result<Value, Failure>>, is_json: bool) -> Result<Exit, Failure> {
    let (in_force, shadow) = (&folders.in_force.0, &folders.shadow.0);
    let is_in_force = match &reloaded {
        Some(Ok(answer)) => answer.get("in_force").and_then(Value::as_bool).unwrap_or(false),
        Some(Err(_)) => false,
        None => true,
    };
    if is_json {
        let reloaded = reloaded.and_then(Result::ok);
        print::json(&json!({ "promoted": true, "rules": in_force, "shadow": shadow, "reloaded": reloaded }))?;
        return Ok(if is_in_force { Exit::Well } else { Exit::No });
    }
    print::line(&format!(
        "`{in_force}` and `{shadow}` have changed places: what was in the shadow is in `{in_force}`, and what was in force is in `{shadow}`"
    ));
    match reloaded {
        None => print::line("no daemon with a shadow runs here; the rules are in force once one starts"),
        Some(Ok(_)) if is_in_force => {
            print::line("the daemon has put them in force; `homerule shadow --promote` goes back");
        }
        Some(Ok(_)) => {
            print::error("the daemon found errors: see `homerule status`; `homerule shadow --promote` goes back");
        }
        Some(Err(error)) => print::error(&format!("the daemon couldn't be told, and reads them by itself: {error}")),
    }
    Ok(if is_in_force { Exit::Well } else { Exit::No })
}

/// Returns a path that names the entry itself, link or not.
fn without_slash(path: &Path) -> PathBuf {
    path.components().collect()
}
