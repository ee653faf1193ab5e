//! Which state topic a command topic belongs to, as those who write firmware name them.

use crate::model::{Topic, TopicFilter};

/// Words in which a command topic ends that asks, and commands nothing.
const ASKING: [&str; 3] = ["get", "status", "query"];

/// Levels that say that a topic commands.
const COMMANDING: [&str; 9] = ["set", "command", "commands", "cmnd", "cmd", "control", "ctrl", "write", "rpc"];

/// Levels that say that a topic tells how something is.
const TELLING: [&str; 4] = ["state", "status", "stat", "value"];

/// How many levels one of both may have more.
const MORE: usize = 2;

/// Returns whether a topic looks like one on which something is commanded.
pub(crate) fn is_commanding(topic: &Topic) -> bool {
    topic.as_str().split('/').any(|level| COMMANDING.iter().any(|word| level.eq_ignore_ascii_case(word)))
}

/// Returns whether `command` is a topic that commands what `state` tells: the same topic; `lamp/set` of `lamp`; `lamp/set` of
/// `lamp/state`; `cmnd/lamp/POWER` of `stat/lamp/POWER`.
pub(crate) fn is_command_of(command: &Topic, state: &Topic) -> bool {
    if command == state {
        return true;
    }
    let commands: Vec<&str> = command.as_str().split('/').collect();
    let states: Vec<&str> = state.as_str().split('/').collect();
    if commands.last().is_some_and(|last| ASKING.contains(last)) {
        return false;
    }
    let is = |level: Option<&&str>, words: &[&str]| {
        level.is_some_and(|level| words.iter().any(|word| level.eq_ignore_ascii_case(word)))
    };
    let common = commands.iter().zip(&states).take_while(|(left, right)| left == right).count();
    if common == states.len() {
        let more = commands.get(common..).unwrap_or_default();
        return more.len() <= MORE && more.iter().any(|level| is(Some(level), &COMMANDING));
    }
    if common == commands.len() {
        return states.len() == common + 1 && is(states.last(), &TELLING);
    }
    let differing = commands.iter().zip(&states).filter(|(left, right)| left != right).count();
    let is_first = common == 0 && is(commands.first(), &COMMANDING);
    let is_last = common + 1 == commands.len() && is(commands.last(), &COMMANDING);
    commands.len() == states.len() && differing == 1 && (is_first || is_last)
}

/// Returns the state topics that match `filter` and that `command` may command, where those in `known` have spoken.
pub(crate) fn states_of(command: &Topic, filter: &TopicFilter, known: impl Iterator<Item = Topic>) -> Vec<Topic> {
    if let Some(topic) = filter.as_topic() {
        return if is_command_of(command, &topic) { vec![topic] } else { Vec::new() };
    }
    let mut found: Vec<Topic> = known.filter(|state| filter.matches(state) && is_command_of(command, state)).collect();
    if found.is_empty() {
        let mut text = command.as_str();
        loop {
            if let Ok(topic) = Topic::parse(text)
                && filter.matches(&topic)
            {
                found.push(topic);
                break;
            }
            let Some((shorter, _)) = text.rsplit_once('/') else { break };
            text = shorter;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_belongs_to_the_state_that_it_changes() {
        let is =
            |command: &str, state: &str| is_command_of(&Topic::parse(command).unwrap(), &Topic::parse(state).unwrap());
        for (command, state) in [
            ("zigbee2mqtt/lamp/set", "zigbee2mqtt/lamp"),
            ("zigbee2mqtt/lamp/set/brightness", "zigbee2mqtt/lamp"),
            ("home/hall/lamp/set", "home/hall/lamp/state"),
            ("cmnd/lamp/POWER", "stat/lamp/POWER"),
            ("shellies/plug/relay/0/command", "shellies/plug/relay/0"),
            ("lamp", "lamp"),
        ] {
            assert!(is(command, state), "{command} {state}");
        }
        for (command, state) in [
            ("zigbee2mqtt/lamp/get", "zigbee2mqtt/lamp"),
            ("zigbee2mqtt/lamp/set", "zigbee2mqtt/plug"),
            ("home/hall/lamp/set", "home/attic/lamp/set"),
            ("home/lamp", "home/plug"),
            ("home/hall/notice", "home/hall/lamp"),
            ("zigbee2mqtt/lamp/availability", "zigbee2mqtt/lamp"),
        ] {
            assert!(!is(command, state), "{command} {state}");
        }
    }
}
