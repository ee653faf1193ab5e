//! Which settings take effect only at a start.

use crate::lang::Settings;

/// Returns the keys of homerule.yaml that differ and that the running daemon can't take over.
pub(super) fn needs_restart(before: &Settings, after: &Settings) -> Vec<&'static str> {
    let Settings {
        location,
        zone,
        data,
        rules,
        broker,
        instance,
        topic_prefix,
        web,
        // Taken over at once.
        devices: _,
        calendars: _,
        allow: _,
        recorder: _,
        trace_memory: _,
        discovery,
        named_devices,
        name,
        targets: _,
        secrets: _,
        at_most: _,
        limits,
        // Compared with one another.
        chain: _,
        storm: _,
        runs: _,
        samples: _,
        payload: _,
        ignored,
        shadow,
    } = before;
    let differs = [
        ("location", *location != after.location || *zone != after.zone),
        ("data", *data != after.data),
        ("rules", *rules != after.rules),
        ("broker", *broker != after.broker),
        ("instance", *instance != after.instance),
        ("topic_prefix", *topic_prefix != after.topic_prefix),
        ("web", *web != after.web),
        ("discovery", *discovery != after.discovery),
        ("name", *name != after.name),
        ("devices", *named_devices != after.named_devices),
        ("limits", *limits != after.limits || counts(before) != counts(after)),
        ("values", *ignored != after.ignored),
        ("shadow", *shadow != after.shadow),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}

fn counts(settings: &Settings) -> (u32, usize, usize, usize, usize) {
    (settings.chain, settings.storm, settings.runs, settings.samples, settings.payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_key_is_named_and_one_that_is_taken_over_is_not() {
        let before = Settings::default();
        let mut after = Settings { chain: 3, ..Settings::default() };
        after.allow.exec.push("true".into());
        assert_eq!(needs_restart(&before, &after), ["limits"]);
    }
}
