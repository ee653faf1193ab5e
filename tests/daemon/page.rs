//! The page as a browser gets it, without one.

use super::house::{Answer, House};
use crate::home::Home;

const RULES: &str = "rules:\n  light:\n    name: Light\n    tags: [hall]\n    when: in/+room\n    then: { 'out/${room}': '${payload}' }\n  \
                     slow: { when: slow, then: [{ delay: 1h }, { out/slow: 1 }] }\n  \
                     many: { each: { topic: many/+name }, when: 'many/${name}', then: { 'out/${name}': 1 } }\n";

const HTML: (&str, &str) = ("accept", "text/html");

/// The views, each with something that it shows.
const VIEWS: [(&str, &str); 18] = [
    ("/", "Nothing is wrong."),
    ("/rules", "all:light"),
    ("/rules?text=LIGHT&tag=hall&outcome=finished", "all:light"),
    ("/rules/all:light", "a message on"),
    ("/rules/all%3Alight", "a message on"),
    ("/rules/many", "Made of it"),
    ("/rules/slow?at=20:10", "Ask about another moment"),
    ("/topics", "in/"),
    ("/topics?filter=in/%23", "in/hall"),
    ("/topics?filter=in/%23/x", "isn&#39;t a valid filter"),
    ("/topics/in/hall", "Publish"),
    ("/topics/in%2Fhall?field=a&last=1h", "Publish"),
    ("/timeline?topic=in/hall&last=1h", "all:light"),
    ("/graph", "all:light"),
    ("/graph?rule=light&reach=1", "Rule by rule"),
    ("/graph?topic=in/%23", "in/+"),
    ("/graph?rule=lihgt", "did you mean"),
    ("/try?file=rules/all.yaml", "What would have been different?"),
];

