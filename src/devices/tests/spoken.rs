//! What is said and what is sent fit each other, for thousands of real models.
//!
//! `tests/tools/zigbee_exposes.cjs` writes the fixture from the definitions that zigbee2mqtt uses.

use super::*;
use crate::devices::codec::Codec;

const MODELS: &str = include_str!("../../../tests/fixtures/devices/zigbee2mqtt_devices.jsonl");

fn models() -> Vec<std::sync::Arc<Device>> {
    let mut home = Home::new();
    let list = MODELS.lines().skip(1).collect::<Vec<_>>().join(",");
    home.note("zigbee2mqtt/bridge/devices", &format!("[{list}]"));
    home.registry.devices().cloned().collect()
}

/// Returns values that a property takes.
fn samples(property: &Property) -> Vec<Value> {
    match &property.holds {
        Holds::Boolean | Holds::Sound => vec![true.into(), false.into()],
        Holds::Number(range) => {
            let (min, max) = (range.min.unwrap_or(0.0), range.max.unwrap_or(100.0));
            [min, max, f64::midpoint(min, max).round()]
                .into_iter()
                .filter(|number| range.contains(*number))
                .map(Value::Float)
                .collect()
        }
        Holds::Words(words) => {
            let words =
                property.write.as_ref().filter(|write| !write.words.is_empty()).map_or(words, |write| &write.words);
            words.iter().map(|word| Value::Text(word.clone())).collect()
        }
        Holds::Color => vec!["#ff8000".into(), "#0000ff".into()],
        Holds::Text | Holds::Any | Holds::Event(_) | Holds::Press | Holds::Duration => Vec::new(),
    }
}

#[test]
fn every_model_is_read() {
    let devices = models();
    assert!(devices.len() > 250, "{}", devices.len());
    for device in &devices {
        let told: Vec<_> =
            device.diagnostics.iter().filter(|text| !text.contains("can't be part of a topic")).collect();
        assert!(told.is_empty(), "{}: {told:?}", device.name);
        for property in device.properties.iter() {
            assert!(!property.reads.is_empty() || property.write.is_some(), "{} {}", device.name, property.name);
            if let Some(word) = word(&property.name) {
                assert!(word.fits(&property.holds, property.unit.as_deref()), "{} {property:?}", device.name);
                assert!(
                    !word.is_read_only || property.write.is_none() || property.name.contains("raw"),
                    "{} {property:?}",
                    device.name
                );
            }
        }
    }
}

#[test]
fn what_is_commanded_is_what_the_device_then_says_and_what_we_read_of_it() {
    let mut count = 0;
    for device in models() {
        for property in device.properties.iter().filter(|property| property.write.is_some()) {
            for value in samples(property) {
                let wanted = Map::from_iter([(property.name.clone(), value.clone())]);
                let command = device.command(&wanted, &|_| None, CommandOptions::default());
                let command = command.unwrap_or_else(|errors| panic!("{} {wanted:?}: {errors:?}", device.name));
                assert_eq!(command.publications.len(), 1, "{} {wanted:?}", device.name);
                // A brightness of 0 is off.
                let Some((name, value)) = command.values.first() else { panic!("{wanted:?}") };
                let sent = &command.publications[0];
                let asked = super::super::command::encode::commanded(&device, &sent.topic, &sent.payload);
                let (_, property) = device.property(name).unwrap();
                let back =
                    asked.iter().find(|(place, _)| device.properties[*place].name == *name).map(|(_, value)| value);
                let is_same = back.is_some_and(|back| property.is_same(value, back));
                assert!(is_same, "{} {name}: {value} was read back as {back:?} from {}", device.name, written(sent));
                count += 1;
                if property.can_confirm() {
                    let said = device.says(&device.obeyed(&command.values), &|_| None).unwrap();
                    let heard = property.reads[0].reader.read(&said[0].payload).unwrap().unwrap();
                    assert!(property.confirms(value, &heard), "{} {name}: {value} isn't {heard}", device.name);
                }
            }
        }
    }
    assert!(count > 2000, "{count}");
}

#[test]
fn what_a_model_promises_is_read_as_such() {
    for device in models() {
        for property in device.properties.iter() {
            let Some(read) = property.reads.first() else { continue };
            let (Codec::Boolean { yes, .. }, Holds::Boolean) = (&read.reader.codec, &property.holds) else { continue };
            let said = read.reader.extract.write(None, yes.clone()).unwrap();
            let heard = read.reader.read(&Payload::from_value(&said)).unwrap();
            assert_eq!(heard, Some(Value::Bool(true)), "{} {}", device.name, property.name);
        }
    }
}
