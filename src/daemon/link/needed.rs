//! What the home needs to hear: the filters that rules, devices and discovery name, and those that the settings ask for.
//!
//! What an expression computes only when it runs is subscribed when it is first read: see `Engine::take_asked`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::analysis::Needs;
use crate::lang::{BrokerSettings, NamedDevices, Settings};
use crate::model::{TopicFilter, is_inner};
use crate::rules::Ruleset;

/// Returns the filters of all that the home needs to hear, with these rules in force and those in the shadow.
pub(in crate::daemon) fn needed(
    settings: &Settings,
    rules: &Ruleset,
    in_shadow: Option<&Ruleset>,
) -> BTreeSet<Arc<str>> {
    let mut needs = Needs::of(rules);
    if let Some(shadow) = in_shadow {
        let of_shadow = Needs::of(shadow);
        needs.filters.extend(of_shadow.filters);
        needs.devices |= of_shadow.devices;
    }
    let mut found = needs.filters;
    let mut add = |filter: &TopicFilter| {
        found.insert(filter.plain().into());
    };
    if needs.devices || settings.named_devices != NamedDevices::default() {
        let filters = settings.discovery.sources.filters();
        filters.iter().filter_map(|filter| TopicFilter::parse(filter).ok()).for_each(|filter| add(&filter));
    }
    settings.devices.iter().for_each(&mut add);
    if let BrokerSettings::External(broker) = &settings.broker {
        broker.subscribe.iter().for_each(&mut add);
    }
    if let Some(recorder) = settings.recorder.as_ref().filter(|recorder| recorder.is_include_written) {
        recorder.include.iter().for_each(&mut add);
    }
    found.retain(|filter| !is_inner(filter));
    // What others ask of us. The topics of rules also say how they are, which is no news to us.
    for entry in &*rules.entries {
        let levels = entry.id().as_str().split('/').count();
        found.insert(format!("homerule/rule/{}set", "+/".repeat(levels)).into());
    }
    found.extend(["homerule/input/#", "homerule/status"].map(Arc::from));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Home, Source, Sources};

    fn home(settings: &str, rules: &str) -> Home {
        let mut sources = Sources::new();
        for (path, text) in [("homerule.yaml", settings), ("rules/a.yaml", rules)] {
            sources.insert(path.into(), Source::Content(text.as_bytes().into()));
        }
        Home::load(&sources)
    }

    fn heard(settings: &str, rules: &str) -> Vec<String> {
        let home = home(settings, rules);
        needed(&home.settings, &home.ruleset, None).iter().map(ToString::to_string).collect()
    }

    const BELL: &str = "rules: { a: { when: bell, then: { log: x } } }";

    #[test]
    fn what_the_settings_ask_for_is_heard_beside_what_rules_read() {
        let own = ["homerule/input/#", "homerule/rule/+/set", "homerule/status"];
        assert_eq!(heard("", BELL), [&["bell"], &own[..]].concat());
        let settings = "broker: { url: mqtt://localhost, subscribe: [more/#] }\ndevices: [home/+device/light]\n\
                        recorder: { include: [kept/+] }\n";
        assert_eq!(heard(settings, BELL), [&["bell", "home/+/light"], &own[..], &["kept/+", "more/#"]].concat());
    }

    #[test]
    fn devices_are_heard_where_rules_or_settings_speak_of_them() {
        let announced = |heard: Vec<String>| heard.iter().any(|filter| filter == "zigbee2mqtt/bridge/devices");
        assert!(!announced(heard("", BELL)));
        assert!(announced(heard("", "rules: { a: { when: bell, then: { set: Lamp, to: { on: true } } } }")));
    }

    #[test]
    fn what_rules_in_the_shadow_read_is_heard_too() {
        let (here, there) = (home("", BELL), home("", "rules: { a: { when: gong, then: { log: x } } }"));
        let heard = needed(&here.settings, &here.ruleset, Some(&there.ruleset));
        assert!(heard.contains("bell") && heard.contains("gong"), "{heard:?}");
    }
}
