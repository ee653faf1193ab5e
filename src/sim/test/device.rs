//! Steps and expectations of tests that name devices.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::devices::{CommandError, CommandOptions, Device, Found, Registry, SayError};
use crate::engine::Engine;
use crate::explain::{LineKind, Report};
use crate::lang::test_file::{DeviceSays, Expected, ExpectedSet, InputStep, Obeying};
use crate::model::{Map, Message, Name, Origin, Payload, Qos, Topic, Value, nearest};
use crate::sim::home::{Published, VirtualHome};

/// Lets a device say something.
///
/// # Errors
/// When it isn't known, or can't say it; in words.
pub(super) fn say(world: &mut VirtualHome, step: &DeviceSays) -> Result<(), String> {
    let device = find(world.engine().registry(), &step.device)?;
    let mut messages: Vec<(Topic, Payload, bool)> = Vec::new();
    if let Some(available) = step.available {
        let said = device.says_available(available);
        if said.is_empty() {
            return Err(format!("nothing says whether `{}` can be reached", device.name));
        }
        messages.extend(said.into_iter().map(|(topic, payload)| (topic, payload, true)));
    }
    if !step.says.is_empty() {
        let said = world.says(&device, &step.says).map_err(|errors| in_words(&errors))?;
        messages.extend(said.into_iter().map(|(topic, payload)| (topic, payload, false)));
    }
    for (topic, payload, retain) in messages {
        world.publish(Message {
            topic,
            payload,
            qos: Qos::AtLeastOnce,
            retain,
            origin: Origin::Live,
            expires_at: None,
        });
    }
    Ok(())
}

/// Checks what inputs are said to be at the start.
///
/// # Errors
/// When there is no such input, or it can't be that; in words.
pub(super) fn check_given(engine: &Engine, given: &[(Name, Value)]) -> Result<(), String> {
    for (name, value) in given {
        let Some(input) = engine.inputs().get(name) else {
            return Err(format!("`given_inputs` names `{name}`, and there is no such input"));
        };
        input.kind.accept(value).map_err(|why| format!("the input `{name}` of `given_inputs` {why}"))?;
    }
    Ok(())
}

/// Checks that the devices that obey are known.
///
/// # Errors
/// When one isn't; in words.
pub(super) fn check_obeying(world: &VirtualHome) -> Result<(), String> {
    let Obeying::Some(names) = world.obeying() else { return Ok(()) };
    let registry = world.engine().registry();
    let unknown = names.iter().find(|name| matches!(registry.find(name), Found::None(_)));
    unknown.map_or(Ok(()), |name| Err(format!("`obey` names `{name}`, and no device is called so")))
}

