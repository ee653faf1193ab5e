//! The variable `inputs`: what people have set by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Map, Name, Topic, Value};
use crate::script::evaluation::reads::Reads;
use crate::script::evaluation::world::World;

/// The inputs of a home, by name, each with the topic that holds its value.
pub type InputTopics = BTreeMap<Name, Topic>;

/// Returns the inputs' values, or those of `keys`, and notes what was read.
pub(in crate::script) fn values(world: &World, keys: Option<&[Name]>, reads: &mut Reads) -> Value {
    let is_asked = |name: &Name| keys.is_none_or(|keys| keys.contains(name));
    let mut values = Map::default();
    for (name, topic) in world.inputs.iter().filter(|(name, _)| is_asked(name)) {
        reads.topics.insert(topic.clone());
        let value = world.states.get(topic.as_str()).map(|state| state.payload.value().clone());
        values.insert(Arc::clone(name), value.unwrap_or_default());
    }
    Value::Map(Arc::new(values))
}
