//! What packages contain: the unit of systemd, the first home, and that both go together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::home::Home;

/// What systemd may rate the service at most, in tenths: 0 is locked up, 100 is open.
const EXPOSURE: &str = "15";

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn systemd_rates_the_service_as_well_confined() {
    let mut command = Command::new("systemd-analyze");
    command
        .args(["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE])
        .arg(file("packaging/homerule.service"));
    // Where systemd isn't installed, nobody can rate it; `.ci/run` installs it.
    let Ok(rated) = command.output() else { return };
    let told = String::from_utf8_lossy(&rated.stdout);
    assert!(rated.status.success(), "{told}");
    assert!(told.contains("Overall exposure level for homerule.service"), "{told}");
}

/// Returns the values of a key of the unit.
fn values(key: &str) -> Vec<String> {
    let unit = read("packaging/homerule.service");
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(ToOwned::to_owned).collect()
}

#[test]
fn the_unit_runs_the_home_that_the_package_brings_as_the_user_that_it_makes() {
    assert_eq!(values("ExecStart"), ["/usr/bin/homerule run /etc/homerule"]);
    assert_eq!((values("Type"), values("User")), (vec!["notify".to_owned()], vec!["homerule".to_owned()]));
    assert_eq!((values("StateDirectory"), values("WatchdogSec").len()), (vec!["homerule".to_owned()], 1));
    assert!(read("packaging/debian/postinst").contains("adduser --system --group --quiet --home /var/lib/homerule"));
    let manifest = read("Cargo.toml");
    for path in ["/etc/homerule/homerule.yaml", "/etc/homerule/rules/first.yaml", "/etc/homerule/rules/first.test.yaml"]
    {
        assert!(manifest.contains(&format!("\"{path}\"")), "{path} is no conffile");
    }
}

#[test]
fn the_settings_of_the_package_are_those_of_a_first_home_with_the_data_elsewhere() {
    let first = Home::new(&[]);
    assert_eq!(first.say(&["init"]).status, 0);
    let expected = first.read("homerule.yaml");
    let expected = expected.replace("# data: .homerule", "data: /var/lib/homerule");
    let expected = expected.replace("docs/settings.md", "/usr/share/doc/homerule/docs/settings.md");
    assert_eq!(read("packaging/debian/homerule.yaml"), expected);
}

#[test]
fn the_home_of_the_package_has_no_mistakes_and_its_tests_pass() {
    let home = Home::new(&[
        ("homerule.yaml", &read("packaging/debian/homerule.yaml")),
        ("rules/first.yaml", &read("packaging/debian/first.yaml")),
        ("rules/first.test.yaml", &read("packaging/debian/first.test.yaml")),
    ]);
    let checked = home.say(&["check"]);
    assert_eq!((checked.status, checked.out.as_str()), (0, "1 rule, 1 test: 0 errors, 0 warnings\n"), "{checked:?}");
    let tested = home.say(&["test"]);
    assert!(tested.out.ends_with("1 passed, 0 failed\n"), "{tested:?}");
}

#[test]
fn each_file_that_the_package_takes_from_here_is_there() {
    let manifest = read("Cargo.toml");
    let assets = manifest.split("assets = [").nth(1).expect("assets");
    let sources = assets.lines().filter_map(|line| line.trim().strip_prefix("[\"")?.split('"').next());
    let mut count = 0;
    for source in sources.filter(|source| !source.starts_with("target/")) {
        let (folder, name) = source.rsplit_once('/').unwrap_or((".", source));
        let ending = name.strip_prefix('*').unwrap_or(name);
        let entries = fs::read_dir(file(folder)).unwrap_or_else(|error| panic!("{source}: {error}"));
        let is_meant = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().ends_with(ending);
        assert!(entries.map(|entry| entry.unwrap()).any(|entry| is_meant(&entry)), "{source}");
        count += 1;
    }
    assert!(count >= 8, "{count}");
}
