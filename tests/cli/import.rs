//! `homerule import mosquitto`: settings on standard output, what has no counterpart on standard error.

use crate::home::Home;

#[test]
fn a_configuration_of_mosquitto_becomes_settings() {
    let conf = "listener 1883\nallow_anonymous true\nbridge_x 1\nconnection up\naddress a:1883\n";
    let home = Home::new(&[("mosquitto.conf", conf)]);
    let said = home.say(&["import", "mosquitto", "mosquitto.conf"]);
    assert_eq!(said.status, 0);
    assert_eq!(said.out, "broker:\n  listen:\n    - '*:1883'\n  anonymous: true\n");
    assert_eq!(
        said.err,
        "warning: mosquitto.conf:3: `bridge_x 1` isn't known, and was left out\n\
         warning: mosquitto.conf:4: the bridge `up` has no counterpart: to use that broker instead of homerule's own, set `broker.url`\n"
    );
    // What it writes loads.
    home.write("homerule.yaml", &said.out);
    home.write("rules/a.yaml", "rules: { a: { when: a, then: { home/b: 1 } } }\n");
    assert_eq!(home.say(&["check"]).status, 0);
    let missing = home.say(&["import", "mosquitto", "nowhere.conf"]);
    assert_eq!(missing.status, 2);
    assert!(missing.err.starts_with("error: `nowhere.conf` can't be read"), "{}", missing.err);
}
