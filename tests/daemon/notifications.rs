//! Notifications as they leave: to servers that stand in for ntfy, Telegram and others (docs/notifications.md).

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::house::{House, until};
use super::stub::{Stub, answer};
use super::survival::{kept, publish};
use crate::home::{Home, SETTINGS};

/// Rules that tell what a message says, and one with buttons.
const RULES: &str = "rules:
  tell: { when: tell/+who, then: [ { notify: \"${who}\", title: Home, message: \"${msg}\", priority: 4, tags: [warning] }, { to/told: \"${msg}\" } ] }
  ask:
    when: ask/+who
    then: { notify: \"${who}\", message: \"${msg}\", buttons: [ { text: Open it, webhook: open gate }, { text: \"No\", webhook: leave } ] }
  open: { when: { webhook: open gate }, then: { to/gate: \"${msg.target}: ${msg.text} by ${msg.from ?? 'nobody'}\" } }
  leave: { when: { webhook: leave }, then: { to/gate: left } }
  heard: { when: { topic: homerule/alert, payload: { kind: not_delivered } }, then: { to/alert: \"${msg.message}\" } }
";

/// Returns a home with these targets, and with what else stands in its settings.
fn home(notify: &str, more: &str) -> Home {
    let home = Home::with(&[("rules/all.yaml", RULES)]);
    home.write("ntfy.txt", "tk_secret_token\n");
    home.write("homerule.yaml", &format!("{SETTINGS}{more}notify:\n{notify}"));
    home
}

fn house(notify: &str) -> House {
    home(notify, "").start()
}

/// Returns a part of a URL behind its host.
fn path_of(url: &Value) -> String {
    let url = url.as_str().unwrap();
    url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap()
}

#[test]
fn ntfy_is_told_in_its_own_words_and_a_button_works_once() {
    let ntfy = Stub::start(|_| answer(200, "", r#"{"id":"x"}"#));
    let target = format!("  phone: {{ ntfy: \"{}\", token: {{ file: ntfy.txt }} }}\n", ntfy.url("/my-home"));
    let home = home(&target, "");
    // With a token, nobody but who has a button's key gets in without it.
    home.write("token.txt", "0123456789abcdef");
    let settings = std::fs::read_to_string(home.file("homerule.yaml")).unwrap();
    let web = "public_url: \"https://home.example/there/\", token_file: token.txt";
    home.write("homerule.yaml", &settings.replace("web: { ", &format!("web: {{ {web}, ")));
    let mut house = home.start();
    publish(&house, "tell/phone", "The washing is done.");
    let told = ntfy.next();
    assert_eq!((told.method.as_str(), told.path.as_str()), ("POST", "/"));
    assert!(told.head.to_lowercase().contains("authorization: bearer tk_secret_token"), "{}", told.head);
    let wanted = json!({ "topic": "my-home", "title": "Home", "message": "The washing is done.", "priority": 4, "tags": ["warning"] });
    assert_eq!(told.json(), wanted);
    publish(&house, "ask/phone", "Who is there?");
    let asked = ntfy.next().json();
    let actions = asked["actions"].as_array().unwrap();
    assert_eq!((actions.len(), &actions[0]["action"], &actions[0]["label"]), (2, &json!("http"), &json!("Open it")));
    assert!(actions[0]["url"].as_str().unwrap().starts_with("https://home.example/there/hook/open%20gate?key="));
    // A proxy serves the home below `/there`.
    let path = path_of(&actions[0]["url"]).replacen("/there", "", 1);
    let press = |path: &str| house.exchange("POST", path, &[("host", "home.example")], None).status;
    assert_eq!(press(&path.replace("key=", "key=0")), 410, "another key");
    assert_eq!(press(&path.replace("open%20gate", "leave")), 410, "another webhook");
    assert_eq!(press("/hook/leave"), 401, "no key");
    assert_eq!(press(&path), 202);
    assert_eq!(press(&path), 410, "a second time");
    assert_eq!(house.publication("to/gate")["payload"], "phone: Open it by nobody");
    let path = path_of(&actions[1]["url"]).replacen("/there", "", 1);
    house.end("KILL");
    house.begin();
    let status = house.exchange("POST", &path, &[], None).status;
    assert_eq!(status, 202, "a button outlives the daemon");
    assert_eq!(house.publication("to/gate")["payload"], "left");
}

#[test]
fn a_request_and_a_topic_are_told_what_their_texts_say() {
    let pager = Stub::start(|_| answer(204, "", ""));
    let display = "  display: { publish: home/display/set, payload: { text: \"${message}\" }, retain: true }\n";
    let target = format!(
        "  pager: {{ http: {{ method: PUT, url: \"{}/${{priority}}\", headers: {{ X-Key: {{ file: ntfy.txt }} }}, \
         body: {{ text: \"${{title}}: ${{message}}\", tags: \"${{tags}}\" }} }} }}\n  \
         plain: {{ http: {{ url: \"{}\" }} }}\n{display}",
        pager.url("/hook"),
        pager.url("/plain")
    );
    let mut house = house(&target);
    publish(&house, "tell/pager", "Water!");
    let told = pager.next();
    assert_eq!((told.method.as_str(), told.path.as_str()), ("PUT", "/hook/4"));
    assert!(told.head.to_lowercase().contains("x-key: tk_secret_token"), "{}", told.head);
    assert_eq!(told.json(), json!({ "text": "Home: Water!", "tags": ["warning"] }));
    publish(&house, "tell/plain", "Water!");
    let told = pager.next().json();
    assert_eq!((&told["title"], &told["message"], &told["priority"]), (&json!("Home"), &json!("Water!"), &json!(4)));
    publish(&house, "tell/display", "Water!");
    assert_eq!(house.publication("home/display/set")["payload"], r#"{"text":"Water!"}"#);
}

#[test]
fn telegram_is_told_and_asked_for_answers_only_while_one_may_come() {
    let pressed: Arc<Mutex<Option<String>>> = Arc::default();
    let said = Arc::clone(&pressed);
    let telegram = Stub::start(move |asked| {
        if !asked.path.ends_with("/getUpdates") {
            return answer(200, "", r#"{"ok":true,"result":{}}"#);
        }
        let offset = asked.json()["offset"].as_i64();
        let Some(key) = said.lock().unwrap().clone().filter(|_| offset.is_none()) else {
            // Telegram answers late where it has nothing to tell.
            std::thread::sleep(Duration::from_millis(20));
            return answer(200, "", r#"{"ok":true,"result":[]}"#);
        };
        let query = json!({ "id": "77", "from": { "first_name": "Anna" }, "data": key });
        // The same press twice, and one that nobody knows.
        let results = json!([
            { "update_id": 5, "callback_query": query }, { "update_id": 6, "callback_query": query },
            { "update_id": 7, "callback_query": { "id": "78", "from": {}, "data": "nonsense" } }, { "update_id": 8 }
        ]);
        answer(200, "", &json!({ "ok": true, "result": results }).to_string())
    });
    let target =
        format!("  family: {{ telegram: {{ token: \"12:secret\", chat: -100123, api: \"{}\" }} }}\n", telegram.url(""));
    let mut house = house(&target);
    publish(&house, "tell/family", "Dinner!");
    let told = telegram.next();
    assert_eq!((told.method.as_str(), told.path.as_str()), ("POST", "/bot12:secret/sendMessage"));
    let told = told.json();
    assert_eq!((&told["chat_id"], &told["text"]), (&json!("-100123"), &json!("Home\nDinner!")));
    assert_eq!(told["entities"], json!([{ "type": "bold", "offset": 0, "length": 4 }]));
    publish(&house, "ask/family", "Who is there?");
    let asked = telegram.next();
    assert_eq!(asked.path, "/bot12:secret/sendMessage", "nobody is asked before a button is shown");
    let rows = asked.json()["reply_markup"]["inline_keyboard"].clone();
    assert_eq!((&rows[0][0]["text"], &rows[1][0]["text"]), (&json!("Open it"), &json!("No")));
    let updates = telegram.next();
    assert_eq!(updates.path, "/bot12:secret/getUpdates");
    assert_eq!(updates.json()["allowed_updates"], json!(["callback_query"]));
    *pressed.lock().unwrap() = Some(rows[0][0]["callback_data"].as_str().unwrap().to_owned());
    assert_eq!(house.publication("to/gate")["payload"], "family: Open it by Anna");
    let mut answered = Vec::new();
    until("that the presses are answered", || {
        answered.extend(telegram.so_far().into_iter().filter(|asked| asked.path.ends_with("answerCallbackQuery")));
        answered.len() == 3
    });
    let texts: Vec<bool> = answered.iter().map(|asked| asked.json()["text"].is_null()).collect();
    assert_eq!(texts, [true, false, false], "who comes too late is told so");
    let next = telegram.next();
    assert_eq!(next.json()["offset"], 9, "what was heard is not told again");
    // The other button, which the page of the home may press too.
    let key = rows[1][0]["callback_data"].as_str().unwrap();
    assert_eq!(house.ask("POST", &format!("/hook/leave?key={key}"), None).0, 202);
    until("that nobody is asked any more", || {
        telegram.so_far();
        let quiet = Instant::now();
        while quiet.elapsed() < Duration::from_millis(300) {
            if !telegram.so_far().is_empty() {
                return false;
            }
            std::thread::yield_now();
        }
        true
    });
}

#[test]
fn a_kill_while_it_is_tried_again_loses_nothing_and_doubles_nothing() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut house = house(&format!("  phone: {{ ntfy: \"http://{address}/my-home\" }}\n"));
    publish(&house, "tell/phone", "Water!");
    assert_eq!(house.publication("to/told")["payload"], "Water!", "the rule goes on");
    until("that it waits on the disk", || kept(&house, "notice/00000000000000000001").contains("Water!"));
    until("a second attempt", || house.get("/api/status")["notifications"]["attempts"].as_u64() > Some(1));
    house.end("KILL");
    let ntfy = Stub::at(address, |_| answer(200, "", ""));
    house.begin();
    assert_eq!(ntfy.next().json()["message"], "Water!");
    until("that it is delivered", || house.get("/api/status")["notifications"]["delivered"] == 1);
    until("that it's forgotten", || kept(&house, "notice/00000000000000000001").is_empty());
    house.end("TERM");
    house.begin();
    publish(&house, "tell/phone", "Fire!");
    assert_eq!(ntfy.next().json()["message"], "Fire!", "the first one isn't told again");
    assert_eq!(ntfy.so_far().len(), 0);
}

#[test]
fn what_is_not_delivered_is_told_everywhere_and_no_secret_is() {
    let busy = Stub::start(|_| answer(503, "", "tk_secret_token"));
    let target =
        format!("  phone: {{ ntfy: \"{}\", token: {{ file: ntfy.txt }}, give_up: 2s }}\n", busy.url("/my-home"));
    let mut house = house(&target);
    publish(&house, "tell/phone", "Water! tk_secret_token");
    let alert = house.publication("to/alert");
    let text = alert["payload"].as_str().unwrap();
    assert!(
        text.starts_with("the notification \"Water! •••\" to `phone` wasn't delivered: given up after 2s and "),
        "{text}"
    );
    assert!(text.ends_with("; at the last one: it answered 503"), "{text}");
    assert!(busy.so_far().len() > 1);
    let status = house.get("/api/status")["notifications"].clone();
    assert_eq!((&status["given_up"], &status["waiting"]), (&json!(1), &json!(0)), "{status}");
    assert_eq!(status["undelivered"][0]["message"], "Water! •••");
    let now = house.get("/api/now")["wrong"].clone();
    assert_eq!((&now[0]["kind"], &now[0]["rule"]), (&json!("notification"), &json!("all:tell")), "{now}");
    let page = house.ask("GET", "/inputs", None).1;
    assert!(page.contains("weren't delivered") && page.contains("Water! •••"), "{page}");
    let metrics = house.ask("GET", "/metrics", None).1;
    assert!(metrics.contains("\nhomerule_notifications_given_up_total 1\n"), "{metrics}");
    let traces = house.ask("GET", "/api/traces", None).1;
    assert!(traces.contains("phone: Home: Water! •••"), "{traces}");
    let said = house.end("TERM");
    house.begin();
    assert_eq!(house.get("/api/status")["notifications"]["undelivered"][0]["target"], "phone", "after a restart too");
    for text in [said, page, metrics, traces, status.to_string(), now.to_string(), house.end("TERM")] {
        assert!(!text.contains("tk_secret_token"), "{text}");
    }
}

#[test]
fn who_asks_us_to_wait_is_waited_for_and_others_are_told_meanwhile() {
    let count = AtomicUsize::new(0);
    let first: Arc<Mutex<Option<Instant>>> = Arc::default();
    let (begun, asked_again) = (Arc::clone(&first), Arc::new(Mutex::new(None)));
    let again = Arc::clone(&asked_again);
    let limited = Stub::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => {
            *begun.lock().unwrap() = Some(Instant::now());
            answer(429, "retry-after: 3\r\n", "")
        }
        _ => {
            *again.lock().unwrap() = Some(Instant::now());
            answer(200, "", "")
        }
    });
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let well = Stub::start(|_| answer(200, "", ""));
    let target = format!(
        "  limited: {{ ntfy: \"{}\" }}\n  silent: {{ ntfy: \"http://{}/x\" }}\n  well: {{ ntfy: \"{}\" }}\n",
        limited.url("/x"),
        silent.local_addr().unwrap(),
        well.url("/x")
    );
    let house = house(&target);
    for _ in 0..20 {
        publish(&house, "tell/silent", "x");
    }
    publish(&house, "tell/limited", "x");
    publish(&house, "tell/well", "x");
    assert_eq!(well.next().json()["message"], "x");
    limited.next();
    limited.next();
    let waited = asked_again.lock().unwrap().unwrap() - first.lock().unwrap().unwrap();
    assert!(waited >= Duration::from_secs(3), "{waited:?}");
}

#[test]
fn a_target_that_answers_nonsense_disturbs_nothing() {
    let far = Stub::start(|_| answer(200, "", ""));
    let elsewhere = far.url("/elsewhere");
    let odd = Stub::start(move |asked| match asked.path.as_str() {
        "/redirect/" => answer(302, &format!("location: {elsewhere}\r\n"), ""),
        "/large/" => answer(200, "", &"x".repeat(10 << 20)),
        "/garbage/" => "\u{1}\u{2} nothing that HTTP knows\r\n\r\n".to_owned(),
        _ => answer(200, "content-type: application/json\r\n", "{\"ok\": [[[[[[ nonsense"),
    });
    let targets = ["redirect", "large", "garbage", "json"]
        .map(|name| format!("  {name}: {{ ntfy: \"{}\", give_up: 2s }}\n", odd.url(&format!("/{name}/x"))));
    let bot = format!("  bot: {{ telegram: {{ token: t, chat: 1, api: \"{}\" }} }}\n", odd.url(""));
    let mut house = house(&format!("{}{bot}", targets.concat()));
    for name in ["redirect", "large", "garbage", "json", "bot"] {
        publish(&house, &format!("tell/{name}"), "x");
    }
    let mut told = [house.publication("to/alert"), house.publication("to/alert")]
        .map(|alert| alert["payload"].as_str().unwrap().to_owned());
    told.sort();
    assert!(told[0].contains("`garbage` wasn't delivered: given up after "), "{told:?}");
    assert!(
        told[1].ends_with("`redirect` wasn't delivered: it answered 302, a redirect, which isn't followed"),
        "{told:?}"
    );
    assert_eq!(house.get("/api/status")["notifications"]["delivered"], 3);
    assert_eq!(far.so_far().len(), 0);
}

#[test]
fn a_thousand_at_once_are_delivered_one_by_one_and_one_rule_leaves_room() {
    let ntfy = Stub::start(|_| answer(200, "", ""));
    let home = home(&format!("  phone: {{ ntfy: \"{}\" }}\n", ntfy.url("/x")), "");
    home.write(
        "rules/flood.yaml",
        "rules: { flood: { when: flood, then: { repeat: { times: 1000 }, do: { notify: phone, message: \"${repeat.index}\" } } } }\n",
    );
    let house = home.start();
    publish(&house, "flood", "x");
    publish(&house, "tell/phone", "Water!");
    let messages: Vec<String> = (0..1001).map(|_| ntfy.next().json()["message"].as_str().unwrap().to_owned()).collect();
    let place = messages.iter().position(|message| message == "Water!").unwrap();
    assert!(place < 900, "another rule waits for its turn, and not for all of them: {place}");
    let flood: Vec<usize> = messages.iter().filter_map(|message| message.parse().ok()).collect();
    assert_eq!(flood, (1..=1000).collect::<Vec<_>>(), "each once, in order");
}