fn in_words(errors: &[SayError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn find(registry: &Registry, name: &str) -> Result<Arc<Device>, String> {
    match registry.find(name) {
        Found::One(device) => Ok(Arc::clone(device)),
        Found::Several(several) => {
            let labels: Vec<String> = several.iter().map(|device| format!("`{}`", registry.label(device))).collect();
            Err(format!("several devices are called `{name}`: write {}", labels.join(" or ")))
        }
        Found::None(Some(near)) => Err(format!("no device is called `{name}`; did you mean `{near}`?")),
        Found::None(None) => {
            Err(format!("no device is called `{name}`: `homerule devices --save` keeps those that are there for tests"))
        }
    }
}

/// Compares what devices were told with what was expected. `published` are the publications that nothing has accounted for, each
/// with its number. Returns the numbers of those that are accounted for now.
///
/// # Errors
/// When it isn't just that: the message, and both side by side.
pub(super) fn compare(
    expected: &Expected<ExpectedSet>,
    published: &[(usize, &Published)],
    world: &VirtualHome,
) -> Result<Vec<usize>, (String, Report)> {
    let registry = world.engine().registry();
    let commands: Vec<(usize, &Published)> = published
        .iter()
        .filter(|(_, published)| !registry.commanded_devices(&published.publication.message.topic).is_empty())
        .copied()
        .collect();
    let (list, in_order) = match expected {
        Expected::InOrder(list) => (list, true),
        Expected::AnyOrder(list) => (list, false),
    };
    let plain = |message: String| (message, Report::default());
    let mut accounted: BTreeSet<usize> = BTreeSet::new();
    let mut missing: Vec<String> = Vec::new();
    let mut behind = 0;
    for told in list {
        let device = find(registry, &told.device).map_err(plain)?;
        let known = |property: &str| world.said(&device, property);
        let command = device.command(&told.values, &known, CommandOptions::default());
        let command = command.map_err(|errors| plain(in_words_of(&errors)))?;
        let mut found = Vec::new();
        for wanted in &command.publications {
            let is_it = |(index, published): &&(usize, &Published)| {
                let message = &published.publication.message;
                let is_free = !accounted.contains(index) && !found.contains(index) && (!in_order || *index >= behind);
                is_free && message.topic == wanted.topic && message.payload.value() == wanted.payload.value()
            };
            found.extend(commands.iter().find(is_it).map(|(index, _)| *index));
        }
        if found.len() == command.publications.len() && !found.is_empty() {
            behind = found.iter().max().map_or(behind, |last| last + 1);
            accounted.extend(found);
        } else {
            missing.push(line(&device.name, &told.values));
        }
    }
    let others: Vec<&(usize, &Published)> = commands.iter().filter(|(index, _)| !accounted.contains(index)).collect();
    if missing.is_empty() && others.is_empty() {
        return Ok(accounted.into_iter().collect());
    }
    let told: Vec<String> = others.iter().map(|(_, published)| read_back(registry, published, world)).collect();
    let message = match (missing.len(), told.len()) {
        (0, 1) => "a device was told something that wasn't expected".to_owned(),
        (0, _) => "devices were told what wasn't expected".to_owned(),
        (_, 0) => "devices weren't told what was expected".to_owned(),
        _ => "devices were told something else".to_owned(),
    };
    let mut report = Report::default();
    for line in &missing {
        report.add(LineKind::Missing, format!("- {line}"));
    }
    for line in &told {
        report.add(LineKind::Unexpected, format!("+ {line}"));
    }
    Err((message, report))
}

fn in_words_of(errors: &[CommandError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn line(device: &str, values: &Map) -> String {
    format!("{device}: {}", Value::Map(Arc::new(values.clone())))
}

/// Returns a command in the words of rules, with the message that it was.
fn read_back(registry: &Registry, published: &Published, world: &VirtualHome) -> String {
    let message = &published.publication.message;
    let at = world.clock().text(published.at);
    let commanded = registry.commanded(&message.topic, &message.payload);
    let names: Vec<Arc<str>> =
        registry.commanded_devices(&message.topic).iter().map(|device| registry.label(device)).collect();
    let mut values = Map::default();
    for reading in commanded {
        values.insert(reading.property, reading.value);
    }
    let text = message.payload.text().unwrap_or("(binary)");
    let rule = &published.publication.rule;
    format!("{} ({} {text}) at {at} by {rule}", line(&names.join(", "), &values), message.topic)
}

/// Somebody sets inputs.
pub(super) fn input(world: &mut VirtualHome, InputStep(values): &InputStep) -> Result<(), (String, Report)> {
    for (name, value) in values {
        let Some(input) = world.engine().inputs().get(name).cloned() else {
            let known: Vec<&str> = world.engine().inputs().keys().map(|name| &**name).collect();
            let near = nearest(name, known.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
            let message = format!("there is no input `{name}`{}", near.unwrap_or_default());
            return Err((message, Report::default()));
        };
        let value = input.kind.accept(value).map_err(|why| (format!("the input `{name}` {why}"), Report::default()))?;
        let payload = Payload::from_value(&input.kind.wire(&value));
        if let Ok(topic) = Topic::parse(&format!("homerule/input/{name}/set")) {
            world.publish(Message {
                topic,
                payload,
                qos: Qos::AtLeastOnce,
                retain: false,
                origin: Origin::Live,
                expires_at: None,
            });
        }
    }
    Ok(())
}
