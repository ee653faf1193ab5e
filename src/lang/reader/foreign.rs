//! Words that people know from other systems (Home Assistant, openHAB, Node-RED, other test runners), by where they
//! write them: each with homerule's word for it, or with a sentence that says how homerule does it.

use crate::lang::diagnostic::near::Suggestion;

/// Where a word is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lang) enum Place {
    /// A key of a file of rules.
    RuleFile,
    /// A key of a rule.
    Rule,
    /// A key of a trigger, or the word that says which one it is.
    Trigger,
    /// A key of a condition, or the word that says which one it is.
    Condition,
    /// A key of an action, or the word that says which one it is.
    Action,
    /// A key of a file of tests.
    TestFile,
    /// A key of a test.
    Test,
    /// A key of a step, or the word that says which one it is.
    Step,
    /// A key of what is expected.
    Expectation,
    /// A value that is one of a few words.
    Value,
    /// Anywhere else.
    Elsewhere,
}

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lang) enum Meant {
    /// This word, if it's allowed there.
    Word(&'static str),
    /// What this sentence says to do.
    Way(&'static str),
}

use Meant::{Way, Word};

type Meaning = (&'static [&'static str], Meant);

const STARTS: Meant =
    Way("put what starts the rule under `when`: `when: { topic: home/tv }`, `when: { at: \"07:00\" }`");
const DOES: Meant = Way("put what the rule does under `then`: `then: { publish: home/lamp/set, payload: ON }`");
const BY_ITS_WORD: Meant =
    Way("start a trigger with its kind: `topic: …`, `state: …`, `at: …`, `every: …`, `sun: …`, `event: …`");
const IS_A_TOPIC: Meant = Way("name the device's topic: `state: home/hall/light`, with `to`, `above` or `below`");
const COMMANDS: Meant = Way("command a device on its topic: `publish: home/lamp/set`, `payload: ON`");
const REPEATS: Meant =
    Way("write `repeat: { times: 3 }` (or `while`, `until`, `each`), with `do: […]` next to `repeat`");

const RULE_FILE: &[Meaning] = &[
    (&["automation", "automations", "rule", "triggers"], Way("put rules under `rules:`, each under its own name")),
    (&["scene"], Word("scenes")),
    (PAST, OF_THE_PAST),
    (
        &["calendars", "calendar"],
        Way("name calendars in `homerule.yaml`, next to `rules/`: `calendars: { bins: bins.ics }`"),
    ),
    (&["variables", "vars", "constants", "const", "define"], Word("let")),
    (&["tests", "test", "steps"], Way("put tests in their own file, with a name that ends in `.test.yaml`")),
    (
        &["script", "scripts"],
        Way("for something that several rules do, write a rule and use `run: RULE`, or a function in a `.rhai` file"),
    ),
    (
        &["mqtt", "broker", "location", "homeassistant", "settings"],
        Way("settings go in `homerule.yaml`, next to `rules/`"),
    ),
];

/// What other systems call that which reads the past.
const PAST: &[&str] = &[
    "statistics",
    "history_stats",
    "derivative",
    "integration",
    "utility_meter",
    "trend",
    "smooth",
    "average",
    "averageSince",
    "average_since",
    "changedSince",
    "deltaSince",
    "medianSince",
    "median",
    "historicState",
];

const OF_THE_PAST: Meant =
    Way("the past is read in expressions: `average('topic', '5m')`, `change(…)`, `duration(…)`, …");

const RULE: &[Meaning] = &[
    (&["trigger", "triggers", "on", "event", "events"], Word("when")),
    (&["condition", "conditions", "where", "only_if"], Word("if")),
    (&["action", "actions", "do", "sequence", "run"], Word("then")),
    (&["otherwise", "default"], Word("else")),
    (&["variables", "vars", "constants", "trigger_variables"], Word("let")),
    (&["alias", "title", "label"], Word("name")),
    (&["comment", "note", "notes", "desc"], Word("description")),
    (&["labels", "category", "categories", "group", "groups", "area", "tag"], Word("tags")),
    (&["initial_state", "active", "disabled"], Word("enabled")),
    (&["throttle", "rate_limit"], Word("cooldown")),
    (&["max_runs", "max_exceeded"], Word("max")),
    (&["unless"], Way("write `if: not …`")),
    (&["id", "unique_id", "uid"], Way("a rule's id is its file and its name: `tv:dim-lights` in `rules/tv.yaml`")),
    (
        &["filter"],
        Way("write `values: { ignore: […] }` in `homerule.yaml`, or `median('topic', '5m')` in an expression"),
    ),
    (&["createTimer", "Timer"], Way("write the action `delay: 5m`, or `for: 5m` in a trigger")),
    (&["debounce"], Way("add `for: 5s` to a `state` trigger: it fires once the value has stayed that long")),
    (&["interval", "schedule"], Way("write `when: { every: 5m }`, or `when: { cron: \"0 7 * * *\" }`")),
    (PAST, OF_THE_PAST),
    (&["rbe", "deadband"], Way("write `when: { state: TOPIC }`: it fires when the value changes")),
    (&["priority", "order"], Way("rules run in the order of their files, then in the order within a file")),
    (&["timeout"], Way("put `timeout` next to the action `wait`")),
    (
        &["platform", "topic", "state", "at", "cron", "sun", "webhook", "entity_id", "silent", "state_topic", "time"],
        STARTS,
    ),
    (
        &[
            "publish",
            "payload",
            "service",
            "scene",
            "log",
            "delay",
            "after",
            "wait",
            "set",
            "choose",
            "repeat",
            "http",
            "command_topic",
            "message",
        ],
        DOES,
    ),
];

const TRIGGER: &[Meaning] = &[
    (&["value", "attribute", "path"], Word("field")),
    (&["value", "message", "payload_on", "payload_off", "msg"], Word("payload")),
    (&["is", "equals", "becomes", "value_is"], Word("to")),
    (&["if", "condition", "value_template", "filter", "when"], Word("where")),
    (&["days", "weekday", "day"], Word("weekdays")),
    (&["name", "alias"], Word("id")),
    (&["duration", "within", "hold", "held_for", "debounce", "delay"], Word("for")),
    (&["retain"], Word("retained")),
    (&["greater_than", "gt", "min", "over", "higher_than"], Word("above")),
    (&["less_than", "lt", "max", "under", "lower_than"], Word("below")),
    (&["not_to", "not_from"], Way("check it in the rule's `if`: `if: value != 'ON'`")),
    (&["changed", "change", "numeric_state", "changes", "rbe", "deadband"], Word("state")),
    (PAST, OF_THE_PAST),
    (&["event_start", "ics", "ical", "holiday"], Word("calendar")),
    (&["time", "time_of_day", "date"], Word("at")),
    (&["interval", "timer", "time_pattern", "inject", "repeat"], Word("every")),
    (&["schedule", "crontab"], Word("cron")),
    (&["mqtt", "message", "channel", "received", "mqtt_in"], Word("topic")),
    (&["offline", "unavailable", "no_message", "timeout", "missing"], Word("silent")),
    (&["http", "url", "hook", "post", "request"], Word("webhook")),
    (&["startup", "start", "started", "homeassistant", "system", "boot"], Way("write `event: started`")),
    (
        &["sunset", "sunrise", "dawn", "dusk"],
        Way("write `sun: sunset`, and add `offset: -30m` for half an hour before"),
    ),
    (&["state_topic"], Way("write `state: TOPIC` for its changes, or `topic: TOPIC` for each message")),
    (&["entity_id", "entity", "device", "device_id", "item", "thing"], IS_A_TOPIC),
    (&["platform", "trigger", "type", "kind"], BY_ITS_WORD),
];

const CONDITION: &[Meaning] = &[
    (&["value", "attribute", "path"], Word("field")),
    (&["to", "equals", "payload"], Word("is")),
    (&["from"], Word("after")),
    (&["until"], Word("before")),
    (&["days", "weekday"], Word("weekdays")),
    (&["and"], Word("all")),
    (&["or"], Word("any")),
    (&["none"], Word("not")),
    (&["topic", "numeric_state"], Word("state")),
    (&["after", "before", "weekday", "weekdays"], Way("write `time: { after: \"22:00\", before: \"06:00\" }`")),
    (&["trigger"], Way("write an expression: `if: trigger.id == 'door'`, with `id: door` in the trigger")),
    (&["template", "value_template", "expression"], Way("write the expression itself: `if: msg.lux < 40`")),
    (&["greater_than", "gt", "min"], Word("above")),
    (&["less_than", "lt", "max"], Word("below")),
    (PAST, OF_THE_PAST),
    (&["duration"], Word("for")),
    (&["entity_id", "entity", "device", "item"], Way("write `state: TOPIC` and `is: VALUE`")),
    (
        &["condition", "platform", "type"],
        Way("write `state: TOPIC`, `time: { after: … }`, `sun: up`, `all: […]`, or an expression"),
    ),
];

const ACTION: &[Meaning] = &[
    (&["message", "value", "data", "msg", "state"], Word("payload")),
    (&["retained"], Word("retain")),
    (&["variables", "vars", "data"], Word("with")),
    (&["actions", "sequence", "steps"], Word("do")),
    (&["default", "otherwise"], Word("else")),
    (&["conditions", "condition"], Word("if")),
    (&["sequence"], Word("then")),
    (&["continue_on_error"], Word("on_error")),
    (&["count", "number"], Word("times")),
    (&["for_each", "items", "list", "in"], Word("each")),
    (&["interval"], Word("every")),
    (&["continue_on_timeout"], Way("write `on_timeout: continue`")),
    (&["elif", "elseif", "else_if"], Way("write `else: { if: …, then: … }`, or `choose: [{ if: …, then: … }, …]`")),
    (&["topic", "mqtt", "send", "mqtt_out", "emit", "mqtt.publish", "command_topic"], Word("publish")),
    (PAST, OF_THE_PAST),
    (
        &["createTimer", "Timer", "reschedule", "restart_timer"],
        Way("write `delay: 5m`; `extend: RULE, by: 5m` moves the end of what a rule waits for"),
    ),
    (&["sleep", "pause", "after", "timer"], Word("delay")),
    (&["wait_for_trigger", "wait_for"], Word("wait")),
    (&["wait_template", "wait_until"], Way("write `wait: { until: 'msg.x == 1' }`")),
    (&["script", "call_rule", "trigger"], Word("run")),
    (&["variables", "vars", "var", "const"], Word("let")),
    (&["switch", "case"], Word("choose")),
    (&["loop", "for", "foreach", "for_each", "while", "until", "times"], REPEATS),
    (&["print", "logger", "debug", "echo"], Word("log")),
    (&["request", "rest_command", "fetch", "url", "curl", "get", "post"], Word("http")),
    (&["shell", "shell_command", "command", "cmd"], Word("exec")),
    (&["abort", "return", "break", "exit"], Word("stop")),
    (&["store", "save", "set_state"], Word("remember")),
    (&["concurrent", "together"], Word("parallel")),
    (&["sequence", "actions", "do", "then"], Way("put actions that follow each other in a list: `then: [ …, … ]`")),
    (&["alert", "notification", "persistent_notification", "push"], Word("notify")),
    (&["payload", "qos", "retain"], Way("add it to a topic: `publish: home/lamp/set`, `payload: ON`")),
    (
        &[
            "service",
            "call_service",
            "call",
            "action",
            "perform_action",
            "entity_id",
            "target",
            "device_id",
            "turn_on",
            "turn_off",
            "toggle",
            "device",
            "item",
            "command_topic",
            "data",
            "platform",
            "domain",
            "type",
        ],
        COMMANDS,
    ),
];

const TEST_FILE: &[Meaning] = &[
    (&["test", "cases", "scenarios", "suite"], Word("tests")),
    (&["steps"], Way("put steps in a test: `tests: { its name: { steps: […] } }`")),
    (&["rule", "files", "file"], Word("rules")),
];

const TEST: &[Meaning] = &[
    (&["start", "time", "now", "date", "clock"], Word("at")),
    (&["state", "states", "initial", "retained", "setup", "before"], Word("given")),
    (&["actions", "sequence", "then", "when", "do"], Word("steps")),
    (&["recording", "record", "input"], Word("replay")),
    (&["expected", "golden"], Word("snapshot")),
    (&["http", "responses", "mock", "mocks"], Word("answers")),
    (
        &["publish", "expect", "after", "expect_state", "expect_run", "until", "restart", "wait"],
        Way("this is a step: put it in the list `steps:`"),
    ),
    (&["description", "name"], Way("a test's name is its key")),
    (&["rules"], Way("put `rules` at the top of the file; it's for all tests in it")),
];

const STEP: &[Meaning] = &[
    (&["message", "value", "data", "msg", "state"], Word("payload")),
    (&["retained"], Word("retain")),
    (&["interval"], Word("every")),
    (&["wait", "delay", "sleep", "advance", "pass", "elapse", "forward", "for", "pause", "tick"], Word("after")),
    (&["at", "time", "wait_until", "run_until", "now", "clock"], Word("until")),
    (
        &["send", "message", "mqtt", "receive", "topic", "trigger", "input", "when", "inject", "set", "pub"],
        Word("publish"),
    ),
    (&["assert", "then", "should", "expected", "published", "expects", "expect_publish", "output"], Word("expect")),
    (&["state", "assert_state", "states"], Word("expect_state")),
    (&["run", "ran", "assert_run", "runs"], Word("expect_run")),
    (&["http"], Word("expect_http")),
    (&["notify", "notification", "notifications"], Word("expect_notify")),
    (&["exec"], Word("expect_exec")),
    (&["hook", "post"], Word("webhook")),
    (&["reboot", "stop", "crash", "kill"], Word("restart")),
    (&["connect", "disconnect"], Word("client")),
    (&["nothing", "expect_nothing"], Way("write `expect: nothing`")),
    (&["replay", "snapshot", "given", "strict", "ignore", "answers"], Way("put it on the test, next to `steps:`")),
];

const EXPECTATION: &[Meaning] = &[
    (&["message", "value", "data", "msg", "state"], Word("payload")),
    (&["retained"], Word("retain")),
    (&["time", "when", "after"], Word("at")),
    (&["result", "status", "state"], Word("outcome")),
    (&["count", "runs"], Word("times")),
    (&["reason", "because", "gate"], Word("by")),
    (&["id", "name"], Word("rule")),
];

const VALUE: &[Meaning] = &[
    (&["ignore", "drop", "skip", "once", "reject"], Word("single")),
    (&["replace", "latest", "cancel", "override", "rerun"], Word("restart")),
    (&["queue", "sequential", "serial"], Word("queued")),
    (&["concurrent"], Word("parallel")),
    (&["start", "startup", "boot", "homeassistant_started"], Word("started")),
    (&["stop", "shutdown"], Word("stopping")),
    (&["reload"], Word("reloaded")),
    (&["online", "connect", "up"], Word("connected")),
    (&["offline", "disconnect", "gone", "down"], Word("disconnected")),
    (&["ok", "success", "succeeded", "done", "completed", "passed"], Word("finished")),
    (&["error", "errored", "failure"], Word("failed")),
    (&["ended", "aborted"], Word("stopped")),
    (&["ignored", "dropped", "none"], Word("skipped")),
    (&["warning"], Word("warn")),
    (&["err", "critical", "fatal"], Word("error")),
    (&["trace", "verbose"], Word("debug")),
    (&["notice"], Word("info")),
    (&["above_horizon", "day", "true"], Word("up")),
    (&["below_horizon", "night", "false"], Word("down")),
];

impl Place {
    /// Returns what `word` means here, where one of `known` is allowed.
    pub(in crate::lang) fn meant(self, word: &str, known: &[&str]) -> Option<Meant> {
        let meanings = match self {
            Place::RuleFile => RULE_FILE,
            Place::Rule => RULE,
            Place::Trigger => TRIGGER,
            Place::Condition => CONDITION,
            Place::Action => ACTION,
            Place::TestFile => TEST_FILE,
            Place::Test => TEST,
            Place::Step => STEP,
            Place::Expectation => EXPECTATION,
            Place::Value => VALUE,
            Place::Elsewhere => &[],
        };
        let is_possible = |meant: &Meant| match meant {
            Word(right) => known.contains(right),
            Way(_) => true,
        };
        meanings.iter().filter(|(words, _)| words.contains(&word)).map(|(_, meant)| *meant).find(is_possible)
    }
}

impl Meant {
    /// Returns what to say about it.
    pub(in crate::lang) fn suggestion(self) -> Suggestion {
        match self {
            Word(word) => Suggestion::guess(word),
            Way(way) => Suggestion::advice(way),
        }
    }

    /// Returns the word, if it's one.
    pub(in crate::lang) fn word(self) -> Option<&'static str> {
        match self {
            Word(word) => Some(word),
            Way(_) => None,
        }
    }
}
