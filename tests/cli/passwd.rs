//! `homerule passwd`: what a user types, and what is in the file then.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;

use homerule::broker::access::Users;

use crate::home::{Home, Said, command};

/// Runs `homerule passwd` with a password on standard input.
fn passwd(home: &Home, arguments: &[&str], password: &str) -> Said {
    let mut command = command();
    command.arg("passwd").args(arguments).current_dir(home.path());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(password.as_bytes());
    let output = child.wait_with_output().unwrap();
    Said {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn users(path: &Path) -> Users {
    Users::parse(&fs::read(path).unwrap()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_user_is_added_changed_and_removed() {
    let home = Home::new(&[]);
    let file = home.path().join("users.txt");
    let said = passwd(&home, &["--stdin", "users.txt", "ann"], "secret\n");
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "added `ann` in users.txt\n", ""));
    assert!(users(&file).check("ann", b"secret") && !users(&file).check("ann", b"secret\n"));
    assert_eq!(mode(&file), 0o600);
    assert!(fs::read_to_string(&file).unwrap().starts_with("ann:$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(passwd(&home, &["--stdin", "users.txt", "bob"], "two").status, 0);
    let said = passwd(&home, &["users.txt", "ann", "--stdin"], "other\r\n");
    assert_eq!((said.status, said.out.as_str()), (0, "changed `ann` in users.txt\n"));
    let both = users(&file);
    assert!(both.check("ann", b"other") && !both.check("ann", b"secret") && both.check("bob", b"two"));
    let said = passwd(&home, &["-D", "users.txt", "ann"], "");
    assert_eq!((said.status, said.out.as_str()), (0, "removed `ann` from users.txt\n"));
    assert!(users(&file).get("ann").is_none() && users(&file).check("bob", b"two"));
    let said = passwd(&home, &["-D", "users.txt", "ann"], "");
    assert_eq!((said.status, said.err.as_str()), (2, "error: there is no user `ann` in `users.txt`\n"));
}

#[test]
fn mosquittos_file_is_taken_over_with_its_users_and_comments() {
    let home = Home::new(&[]);
    let file = home.path().join("users.txt");
    let theirs = "# the house\na:$6$H+Q5qUltHPW0abw/$KdcQQjZ3MzzFgWdUCrXYRDMQltpmwI3655rKMMoN720Qabq0UrXk0vt2K5rFx3GFT02Ovc20a1Q88Gkf8xaVHQ==\n";
    fs::write(&file, theirs).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let said = passwd(&home, &["--stdin", "users.txt", "ann"], "secret");
    let warning = "warning: others could read `users.txt`; from now on only its owner can\n";
    assert_eq!((said.status, said.err.as_str()), (0, warning));
    assert!(fs::read_to_string(&file).unwrap().starts_with(theirs));
    assert!(users(&file).check("a", b"secret") && users(&file).check("ann", b"secret"));
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn what_is_wrong_changes_nothing() {
    let home = Home::new(&[]);
    let file = home.path().join("users.txt");
    fs::write(&file, "ann:plain\n").unwrap();
    let said = passwd(&home, &["--stdin", "users.txt", "bob"], "x");
    assert_eq!(said.status, 2);
    assert!(said.err.contains("users.txt:1: the password isn't hashed") && !said.err.contains("plain"), "{}", said.err);
    for (arguments, password, part) in [
        (["--stdin", "new.txt", "ann"], "\n", "the password is empty"),
        (["--stdin", "new.txt", ""], "x", "a user needs a name"),
        (["--stdin", "new.txt", "a:b"], "x", "a colon"),
        (["--stdin", "new.txt", "#a"], "x", "start with `#`"),
        (["--stdin", "no/folder.txt", "ann"], "x", "`no/folder.txt` can't be opened"),
        (["-D", "new.txt", "ann"], "", "`new.txt` can't be opened"),
    ] {
        let said = passwd(&home, &arguments, password);
        assert!(said.status == 2 && said.err.contains(part), "{arguments:?}: {}", said.err);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "ann:plain\n");
    assert!(!home.path().join("new.txt").exists());
}

#[test]
fn a_link_stays_a_link_and_several_at_once_lose_nobody() {
    let home = Home::new(&[]);
    let real = home.path().join("real.txt");
    fs::write(&real, "").unwrap();
    symlink("real.txt", home.path().join("users.txt")).unwrap();
    std::thread::scope(|scope| {
        for number in 0..6 {
            let home = &home;
            scope.spawn(move || {
                let said = passwd(home, &["--stdin", "users.txt", &format!("user{number}")], "secret");
                assert_eq!(said.status, 0, "{}", said.err);
            });
        }
    });
    assert!(fs::symlink_metadata(home.path().join("users.txt")).unwrap().is_symlink());
    let users = users(&real);
    for number in 0..6 {
        assert!(users.get(&format!("user{number}")).is_some(), "user{number} is lost");
    }
    assert_eq!(
        fs::read_dir(home.path())
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".new") })
            .count(),
        0
    );
}
