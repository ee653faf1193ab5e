//! The schemas of all answers, made from their types: what `/api/openapi.json` describes.

use serde_json::{Map, Value};
use utoipa::OpenApi;

use super::view::{
    Branch, Difference, GraphAnswer, GraphArrow, GraphBox, History, HoldSpan, Now, PastRun, Point, Recent, RecentKind,
    RuleDifference, ShadowAnswer, ShadowDifferenceAnswer, ShadowRule, ShadowWhy, SourceAnswer, SourcePart,
    TimelineAnswer, VerdictAnswer, VerdictPart, Waiting, Wrong, WrongKind,
};
use super::{
    BrokerStatus, ClientAnswer, DeviceAnswer, DeviceDiagnostic, DevicesAnswer, FailingRule, Finding, InputAnswer,
    InstanceStatus, InvariantStatus, LastRun, LinkStatus, NearAnswer, NotificationStatus, ObstacleAnswer,
    PropertyAnswer, RecorderStatus, RuleAnswer, RuleCounts, StateAnswer, Status, StepAnswer, StoreStatus, TraceAnswer,
    UndeliveredNotification,
};

#[derive(OpenApi)]
#[openapi(components(schemas(
    Branch,
    BrokerStatus,
    ClientAnswer,
    DeviceAnswer,
    DeviceDiagnostic,
    DevicesAnswer,
    Difference,
    FailingRule,
    Finding,
    GraphAnswer,
    GraphArrow,
    GraphBox,
    History,
    HoldSpan,
    InputAnswer,
    InstanceStatus,
    InvariantStatus,
    LastRun,
    LinkStatus,
    NearAnswer,
    NotificationStatus,
    Now,
    ObstacleAnswer,
    PastRun,
    Point,
    PropertyAnswer,
    Recent,
    RecentKind,
    RecorderStatus,
    RuleAnswer,
    RuleCounts,
    RuleDifference,
    ShadowAnswer,
    ShadowDifferenceAnswer,
    ShadowRule,
    ShadowWhy,
    SourceAnswer,
    SourcePart,
    StateAnswer,
    Status,
    StepAnswer,
    StoreStatus,
    TimelineAnswer,
    TraceAnswer,
    UndeliveredNotification,
    VerdictAnswer,
    VerdictPart,
    Waiting,
    Wrong,
    WrongKind,
)))]
struct Schemas;

/// Returns the schemas by their names.
#[must_use]
pub fn schemas() -> Map<String, Value> {
    let document = serde_json::to_value(Schemas::openapi()).unwrap_or_default();
    let found = document.pointer("/components/schemas").and_then(Value::as_object);
    found.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    /// Reads the example of a schema as the type that it describes.
    fn example<T: DeserializeOwned>(name: &str) -> T {
        let schemas = schemas();
        let example = schemas[name].get("example").unwrap_or_else(|| panic!("`{name}` has no example")).clone();
        serde_json::from_value(example).unwrap_or_else(|error| panic!("the example of `{name}` is none: {error}"))
    }

    #[test]
    fn the_examples_of_what_the_page_shows_are_examples() {
        assert_eq!(example::<Now>("Now").waiting[0].kind, "delay");
        assert_eq!(example::<VerdictAnswer>("Verdict").conditions[0].result, "false");
        assert_eq!(example::<History>("History").points.len(), 2);
        assert_eq!(example::<GraphAnswer>("Graph").arrows.len(), 2);
        assert_eq!(example::<TimelineAnswer>("Timeline").runs[0].outcome, "finished");
        assert_eq!(example::<Difference>("Difference").by_rule.len(), 1);
        assert_eq!(example::<ShadowAnswer>("Shadow").differences.len(), 1);
        assert_eq!(example::<SourceAnswer>("Source").parts[0].path, "when");
    }

    #[test]
    fn each_schema_that_is_named_is_there() {
        fn names(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(map) => {
                    found.extend(map.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
                    map.values().for_each(|value| names(value, found));
                }
                Value::Array(list) => list.iter().for_each(|value| names(value, found)),
                _ => {}
            }
        }
        let schemas = schemas();
        let mut named = Vec::new();
        schemas.values().for_each(|schema| names(schema, &mut named));
        assert!(named.len() > 5, "{named:?}");
        for name in named {
            let name = name.trim_start_matches("#/components/schemas/").to_owned();
            assert!(schemas.contains_key(&name), "{name}");
        }
    }
}
