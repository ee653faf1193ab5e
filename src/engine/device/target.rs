//! Which devices a trigger or a command means.

use std::sync::Arc;

use crate::engine::core::Core;
use crate::model::{DeviceFilter, Topic, Value, nearest};
use crate::rules::{ActionKind, Condition, ConditionKind, DeviceChoice, DeviceTrigger, TriggerKind};
use crate::script::{KnownDevice, KnownDevices, Named};

/// Returns the topics that hold what a trigger hears, of the devices that are known.
pub(crate) fn topics(devices: &KnownDevices, trigger: &DeviceTrigger) -> Vec<Topic> {
    let found = heard_by(devices, &trigger.devices);
    found.into_iter().filter_map(|device| device.topic(&trigger.property).cloned()).collect()
}

/// Returns the devices that are known and that a trigger hears.
pub(crate) fn heard_by<'a>(devices: &'a KnownDevices, choice: &'a DeviceChoice) -> Vec<&'a Arc<KnownDevice>> {
    match choice {
        DeviceChoice::Names(names) => names
            .iter()
            .filter_map(|name| match devices.find(name) {
                Named::One(device) => Some(device),
                Named::Several(_) | Named::None => None,
            })
            .collect(),
        DeviceChoice::Where(filter) => devices.select(filter).collect(),
    }
}

/// Returns the device that a name means.
///
/// # Errors
/// When it means none, or several; in words.
pub(crate) fn find<'a>(devices: &'a KnownDevices, name: &str) -> Result<&'a Arc<KnownDevice>, String> {
    match devices.find(name) {
        Named::One(device) => Ok(device),
        Named::Several(several) => {
            let labels: Vec<String> = several.iter().map(|device| format!("`{}`", device.label)).collect();
            Err(format!("several devices are called `{name}`: write {}", labels.join(" or ")))
        }
        Named::None => {
            let near = nearest(name, devices.names().map(|name| &**name));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Err(format!("no device is called `{name}`{near}"))
        }
    }
}

/// Returns the devices that the target of a command means, each once; those of a selector by id.
///
/// # Errors
/// When it isn't a target, in words. A name that means none is in the second list, with what is wrong.
pub(crate) fn select(devices: &KnownDevices, target: &Value) -> Result<(Vec<Arc<KnownDevice>>, Vec<String>), String> {
    let (mut found, mut unknown): (Vec<Arc<KnownDevice>>, Vec<String>) = (Vec::new(), Vec::new());
    let names: &[Value] = match target {
        Value::Map(map) => {
            let filter = DeviceFilter::read(map)?;
            found.extend(devices.select(&filter).cloned());
            return Ok((found, unknown));
        }
        Value::List(names) => names,
        one => std::slice::from_ref(one),
    };
    for name in names {
        let Value::Text(name) = name else {
            return Err(format!("`set` takes the name of a device, and this is {}: {name}", name.kind()));
        };
        match find(devices, name) {
            Ok(device) if found.iter().any(|known| known.id == device.id) => {}
            Ok(device) => found.push(Arc::clone(device)),
            Err(why) => unknown.push(why),
        }
    }
    Ok((found, unknown))
}

/// Returns the rules that name a property of a device, in their order.
pub(crate) fn rules_that_name(core: &Core, device: &KnownDevice, property: &str) -> Vec<String> {
    let is_it = |name: &str| *name == *device.id || *name == *device.name || *name == *device.label;
    let is_named = |text: Option<&str>| text.is_some_and(is_it);
    let hears = |trigger: &DeviceTrigger| {
        *trigger.property == *property
            && match &trigger.devices {
                DeviceChoice::Names(names) => names.iter().any(|name| is_it(name)),
                DeviceChoice::Where(filter) => device.is_in(filter),
            }
    };
    let asks = |condition: &Condition| {
        condition.with_inner().into_iter().any(|inner| match &inner.kind {
            ConditionKind::Device(asked) => {
                *asked.property == *property && is_named(asked.device.as_constant().and_then(Value::as_text))
            }
            ConditionKind::Expression(expression) => expression.device_mentions().iter().any(|mention| {
                is_it(&mention.device) && mention.property.as_ref().is_some_and(|(name, _)| **name == *property)
            }),
            _ => false,
        })
    };
    let sets = |kind: &ActionKind| {
        kind.sets().iter().any(|set| {
            is_named(set.target.as_constant().and_then(Value::as_text))
                && matches!(set.to.as_constant(), Some(Value::Map(to)) if to.contains_key(property))
        })
    };
    let names_it = core.live.iter().filter(|(_, live)| {
        let rule = &live.rule;
        rule.triggers().iter().any(|trigger| matches!(&trigger.kind, TriggerKind::Device(trigger) if hears(trigger)))
            || rule.conditions().any(asks)
            || rule.actions().any(|action| sets(&action.kind))
    });
    names_it.map(|(_, live)| format!("`{}`", live.rule.id)).collect()
}