fn busy() -> House {
    let mut house = House::with_rules(RULES);
    for (topic, payload) in [("in/hall", r#"{"a": 1}"#), ("many/one", "1"), ("slow", "1")] {
        let body = format!(r#"{{"topic": "{topic}", "payload": {payload}}}"#);
        assert_eq!(house.ask("POST", "/api/publish", Some(&body)).0, 202);
    }
    house.publication("out/one");
    house
}

fn page(house: &House, path: &str) -> Answer {
    house.exchange("GET", path, &[HTML], None)
}

#[test]
fn each_view_is_there_and_loads_nothing_from_outside() {
    let house = busy();
    for (path, wanted) in VIEWS {
        let said = page(&house, path);
        // Escaping differs in how a quote is written.
        let body = said.body.replace("&#39;", "'");
        assert_eq!(said.status, 200, "{path}: {body}");
        assert!(body.contains(&wanted.replace("&#39;", "'")), "{path} lacks `{wanted}`: {body}");
        assert_eq!(said.header("content-type"), "text/html; charset=utf-8");
        assert!(said.header("content-security-policy").starts_with("default-src 'self';"), "{path}");
        assert!(!body.contains(" style=") && !body.contains("<style"), "{path} has a style in it");
        assert!(!body.contains("<script>") && !body.contains(" onclick="), "{path} has a script in it");
        assert!(!body.contains("://"), "{path} names something outside: {body}");
    }
}

#[test]
fn an_address_that_leads_nowhere_is_a_page_for_people_and_a_problem_for_programs() {
    let house = Home::with(&[]).start();
    for path in ["/nothing", "/rules/nobody", "/runs/7"] {
        let said = page(&house, path);
        assert_eq!((said.status, said.header("content-type")), (404, "text/html; charset=utf-8"), "{path}");
        assert!(said.body.contains("<h1>"), "{}", said.body);
    }
    let said = house.exchange("GET", "/nothing", &[], None);
    assert_eq!((said.status, said.header("content-type")), (404, "application/problem+json"));
    assert_eq!(page(&house, "/api/nothing").header("content-type"), "application/problem+json");
    assert_eq!(page(&house, "/topics/a%2F%2B").status, 400);
}

#[test]
fn the_page_is_small_and_a_browser_keeps_its_files() {
    let house = busy();
    let packed = ("accept-encoding", "gzip");
    let first = house.exchange("GET", "/", &[HTML, packed], None);
    assert_eq!(first.header("content-encoding"), "gzip");
    let mut bytes = first.length;
    for asset in homerule::page::asset::ASSETS {
        let said = house.exchange("GET", &format!("/assets/{}", asset.name), &[packed], None);
        assert_eq!((said.status, said.header("content-type")), (200, asset.kind), "{}", asset.name);
        bytes += said.length;
        let tag = said.header("etag").to_owned();
        let again = house.exchange("GET", &format!("/assets/{}", asset.name), &[("if-none-match", &tag)], None);
        assert_eq!(again.status, 304, "{}", asset.name);
    }
    assert!(bytes < 120 * 1024, "{bytes} bytes");
    assert_eq!(house.exchange("GET", "/assets/..%2Fmod.rs", &[], None).status, 404);
}

#[test]
fn what_comes_from_outside_is_text() {
    let house = House::with_rules(RULES);
    let evil = "<script>alert(1)</script>\\u202e\\u0007\\\"'><img src=x onerror=alert(1)>";
    for topic in ["evil/<script>alert(1)<\\/script>", "evil/\\\" onload=\\\"alert(1)"] {
        let body = format!(r#"{{"topic": "{topic}", "payload": "{evil}", "retain": true}}"#);
        assert_eq!(house.ask("POST", "/api/publish", Some(&body)).0, 202, "{body}");
    }
    let large = format!(r#"{{"topic": "evil/large", "payload": "{}"}}"#, "<b>".repeat(300_000));
    assert_eq!(house.ask("POST", "/api/publish", Some(&large)).0, 202);
    let topics = ["%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%22%20onload%3D%22alert(1)", "large"];
    let of_topics = topics.map(|topic| format!("/topics/evil%2F{topic}"));
    let query = "/topics?filter=%3Cscript%3E".to_owned();
    let rules = "/rules?text=%22%3E%3Cscript%3E".to_owned();
    for path in ["/".to_owned(), "/topics".to_owned(), query, rules].into_iter().chain(of_topics) {
        let said = page(&house, &path);
        assert_eq!(said.status, 200, "{path}");
        let lower = said.body.to_lowercase();
        for forbidden in ["<script>", "<img", "<b>", " onload=\"", "\u{202e}", "\u{7}"] {
            assert!(!lower.contains(forbidden), "{path} has {forbidden:?} in it");
        }
        assert!(said.body.len() < 400_000, "{path} has {} bytes", said.body.len());
    }
}

#[test]
fn a_broken_file_is_on_the_page_and_goes_when_it_is_mended() {
    let mut house = House::with_rules(RULES);
    house.home.write("rules/new.yaml", "rules: { oops: { whne: a/b, then: { c/d: 1 } } }\n");
    house.reloaded();
    let body = page(&house, "/").body;
    assert!(body.contains("rules/new.yaml:1:") && body.contains("did you mean"), "{body}");
    assert!(body.contains("<title>(1) Now"), "{body}");
    assert!(page(&house, "/try?file=rules/new.yaml").body.contains("data-at=\"1:"));
    house.home.write("rules/new.yaml", "rules: { oops: { when: a/b, then: { c/d: 1 } } }\n");
    house.reloaded();
    assert!(page(&house, "/").body.contains("Nothing is wrong."));
}

#[test]
fn a_rule_that_published_is_written_as_a_test() {
    let mut house = House::with_rules(RULES);
    house.ask("POST", "/api/publish", Some(r#"{"topic": "in/hall", "payload": "ON"}"#));
    house.publication("out/hall");
    let said = page(&house, "/test/rules/all%3Alight");
    assert_eq!(said.status, 200, "{}", said.body);
    assert_eq!(said.header("content-disposition"), "attachment; filename=\"all.test.yaml\"");
    house.home.write("rules/all.test.yaml", &said.body);
    let tested = house.home.say(&["test"]);
    assert!(tested.out.contains("1 passed, 0 failed"), "{tested:?}\n{}", said.body);
    assert_eq!(page(&house, "/test/rules/slow").status, 404);
}

#[test]
fn a_large_home_is_drawn_page_by_page_and_a_rule_with_what_is_around_it() {
    let rules: Vec<String> =
        (0..120).map(|index| format!("  r{index}: {{ when: x/{index}, then: {{ y/{index}: 1 }} }}\n")).collect();
    let house = House::with_rules(&format!("rules:\n{}", rules.concat()));
    let drawn = |path: &str| {
        let said = page(&house, path);
        assert_eq!(said.status, 200, "{}", said.body);
        said.body.matches("data-box=").count()
    };
    assert!(page(&house, "/graph").body.contains("Page 1 of 3"));
    assert_eq!(drawn("/graph"), 120, "40 rules with two topics each");
    assert_eq!(drawn("/graph?page=3"), 120);
    assert_eq!(drawn("/graph?rule=r7"), 3);
    assert_eq!(drawn("/graph?topic=x/%23&reach=0"), 120);
    let graph = house.get("/api/graph");
    assert_eq!((graph["boxes"].as_array().unwrap().len(), graph["arrows"].as_array().unwrap().len()), (360, 240));
    let few = house.get("/api/graph?most=10");
    assert_eq!((few["boxes"].as_array().unwrap().len(), few["left_out"].as_u64()), (10, Some(350)));
    let one = house.get("/api/graph?rule=r7&reach=1");
    assert_eq!(one["boxes"][1]["name"], "x/7");
    assert_eq!((&one["arrows"][0]["kind"], &one["arrows"][1]["kind"]), (&"writes".into(), &"wakes".into()));
    assert_eq!(house.ask("GET", "/api/graph?rule=r777", None).0, 404);
    assert_eq!(house.ask("GET", "/api/graph?topic=a/%23/b", None).0, 400);
}

#[test]
fn what_devices_and_inputs_are_is_no_topic() {
    let device = "devices: [ { name: Sensor, state: home/sensor, properties: { t: { path: temp } } } ]\n";
    let settings = format!("{}{device}", crate::home::SETTINGS);
    let rules = "inputs: { guests: { type: toggle, default: false } }\n";
    let house = Home::with(&[("homerule.yaml", &settings), ("rules/all.yaml", rules)]).start();
    let said = r#"{"topic": "home/sensor", "payload": {"temp": 7}}"#;
    assert_eq!(house.ask("POST", "/api/publish", Some(said)).0, 202);
    assert!(page(&house, "/devices/Sensor").body.contains(">7"), "it is known");
    for (path, shown) in [("/topics", "homerule/"), ("/topics?filter=%23", "home/sensor")] {
        let body = page(&house, path).body;
        assert!(body.contains(shown) && !body.contains("$device") && !body.contains("$input"), "{path}: {body}");
    }
}

#[test]
fn what_was_too_large_to_keep_is_said_to_be_so_everywhere() {
    let settings = format!("{}limits: {{ payload: 1KiB }}\n", crate::home::SETTINGS);
    let rules = "rules:\n  of-words: { when: home/ask, if: { state: cam/door, is: clear }, then: { x/words: 1 } }\n  \
                 of-numbers: { when: home/ask, if: { state: cam/door, field: level, above: 3 }, then: { x/numbers: 1 } }\n";
    let files = [("homerule.yaml", settings.as_str()), ("rules/all.yaml", RULES), ("rules/cam.yaml", rules)];
    let house = Home::with(&files).start();
    let large = format!(r#"{{"topic": "cam/door", "payload": "{}"}}"#, "x".repeat(2000));
    assert_eq!(house.ask("POST", "/api/publish", Some(&large)).0, 202);
    let told = "(too large to keep: 2000 bytes)";
    for path in ["/", "/topics", "/topics?filter=cam/%23", "/topics/cam/door"] {
        let body = page(&house, path).body;
        assert!(body.contains(told) && !body.contains("(empty)"), "{path}: {body}");
    }
    let url = format!("http://{}", house.web);
    let said = house.home.say(&["state", "--url", &url]);
    assert!(said.out.contains(told), "{said:?}");
    let recent = house.get("/api/now")["recent"][0].clone();
    assert_eq!((&recent["payload"], &recent["bytes"]), (&"".into(), &2000.into()));
    assert_eq!(house.ask("POST", "/api/publish", Some(r#"{"topic": "home/ask", "payload": "1"}"#)).0, 202);
    for rule in ["of-words", "of-numbers"] {
        let said = house.home.say(&["why-not", rule, "--url", &url]);
        assert!(said.out.contains("what `cam/door` said was too large to keep: 2 KiB"), "{rule}: {said:?}");
        assert!(!said.out.contains("no value"), "{rule}: {said:?}");
    }
}
