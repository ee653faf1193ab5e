//! What commands say that need a daemon or a broker, where there is none.

use std::net::TcpListener;

use crate::home::Home;

/// A port on which nothing listens: it was ours a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn without_a_daemon_the_sentence_says_what_to_start() {
    let home = Home::new(&[]);
    let url = format!("http://127.0.0.1:{}", free_port());
    for command in [&["status"][..], &["state"], &["trace"], &["enable", "a:b"], &["disable", "a:b"]] {
        let said = home.say(&[command, &["--url", &url]].concat());
        let wanted =
            format!("error: there is no daemon at {url}: `homerule run` starts it, `--url URL` names another one\n");
        assert_eq!((said.status, said.out.as_str(), said.err), (2, "", wanted));
    }
}

#[test]
fn without_a_broker_the_sentence_says_so() {
    let home = Home::new(&[]);
    let address = format!("127.0.0.1:{}", free_port());
    for command in [&["pub", "a/b", "ON"][..], &["sub", "a/#"], &["record"]] {
        let said = home.say(&[command, &["--broker", &format!("mqtt://{address}")]].concat());
        let wanted = format!("error: there is no broker at {address}\n");
        assert_eq!((said.status, said.out.as_str(), said.err), (2, "", wanted));
    }
    home.write("homerule.yaml", &format!("broker: {{ listen: {address} }}\n"));
    let said = home.say(&["record"]);
    let wanted =
        format!("error: there is no broker at {address}: `homerule run` starts it, `--broker URL` names another one\n");
    assert_eq!((said.status, said.out.as_str(), said.err), (2, "", wanted));
}

#[test]
fn what_can_not_be_published_or_heard_is_said_before_anything_is_sent() {
    let home = Home::new(&[]);
    let said = home.say(&["pub", "a/+", "ON"]);
    let wanted = "error: `a/+` can't be published to: a topic can't contain a wildcard (`+` or `#`)\n";
    assert_eq!((said.status, said.err.as_str()), (2, wanted));
    let said = home.say(&["sub", "a/#/b"]);
    assert_eq!((said.status, said.err.as_str()), (2, "error: `a/#/b`: `#` must be the last level of a topic filter\n"));
    let said = home.say(&["pub", "$SYS/a", "ON"]);
    let wanted = "error: `$SYS/a` can't be published to: topics that start with `$` are the broker's own\n";
    assert_eq!((said.status, said.err.as_str()), (2, wanted));
    assert_eq!(home.say(&["pub", "a/b", "ON", "-q", "3"]).status, 2);
    assert_eq!(home.say(&["sub", "a/b", "-C", "0"]).status, 2);
    assert_eq!(home.say(&["trace", "-n", "0"]).status, 2);
    assert_eq!(home.say(&["state", "a/#/b"]).status, 2);
}

#[test]
fn completions_are_written_for_each_shell() {
    let home = Home::new(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let said = home.say(&["completions", shell]);
        assert_eq!(said.status, 0);
        assert!(said.out.contains("homerule"), "{shell}");
    }
    assert_eq!(home.say(&["completions", "dos"]).status, 2);
}
