//! What expressions read of the home, and that it is noted.

use jiff::SignedDuration;

use crate::model::{PlacedText, RuleId, Topic, TopicFilter, Value};

use super::super::{Frame, Names, Reads, RuleNames};
use super::Home;

fn topic(text: &str) -> Topic {
    Topic::parse(text).unwrap()
}

fn home() -> Home {
    Home::new()
        .hear("home/hall/light", r#"{"state": "ON", "level": 80, "nothing": null}"#, 30)
        .hear("home/hall/temp", "21.5", 90)
        .hear("home/attic/temp", "16", 5)
        .hear("home/cellar/temp", "", 7)
}

#[test]
fn state_gives_the_latest_value_a_path_of_it_or_the_default() {
    let mut home = home();
    assert_eq!(home.eval("state('home/hall/temp')"), "21.5");
    assert_eq!(home.eval("state('home/hall/light').state"), "\"ON\"");
    assert_eq!(home.eval("state('home/hall/light', 'level')"), "80");
    assert_eq!(home.eval("state('home/hall/light', 'nix')"), "null");
    assert_eq!(home.eval("state('home/hall/light', 'nix', 5)"), "5");
    assert_eq!(home.eval("state('home/hall/light', 'nothing', 5)"), "5");
    assert_eq!(home.eval("state('home/nix')"), "null");
    assert_eq!(home.eval("state('home/nix')?.field"), "null");
    assert_eq!(home.eval("state('home/nix') ?? 0"), "0");
    assert_eq!(home.eval("state('home/nix') == 'ON'"), "false");
}

#[test]
fn after_an_empty_payload_there_is_no_value_but_an_age() {
    let mut home = home();
    assert_eq!(
        home.eval("[state('home/cellar/temp'), exists('home/cellar/temp'), age('home/cellar/temp')]"),
        "[null,false,7]"
    );
    assert_eq!(home.eval("[exists('home/hall/temp'), age('home/hall/temp')]"), "[true,90]");
    assert_eq!(home.eval("[exists('home/nix'), age('home/nix')]"), "[false,null]");
}

#[test]
fn last_gives_the_message_with_its_times() {
    let mut home = home();
    assert_eq!(
        home.eval("last('home/attic/temp')"),
        r#"{"at":"2024-06-01T19:59:55+02:00","changed_at":"2024-06-01T19:59:55+02:00","msg":16,"payload":"16","retained":false}"#
    );
    assert_eq!(home.eval("last('home/nix')"), "null");
    assert_eq!(home.eval("now - last('home/attic/temp').at"), "5");
}

#[test]
fn states_lists_the_topics_that_have_a_value() {
    let mut home = home();
    assert_eq!(
        home.eval("states('home/+room/temp')"),
        r#"[{"captures":["attic"],"msg":16,"topic":"home/attic/temp"},{"captures":["hall"],"msg":21.5,"topic":"home/hall/temp"}]"#
    );
    assert_eq!(home.eval("states('nix/#')"), "[]");
    assert_eq!(home.eval("states('home/+/temp').filter(|s| s.msg > 20).map(|s| s.captures[0])"), "[\"hall\"]");
}

#[test]
fn any_all_and_count_compare_as_rules_do() {
    let mut home = home();
    assert_eq!(home.eval("any('home/+/temp', 16.0)"), "true");
    assert_eq!(home.eval("any('home/+/temp', '16')"), "false");
    assert_eq!(home.eval("any('home/+/light', #{ state: 'ON' })"), "true");
    assert_eq!(home.eval("all('home/+/light', #{ state: 'ON' })"), "true");
    assert_eq!(home.eval("all('home/+/temp', 16)"), "false");
    assert_eq!(home.eval("all('nix/+', 16)"), "false");
    assert_eq!(home.eval("count('home/+/temp', 16)"), "1");
    assert_eq!(home.eval("count('home/+/temp', |t| t > 10)"), "2");
    assert_eq!(home.eval("all('home/+/temp', |t| t > 10)"), "true");
}

#[test]
fn what_is_read_is_noted() {
    let mut home = home();
    home.eval("state('home/hall/temp') == 1 or exists('home/nix') or any('home/+/temp', 1)");
    assert_eq!(home.reads.topics, [topic("home/hall/temp"), topic("home/nix")].into());
    assert_eq!(home.reads.filters, [TopicFilter::parse("home/+/temp").unwrap()].into());
    assert_eq!(home.reads.without_value, Some(topic("home/nix")));
    assert!(!home.reads.clock && !home.reads.memory && !home.reads.sun);
    home.eval("age('home/hall/temp') > 3");
    assert!(home.reads.clock);
    home.eval("now.hour");
    assert!(home.reads.clock);
    home.eval("memory.count ?? 0");
    assert!(home.reads.memory);
    home.eval("sun == ()");
    assert!(home.reads.sun);
}

#[test]
fn what_is_not_reached_is_not_noted() {
    let mut home = home();
    home.eval("false and state('home/hall/temp') == 1");
    assert!(home.reads.topics.is_empty());
}

#[test]
fn a_failure_behind_a_topic_without_a_value_is_unknown() {
    let mut home = home();
    let unknown = "failed «>» can't compare nothing with a number: () > 3 (weather/lux has no value yet)";
    assert_eq!(home.eval("state('weather/lux') > 3"), unknown);
    assert_eq!(home.eval("age('weather/lux') > 3"), unknown);
    assert_eq!(
        home.eval("state('home/cellar/temp') > 3"),
        "failed «>» can't compare nothing with a number: () > 3 (home/cellar/temp has no value yet)"
    );
    let mut home = home.hear("home/hall/temp", "", 1);
    assert_eq!(home.eval("state('home/hall/temp') > 3"), "failed «>» can't compare nothing with a number: () > 3");
}

#[test]
fn holds_and_running_ask_other_rules_and_this_one() {
    let mut home = home();
    let ids = [
        RuleId::new("test", "rule"),
        RuleId::new("test", "other"),
        RuleId::new("a", "twice"),
        RuleId::new("b", "twice"),
    ];
    home.world.rule_names = RuleNames::new(&ids).into();
    home.world.holding.insert(ids[0].clone());
    home.world.running.insert(ids[1].clone(), 2);
    assert_eq!(home.eval("holds()"), "true");
    assert_eq!(home.reads.holds, [ids[0].clone()].into());
    assert_eq!(home.eval("holds('other')"), "false");
    assert_eq!(home.eval("running('test:other')"), "true");
    assert_eq!(home.reads.running, [ids[1].clone()].into());
    assert_eq!(home.eval("running('rule')"), "false");
    assert_eq!(
        home.eval("holds('twice')"),
        "failed «holds» `twice` may be any of `a:twice`, `b:twice`: write the file too"
    );
    assert_eq!(home.eval("holds('b:twice')"), "false");
}

#[test]
fn rules_that_are_named_are_known_at_load() {
    let home = home();
    let text = "holds('other') and not running(\"x:y\") or holds() or holds(topic)";
    let source = PlacedText::whole_file(text, "rules/test.yaml");
    let expression = home.sandbox.compile(&source, &Names::default()).unwrap();
    let mentions: Vec<_> = expression
        .rule_mentions()
        .iter()
        .map(|mention| (mention.rule.as_deref(), super::part(text, &mention.at), mention.is_holds))
        .collect();
    assert_eq!(mentions, [(Some("other"), "'other'", true), (Some("x:y"), "\"x:y\"", false), (None, "holds", true)]);
    let variables: Vec<_> = expression.variables().iter().map(AsRef::as_ref).collect();
    assert_eq!(variables, ["topic"]);
}

#[test]
fn a_time_has_its_parts_compares_and_subtracts() {
    let mut home = home();
    assert_eq!(
        home.eval("[now.hour, now.minute, now.second, now.day, now.month, now.year, now.unix]"),
        "[20,0,0,1,6,2024,1717264800]"
    );
    assert_eq!(home.eval("[now.weekday, now.date, now.time]"), r#"["sat","2024-06-01","20:00:00"]"#);
    assert_eq!(home.eval("now - 90 < now and now + 0.5 > now and now == now"), "true");
    assert_eq!(home.eval("(now + 90) - now"), "90");
    assert_eq!(home.eval("'${now}'"), "\"2024-06-01T20:00:00+02:00\"");
    assert!(matches!(home.value("now"), Ok(Value::Time(_))));
}

#[test]
fn weekend_is_saturday_and_sunday_of_the_home() {
    let mut home = home();
    assert_eq!(home.eval("weekend()"), "true");
    home.world.now += SignedDuration::from_hours(30);
    assert_eq!(home.eval("weekend()"), "false");
    assert!(home.reads.clock);
}

#[test]
fn weekday_names_days_and_ranges_of_them() {
    let mut home = home();
    assert_eq!(
        home.eval("[weekday('sat'), weekday('sun'), weekday('fri-sun'), weekday('mon-fri')]"),
        "[true,false,true,false]"
    );
    assert!(home.eval("weekday('catur' + 'day')").starts_with("failed «weekday» `caturday` isn't a valid weekday"));
}

#[test]
fn between_may_pass_midnight_and_tells_when_it_changes() {
    let mut home = home();
    assert_eq!(home.eval("between('19:00', '06:00')"), "true");
    assert_eq!(home.reads.next_change, Some("2024-06-02T04:00:00Z".parse().unwrap()));
    assert!(home.reads.clock);
    assert_eq!(home.eval("between('20:00', '20:01')"), "true");
    assert_eq!(home.eval("between('06:00', '20:00')"), "false");
    assert!(home.eval("between('25' + ':00', '20:00')").starts_with("failed «between» "));
}

#[test]
fn the_sun_is_read_at_the_homes_place() {
    let mut home = home();
    home.world.calendar.location = Some(crate::model::schedule::Location { latitude: 52.52, longitude: 13.4 });
    assert_eq!(
        home.eval("[sun.up, sun.elevation > 5 and sun.elevation < 15, sun.azimuth > 270 and sun.azimuth < 310]"),
        "[true,true,true]"
    );
    assert_eq!(home.eval("sun.sunrise < now and now < sun.sunset and sun.sunset.hour == 21"), "true");
    assert_eq!(home.eval("between('sunset-2h', 'sunset')"), "true");
    assert_eq!(home.eval("between('sunset', 'sunrise+30m')"), "false");
    assert_eq!(home.eval("'${sun}'.contains('azimuth')"), "true");
    assert!(home.reads.sun && home.reads.clock);
}

#[test]
fn random_follows_from_its_seed() {
    let mut home = home();
    let first = home.eval("[random(), random(1, 6), random(['a', 'b', 'c']), random(0.5, 0.6)]");
    assert_eq!(home.eval("[random(), random(1, 6), random(['a', 'b', 'c']), random(0.5, 0.6)]"), first);
    assert_eq!(home.eval("random() == random()"), "false");
    home.entropy = 2;
    assert_ne!(home.eval("[random(), random(1, 6), random(['a', 'b', 'c']), random(0.5, 0.6)]"), first);
    for entropy in 0..200 {
        home.entropy = entropy;
        assert_eq!(home.eval("random() < 1 and random(3, 3) == 3 and random(1, 2) in [1, 2]"), "true");
    }
}

#[test]
fn the_world_is_the_same_after_a_failure() {
    let mut home = home();
    home.eval("state('home/hall/temp').foo.bar");
    assert_eq!(home.world.states.len(), 4);
    assert_eq!(home.eval("state('home/hall/temp')"), "21.5");
}

#[test]
fn a_variable_may_be_computed_by_another_evaluation() {
    let home = home();
    let compile = |text: &str| {
        let names = Names { variables: ["warm".into()].into(), ..Names::default() };
        home.sandbox.compile(&PlacedText::whole_file(text, "rules/test.yaml"), &names).unwrap()
    };
    let (inner, outer) = (compile("state('home/hall/temp') > 20"), compile("warm and state('home/attic/temp') == 16"));
    let rule = RuleId::new("test", "rule");
    let variables = |_: &str| {
        let mut frame = Frame { rule: &rule, variables: &|_| Value::Null, entropy: 1, reads: &mut Reads::default() };
        home.sandbox.evaluate(&mut home.world.clone(), &inner, &mut frame).unwrap()
    };
    let mut frame = Frame { rule: &rule, variables: &variables, entropy: 1, reads: &mut Reads::default() };
    assert_eq!(home.sandbox.evaluate(&mut home.world.clone(), &outer, &mut frame), Ok(Value::Bool(true)));
}

#[test]
fn the_functions_that_outlines_know_to_read_are_those_of_the_table() {
    use crate::script::devices::functions::ROWS;
    use crate::script::functions::table::functions;
    use crate::script::source::topic_call::{DEVICE_READERS, TOPIC_READERS};
    let sorted = |names: &mut dyn Iterator<Item = &'static str>| -> Vec<&str> {
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let of_topics = functions().filter(|function| function.reads_topics()).map(|function| function.name);
    assert_eq!(sorted(&mut of_topics.into_iter()), sorted(&mut TOPIC_READERS.into_iter()));
    assert_eq!(sorted(&mut ROWS.iter().map(|function| function.name)), sorted(&mut DEVICE_READERS.into_iter()));
}
