//! Who may ask beyond loopback, and how one signs in.

use super::house::House;
use crate::home::Home;

const TOKEN: &str = "0123456789abcdef-token";

const HTML: (&str, &str) = ("accept", "text/html");

fn guarded() -> House {
    let home = Home::with(&[]);
    home.write(
        "homerule.yaml",
        "broker: { listen: \"127.0.0.1:0\" }\nweb: { listen: \"0.0.0.0:0\", token_file: token.txt }\n",
    );
    home.write("token.txt", &format!("{TOKEN}\n"));
    home.start()
}

/// Signs in, and returns the cookie.
fn sign_in(house: &House) -> String {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let said = house.exchange("POST", "/login", &[form], Some(&format!("token={TOKEN}&back=%2Frules%3Ftext%3Da")));
    assert_eq!((said.status, said.header("location")), (303, "/rules?text=a"), "{}", said.body);
    let cookie = said.header("set-cookie");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(TOKEN), "the token itself isn't in the cookie");
    cookie.split(';').next().unwrap().to_owned()
}

#[test]
fn beyond_loopback_a_page_asks_for_the_token_and_a_program_is_told_so() {
    let house = guarded();
    let said = house.exchange("GET", "/rules?text=a", &[HTML], None);
    assert_eq!(said.status, 401);
    assert!(said.body.contains("name=\"token\"") && said.body.contains("value=\"/rules?text=a\""), "{}", said.body);
    let said = house.exchange("GET", "/api/now", &[], None);
    assert_eq!((said.status, said.header("content-type")), (401, "application/problem+json"));
    assert_eq!(house.exchange("GET", "/healthz", &[], None).status, 200);
    assert_eq!(house.exchange("GET", "/assets/page.css", &[], None).status, 200);
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(house.exchange("GET", "/api/now", &[("authorization", &bearer)], None).status, 200);
}

#[test]
fn who_signs_in_may_look_and_only_the_page_may_change_something_for_them() {
    let mut house = guarded();
    let cookie = sign_in(&house);
    let cookie = ("cookie", cookie.as_str());
    let said = house.exchange("GET", "/", &[HTML, cookie], None);
    assert!(said.status == 200 && said.body.contains("Sign out"), "{}", said.body);
    let host = format!("http://{}", house.web);
    let json = ("content-type", "application/json");
    let body = Some(r#"{"topic": "a/b", "payload": 1}"#);
    for (headers, expected) in [
        (vec![cookie, json], 403),
        (vec![cookie, json, ("origin", "http://evil.example")], 403),
        (vec![cookie, json, ("sec-fetch-site", "cross-site")], 403),
        (vec![cookie, json, ("origin", host.as_str())], 202),
        (vec![cookie, json, ("sec-fetch-site", "same-origin")], 202),
    ] {
        assert_eq!(house.exchange("POST", "/api/publish", &headers, body).status, expected, "{headers:?}");
    }
    let said = house.exchange("POST", "/logout", &[cookie, ("origin", host.as_str())], None);
    assert!(said.status == 303 && said.header("set-cookie").contains("Max-Age=0"), "{}", said.body);
    let log = house.end("TERM");
    assert!(log.contains("POST /api/publish") && log.contains("the page"), "who changed something is logged: {log}");
}

#[test]
fn one_is_not_led_to_another_site() {
    let house = guarded();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let said = house.exchange("POST", "/login", &[form], Some(&format!("token={TOKEN}&back=%2F%2Fevil.example")));
    assert_eq!((said.status, said.header("location")), (303, "/"));
    let from_elsewhere = [form, ("origin", "http://evil.example")];
    assert_eq!(house.exchange("POST", "/login", &from_elsewhere, Some(&format!("token={TOKEN}"))).status, 403);
}

#[test]
fn after_ten_wrong_tokens_one_has_to_wait() {
    let house = guarded();
    let cookie = sign_in(&house);
    let form = ("content-type", "application/x-www-form-urlencoded");
    for _ in 0..5 {
        assert_eq!(house.exchange("POST", "/login", &[form], Some("token=wrong")).status, 401);
        assert_eq!(house.exchange("GET", "/api/now", &[("authorization", "Bearer wrong")], None).status, 401);
    }
    let said = house.exchange("GET", "/api/now", &[("authorization", "Bearer wrong")], None);
    assert_eq!((said.status, said.header("retry-after")), (429, "60"));
    assert_eq!(house.exchange("POST", "/login", &[form], Some(&format!("token={TOKEN}"))).status, 429);
    assert_eq!(house.exchange("GET", "/api/now", &[("cookie", &cookie)], None).status, 200, "who is in stays in");
}
