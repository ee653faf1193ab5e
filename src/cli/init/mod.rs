//! `homerule init`: writes a first home, with rules that a beginner understands and their tests. It asks nothing.

mod broker;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;

pub(super) use broker::without_password;

use super::home::home_folder::is_home;
use super::{Exit, Failure, print};
use crate::disk;

/// Creates a first home: settings, a few rules, and their tests. Overwrites nothing.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The home's folder; it's created if it isn't there.
    #[arg(default_value = ".")]
    home: PathBuf,
    /// The MQTT broker that is there already, for homerule to use in place of its own: `mqtt://user:password@host:1883`.
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
}

/// The settings of a first home, in the order in which people need them.
const SETTINGS: &str = include_str!("homerule.yaml");

/// The rules of a first home, and their tests: those of the home that homerule's own repository runs.
pub(super) const RULES: [(&str, &str); 6] = [
    ("rules/tv.yaml", include_str!("../../../rules/tv.yaml")),
    ("rules/tv.test.yaml", include_str!("../../../rules/tv.test.yaml")),
    ("rules/hall.yaml", include_str!("../../../rules/hall.yaml")),
    ("rules/hall.test.yaml", include_str!("../../../rules/hall.test.yaml")),
    ("rules/good_night.yaml", include_str!("../../../rules/good_night.yaml")),
    ("rules/good_night.test.yaml", include_str!("../../../rules/good_night.test.yaml")),
];

impl Init {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let home = self.home.as_path();
        if is_home(home) {
            let shown = home.display();
            return Err(Failure::new(format!("`{shown}` is already a home; nothing in it was changed")));
        }
        let at_another = self.broker.as_ref().map(|url| broker::at_another(SETTINGS, url)).transpose()?;
        let settings = at_another.as_ref().map_or(SETTINGS, |made| &made.settings);
        let password = at_another.as_ref().and_then(|made| made.password.as_deref());
        let secret = password.map(|password| ("secret.txt", password));
        let files = || [("homerule.yaml", settings)].into_iter().chain(secret).chain(RULES);
        if let Some((path, _)) = files().find(|(path, _)| home.join(path).exists()) {
            let path = home.join(path);
            return Err(Failure::new(format!("`{}` already exists; nothing was written", path.display())));
        }
        for (path, text) in files() {
            write(&home.join(path), text)?;
            if secret.is_some_and(|(secret, _)| secret == path) {
                keep_private(&home.join(path))?;
            }
            print::line(&format!("wrote {}", shown(home, path)));
        }
        print::line(&next_steps(home, self.broker.is_some()));
        Ok(Exit::Well)
    }
}

/// Writes a file that isn't there yet, with the folders above it.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failure = |error: std::io::Error| {
        Failure::new(format!("`{}` can't be written: {}", path.display(), disk::reason(&error)))
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failure)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failure)?;
    file.write_all(text.as_bytes()).map_err(failure)
}

/// Lets nobody else read a file.
fn keep_private(path: &Path) -> Result<(), Failure> {
    let failure = |error: std::io::Error| {
        Failure::new(format!("`{}` can't be made private: {}", path.display(), disk::reason(&error)))
    };
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failure)
}

/// Says what to do with the home.
fn next_steps(home: &Path, is_at_another: bool) -> String {
    let folder = if is_here(home) { String::new() } else { format!(" {}", home.display()) };
    let steps = [
        (format!("homerule test{folder}"), "test its rules"),
        if is_at_another {
            (format!("homerule doctor{folder}"), "see whether the broker does what is needed, then `homerule run`")
        } else {
            (
                format!("homerule run{folder}"),
                "run it: the broker is at 127.0.0.1:1883, the page at http://127.0.0.1:8330",
            )
        },
        (
            "homerule pub home/living_room/tv ON".to_owned(),
            "in another terminal: the TV comes on, and its light follows",
        ),
    ];
    let width = steps.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    let steps: Vec<String> = steps.iter().map(|(command, does)| format!("  {command:width$}   {does}\n")).collect();
    let steps = steps.concat();
    let (rules, settings) = (shown(home, "rules"), shown(home, "homerule.yaml"));
    format!(
        "\nNext:\n{steps}\nYour own rules go into {rules}; a change is in force within a second. {settings} says how to let devices \
         connect."
    )
}

fn shown(home: &Path, path: &str) -> String {
    if is_here(home) { path.to_owned() } else { home.join(path).display().to_string() }
}

fn is_here(home: &Path) -> bool {
    home == Path::new(".")
}
