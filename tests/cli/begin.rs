//! The first minutes: an empty folder, a first home, and what `homerule doctor` says of it.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::tv::TV;
use crate::home::{Home, SETTINGS, homerule};

#[test]
fn an_empty_folder_is_no_home_and_says_so_in_one_sentence() {
    let home = Home::new(&[]);
    let expected = "error: there is no home in this folder: `homerule init` creates one, and `homerule demo` shows one with simulated devices\n";
    for arguments in [&[][..], &["run"], &["--strict"]] {
        let said = home.say(arguments);
        assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (2, "", expected), "{arguments:?}");
    }
    let said = home.say(&["run", &home.path().to_string_lossy()]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("there is no home in `HOME`: `homerule init HOME` creates one"), "{said:?}");
}

#[test]
fn in_a_folder_of_a_home_it_is_said_which_home_that_is() {
    let home = Home::new(&[("rules/tv.yaml", TV)]);
    let said = homerule(&home.file("rules"), &[]);
    assert_eq!(said.status, 2);
    let named = format!("`homerule run {}` runs the home that it is in", home.path().canonicalize().unwrap().display());
    assert!(said.err.contains(&named), "{said:?}");
}

#[test]
fn rules_alone_are_a_home() {
    let home = Home::new(&[("rules/tv.yaml", "rules: { tv: { whne: a } }\n")]);
    let said = home.say(&["run", "--strict"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.err.contains("rules/tv.yaml:1:"), "{said:?}");
}

/// The settings that `init` writes, with the lines in force that begin with `#` and name a key, one at a time.
fn variants(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let key = |line: &str| line.trim_start().trim_start_matches("# ").split(':').next().unwrap().to_owned();
    let is_setting = |line: &str| {
        let bare = line.trim_start();
        let named = key(line);
        bare.starts_with("# ")
            && bare.contains(": ")
            && named.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
    };
    let wanted: Vec<usize> = (0..lines.len()).filter(|index| is_setting(lines[*index])).collect();
    let with = |index: usize| {
        let set = lines[index].replacen("# ", "", 1);
        // A key that is in force already would be there twice.
        let stays = |other: usize| {
            other > index || key(lines[other]) != key(&set) || lines[other].trim_start().starts_with('#')
        };
        let line = |other: usize| if other == index { set.as_str() } else { lines[other] };
        (0..lines.len()).filter(|other| *other == index || stays(*other)).map(line).collect::<Vec<_>>().join("\n")
    };
    wanted.into_iter().map(with).collect()
}

#[test]
fn each_setting_that_a_first_home_shows_switched_off_can_be_switched_on() {
    let home = Home::new(&[]);
    assert_eq!(home.say(&["init"]).status, 0);
    let text = home.read("homerule.yaml");
    let variants = variants(&text);
    assert!(variants.len() >= 8, "{variants:#?}");
    for variant in variants {
        home.write("homerule.yaml", &variant);
        let said = home.say(&["check"]);
        // What opens a port to others needs the line below it, too, and says which.
        let is_half = said.err.contains("anonymous") || said.err.contains("token_file") || said.err.contains("users");
        assert!(said.status == 0 || is_half, "{variant}\n{}", said.err);
        assert!(!said.err.contains("in this version"), "{variant}\n{}", said.err);
    }
}

fn doctor(home: &Home) -> (i32, Vec<(String, String, String)>) {
    let said = home.say(&["doctor", "--json"]);
    let answer: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let check = |check: &Value| (text(&check["check"]), text(&check["outcome"]), text(&check["message"]));
    (said.status, answer["checks"].as_array().unwrap().iter().map(check).collect())
}

#[test]
fn a_home_that_can_run_is_well() {
    let home = Home::with(&[("rules/tv.yaml", TV)]);
    let (status, checks) = doctor(&home);
    let errors: Vec<_> = checks.iter().filter(|(_, outcome, _)| outcome == "error").collect();
    assert_eq!((status, errors), (0, vec![]), "{checks:#?}");
    for name in ["versions", "files", "permissions", "ports", "clock", "disk", "wear"] {
        assert!(checks.iter().any(|(check, ..)| check == name), "{name} isn't checked: {checks:#?}");
    }
    let shown = home.say(&["doctor"]);
    assert_eq!(shown.status, 0);
    assert!(shown.out.starts_with("the home in HOME\n") && shown.out.contains("\n0 errors, "), "{}", shown.out);
}

#[test]
fn a_port_that_another_program_has_is_an_error_with_the_address() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let home = Home::new(&[(
        "homerule.yaml",
        &format!("broker: {{ listen: \"{address}\" }}\nweb: {{ listen: \"127.0.0.1:0\" }}\n"),
    )]);
    let (status, checks) = doctor(&home);
    assert_eq!(status, 1);
    let expected = ("ports".to_owned(), "error".to_owned(), format!("another program listens on {address}"));
    assert!(checks.contains(&expected), "{checks:#?}");
}

#[test]
fn what_does_not_load_and_what_others_can_read_is_told() {
    let home = Home::with(&[("rules/tv.yaml", "rules: { tv: { whne: a } }\n"), ("token.txt", "secret")]);
    home.write("homerule.yaml", &SETTINGS.replace("web: {", "web: { token_file: token.txt,"));
    std::fs::set_permissions(home.file("token.txt"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let (status, checks) = doctor(&home);
    assert_eq!(status, 1, "{checks:#?}");
    assert!(checks.contains(&("files".to_owned(), "error".to_owned(), "0 rules, 2 errors".to_owned())), "{checks:#?}");
    let is_open = |(check, outcome, message): &(String, String, String)| {
        check == "permissions" && outcome == "warning" && message.contains("token.txt")
    };
    assert!(checks.iter().any(is_open), "{checks:#?}");
}

#[test]
fn without_a_folder_or_a_home_nothing_can_be_looked_at() {
    let home = Home::new(&[]);
    let said = home.say(&["doctor", "nowhere"]);
    assert_eq!((said.status, said.err.as_str()), (2, "error: there is no folder `nowhere`\n"));
    let said = home.say(&["doctor"]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("`homerule init` creates one"), "{said:?}");
}

#[test]
fn there_is_a_page_for_man_for_each_command() {
    let home = Home::new(&[]);
    assert_eq!(home.say(&["man", "pages"]).status, 0);
    let help = home.say(&["--help"]).out;
    let commands = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    // A line that begins further in goes on with the help of the command above.
    let commands = commands.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    let commands = commands.filter_map(|line| line.split_whitespace().next());
    let mut count = 0;
    for command in commands.filter(|command| *command != "help") {
        let page = home.read(&format!("pages/homerule-{command}.1"));
        assert!(page.contains(&format!("homerule\\-{}", command.replace('-', "\\-"))), "{command}: {page}");
        count += 1;
    }
    assert!(count >= 20, "{help}");
    assert!(home.read("pages/homerule.1").contains("homerule\\-doctor(1)"));
}
