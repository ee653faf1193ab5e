//! Decodes `homerule.yaml` (docs/settings.md).

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZoneDatabase;

use crate::model::schedule::Location;
use crate::model::{TopicFilter, Value};

use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::yaml::tree::{self, Node, NodeKind};
use crate::lang::{Allow, BrokerSettings, Code, RecorderSettings, Settings, Sources, WebSettings, WebTls, near};

use super::{broker_limits, not_offered, secrets};

/// The settings' file.
pub(in crate::lang) const SETTINGS_FILE: &str = "homerule.yaml";

/// The recorder needs at least this much: a few files that are worth having.
const SMALLEST_RECORDING: u64 = 1 << 20;

/// Decodes the settings in the text of `reader`. Returns the defaults if something is wrong, which is then in `reader`.
pub(in crate::lang) fn read(reader: &mut Reader<'_>, sources: &Sources) -> Settings {
    let defaults = Settings::default();
    let Some(mut root) = tree::parse(&reader.text, &mut reader.findings) else { return defaults };
    if root.is_null() {
        return defaults;
    }
    let secrets = root.get("notify").map(|node| secrets::texts(node, sources)).unwrap_or_default();
    secrets::fill_in(&mut root, sources, reader);
    reader.settings(&root, &secrets).filter(|_| !reader.findings.has_errors()).unwrap_or(defaults)
}

impl Reader<'_> {
    fn settings(&mut self, root: &Node, secrets: &BTreeSet<Arc<str>>) -> Option<Settings> {
        let mut settings = Settings::default();
        let mut fields = Fields::of(root, "homerule.yaml", &self.text, &mut self.findings)?;
        if let Some(node) = given(&mut fields, "location") {
            (settings.location, settings.zone) = self.location(node).unwrap_or_default();
        }
        for (key, folder) in [("data", &mut settings.data), ("rules", &mut settings.rules)] {
            let given = given(&mut fields, key).and_then(|node| self.folder_name(node, folder));
            *folder = given.unwrap_or_else(|| std::mem::take(folder));
        }
        if let Some(node) = given(&mut fields, "broker") {
            settings.broker = self.broker(node).unwrap_or(settings.broker);
        }
        if let Some(node) = given(&mut fields, "instance") {
            settings.instance = self.instance(node);
        }
        if let Some(node) = given(&mut fields, "topic_prefix") {
            settings.topic_prefix = self.topic_prefix(node).unwrap_or(settings.topic_prefix);
        }
        if let Some(node) = given(&mut fields, "web") {
            settings.web = self.web(node).unwrap_or(settings.web);
        }
        if let Some(node) = given(&mut fields, "devices") {
            self.devices(node, &mut settings);
        }
        if let Some(node) = given(&mut fields, "discovery") {
            settings.discovery = self.discovery(node).unwrap_or(settings.discovery);
        }
        if let Some(node) = given(&mut fields, "recorder") {
            settings.recorder = self.recorder(node);
        }
        if let Some(node) = given(&mut fields, "traces") {
            settings.trace_memory = self.traces(node).unwrap_or(settings.trace_memory);
        }
        if let Some(node) = given(&mut fields, "limits") {
            self.limits(node, &mut settings);
        }
        if let Some(node) = given(&mut fields, "values") {
            settings.ignored = self.ignored_values(node);
        }
        if let Some(node) = given(&mut fields, "calendars") {
            settings.calendars = self.calendars(node);
        }
        if let Some(node) = given(&mut fields, "allow") {
            settings.allow = self.allow(node).unwrap_or(settings.allow);
        }
        self.targets(&mut fields, &mut settings, secrets);
        settings.name = self.text_of(&mut fields, "name");
        if let Some(node) = given(&mut fields, "shadow") {
            settings.shadow = self.shadow(node, &settings.rules);
        }
        fields.finish(&mut self.findings);
        if settings.instance.is_some() && matches!(settings.broker, BrokerSettings::Embedded(_)) {
            self.instance_without_broker(root);
        }
        not_offered::report(root, &mut self.findings);
        Some(settings)
    }

    /// Reads where notifications go, which depends on what else the settings say.
    fn targets(&mut self, fields: &mut Fields<'_>, settings: &mut Settings, secrets: &BTreeSet<Arc<str>>) {
        if let Some(node) = given(fields, "notify") {
            settings.targets = self.notify(node, settings.limits, secrets);
            settings.secrets = secrets.iter().cloned().collect();
        }
        settings.targets.allowed.clone_from(&settings.allow.http);
        settings.targets.public_url = settings.web.public_url.as_deref().map(Arc::from);
    }

    fn location(&mut self, node: &Node) -> Option<(Option<Location>, Option<String>)> {
        let mut fields = Fields::of(node, "`location`", &self.text, &mut self.findings)?;
        let latitude = fields.take("latitude").map(|node| self.degrees(node, 90.0));
        let longitude = fields.take("longitude").map(|node| self.degrees(node, 180.0));
        let zone = fields.take("timezone").and_then(|node| self.zone(node));
        if latitude.is_some() != longitude.is_some() {
            let missing = if latitude.is_some() { "longitude" } else { "latitude" };
            fields.need(missing, &self.text);
        }
        fields.finish(&mut self.findings);
        let location = match (latitude.flatten(), longitude.flatten()) {
            (Some(latitude), Some(longitude)) => Some(Location { latitude, longitude }),
            _ => None,
        };
        Some((location, zone))
    }

    fn degrees(&mut self, node: &Node, most: f64) -> Option<f64> {
        let degrees = self.number(node)?;
        if degrees.abs() <= most {
            return Some(degrees);
        }
        let message = format!("`{degrees}` isn't between -{most} and {most} degrees");
        self.findings.error(Code::OUT_OF_RANGE, node.span.clone(), message);
        None
    }

    fn zone(&mut self, node: &Node) -> Option<String> {
        let fixed = self.fixed(node, "a time zone (`Europe/London`)")?;
        let zones = TimeZoneDatabase::bundled();
        if let Ok(zone) = zones.get(&fixed.text) {
            return Some(zone.iana_name().unwrap_or(&fixed.text).to_owned());
        }
        let names: Vec<String> = zones.available().map(|name| name.as_str().to_owned()).collect();
        let city = |name: &str| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&fixed.text));
        let near = names.iter().map(String::as_str).find(|name| city(name));
        let near = near.or_else(|| near::nearest(&fixed.text, names.iter().map(String::as_str)));
        let help =
            near.map_or("use its IANA name, e.g. `Europe/London`".to_owned(), |name| format!("did you mean `{name}`?"));
        let message = format!("`{}` isn't a known time zone", fixed.text);
        self.findings.error(Code::BAD_ZONE, fixed.span, message).help(help);
        None
    }

    fn web(&mut self, node: &Node) -> Option<WebSettings> {
        let mut web = WebSettings::default();
        let mut fields = Fields::of(node, "`web`", &self.text, &mut self.findings)?;
        let listen = given(&mut fields, "listen").and_then(|node| self.address(node));
        web.listen = listen.unwrap_or(web.listen);
        web.token_file = self.text_of(&mut fields, "token_file");
        web.tls = given(&mut fields, "tls").and_then(|node| self.web_tls(node));
        web.public_url = given(&mut fields, "public_url").and_then(|node| self.public_url(node));
        web.edit = given(&mut fields, "edit").and_then(|node| self.flag(node)).unwrap_or(web.edit);
        if let (false, None, Some(entry)) = (web.listen.is_loopback(), &web.token_file, fields.take_entry("listen")) {
            let message = format!("others can reach `{}`, and no token protects it", web.listen);
            let found = self.findings.error(Code::OPEN_LISTENER, entry.value.span.clone(), message);
            let help = "add `token_file: token.txt` with a long random text in that file, or listen on 127.0.0.1";
            found.help(help);
        }
        fields.finish(&mut self.findings);
        Some(web)
    }

    fn web_tls(&mut self, node: &Node) -> Option<WebTls> {
        let mut fields = Fields::of(node, "`web.tls`", &self.text, &mut self.findings)?;
        let certificate = fields.need("certificate", &self.text).and_then(|node| self.plain_text(node));
        let key = fields.need("key", &self.text).and_then(|node| self.plain_text(node));
        fields.finish(&mut self.findings);
        Some(WebTls { certificate: certificate?.to_string(), key: key?.to_string() })
    }

    fn public_url(&mut self, node: &Node) -> Option<String> {
        let fixed = self.fixed(node, "a URL (`https://home.example`)")?;
        let rest = fixed.text.strip_prefix("https://").or_else(|| fixed.text.strip_prefix("http://"));
        if rest.is_some_and(|rest| !rest.is_empty() && !rest.contains([' ', '?', '#'])) {
            return Some(fixed.text.trim_end_matches('/').to_owned());
        }
        let message = format!("`{}` isn't the URL of a page", fixed.text);
        self.findings.error(Code::BAD_URL, fixed.span, message).help("write `https://home.example`");
        None
    }

    /// Returns what the recorder keeps; `None` if it's off, or wrong.
    fn recorder(&mut self, node: &Node) -> Option<RecorderSettings> {
        let mut recorder = RecorderSettings::default();
        match node.as_scalar().map(|scalar| scalar.text.as_str()) {
            Some("off" | "false") => return None,
            Some("on" | "true") => return Some(recorder),
            _ => {}
        }
        let mut fields = Fields::of(node, "`recorder`", &self.text, &mut self.findings)?;
        recorder.keep = given(&mut fields, "keep").and_then(|node| self.interval(node)).unwrap_or(recorder.keep);
        let size = given(&mut fields, "max_size").and_then(|node| self.size_of_recording(node));
        recorder.max_size = size.unwrap_or(recorder.max_size);
        if let Some(node) = given(&mut fields, "include") {
            recorder.include = self.filters(node);
            recorder.is_include_written = true;
        }
        if let Some(node) = given(&mut fields, "exclude") {
            recorder.exclude = self.filters(node);
        }
        fields.finish(&mut self.findings);
        Some(recorder)
    }

    fn size_of_recording(&mut self, node: &Node) -> Option<u64> {
        let size = broker_limits::size(node, self)?;
        if size >= SMALLEST_RECORDING {
            return Some(size);
        }
        let message = "the recorder needs at least 1 MiB";
        let found = self.findings.error(Code::OUT_OF_RANGE, node.span.clone(), message);
        found.help("to turn the recorder off, write `recorder: off`");
        None
    }

    fn traces(&mut self, node: &Node) -> Option<usize> {
        let mut fields = Fields::of(node, "`traces`", &self.text, &mut self.findings)?;
        let memory = given(&mut fields, "memory").and_then(|node| broker_limits::size(node, self));
        fields.finish(&mut self.findings);
        memory.map(|memory| usize::try_from(memory).unwrap_or(usize::MAX))
    }

    fn limits(&mut self, node: &Node, settings: &mut Settings) {
        let Some(mut fields) = Fields::of(node, "`limits`", &self.text, &mut self.findings) else { return };
        let mut count =
            |key, reader: &mut Self| given(&mut fields, key).and_then(|node| reader.integer(node, 1..u64::MAX));
        let (operations, chain) = (count("operations", self), count("chain", self));
        let (storm, runs) = (count("storm", self), count("runs", self));
        let (samples, at_most) = (count("samples", self), count("at_most", self));
        let evaluation = given(&mut fields, "evaluation").and_then(|node| self.interval(node));
        let payload = given(&mut fields, "payload").and_then(|node| broker_limits::size(node, self));
        fields.finish(&mut self.findings);
        settings.payload = payload.map_or(settings.payload, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let limits = &mut settings.limits;
        limits.operations = operations.unwrap_or(limits.operations);
        limits.evaluation = evaluation.unwrap_or(limits.evaluation);
        let to_usize = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        settings.chain = chain.map_or(settings.chain, |number| u32::try_from(number).unwrap_or(u32::MAX));
        settings.storm = storm.map_or(settings.storm, to_usize);
        settings.runs = runs.map_or(settings.runs, to_usize);
        settings.samples = samples.map_or(settings.samples, to_usize);
        settings.at_most = at_most.map_or(settings.at_most, to_usize);
    }

    /// Returns what `values.ignore` lists: payloads, and values within them, that are skipped.
    fn ignored_values(&mut self, node: &Node) -> Vec<Value> {
        let Some(mut fields) = Fields::of(node, "`values`", &self.text, &mut self.findings) else { return Vec::new() };
        let ignored = given(&mut fields, "ignore").map(|node| self.ignored(node)).unwrap_or_default();
        fields.finish(&mut self.findings);
        ignored
    }

    fn allow(&mut self, node: &Node) -> Option<Allow> {
        let mut allow = Settings::default().allow;
        let mut fields = Fields::of(node, "`allow`", &self.text, &mut self.findings)?;
        if let Some(node) = given(&mut fields, "exec") {
            allow.exec = self.texts(node);
        }
        if let Some(node) = given(&mut fields, "http") {
            allow.http = self.texts(node);
        }
        fields.finish(&mut self.findings);
        Some(allow)
    }

    pub(super) fn filters(&mut self, node: &Node) -> Vec<TopicFilter> {
        match &node.kind {
            NodeKind::List(items) => items.iter().filter_map(|item| self.filter(item)).collect(),
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => self.filter(node).into_iter().collect(),
        }
    }

    pub(super) fn text_of(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
        let text: Arc<str> = given(fields, key).and_then(|node| self.plain_text(node))?;
        Some(text.to_string())
    }
}

/// Returns the value of `key` if it has one: a key without a value means the default.
pub(super) fn given<'n>(fields: &mut Fields<'n>, key: &'static str) -> Option<&'n Node> {
    fields.take(key).filter(|node| !node.is_null())
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::lang::text::FileText;

    pub(in crate::lang::settings) fn settings(yaml: &str) -> (Settings, Vec<String>) {
        let mut reader = Reader::new(FileText::new(SETTINGS_FILE.into(), yaml.into()));
        let settings = read(&mut reader, &Sources::new());
        // What this version can't keep is read all the same.
        let found = reader.findings.into_vec().into_iter().filter(|found| found.code != Code::NOT_OFFERED);
        let messages = found.map(|found| found.message).collect();
        (settings, messages)
    }

    #[test]
    fn all_documented_settings_are_read() {
        let yaml = r#"
location: { latitude: 51.5, longitude: -0.12, timezone: Europe/London }
data: .data
rules: my-rules
broker:
  listen: [127.0.0.1:1884, { address: "[::1]:8883", tls: { certificate: c.pem, key: k.pem }, websocket: true }]
  anonymous: false
  users: users.txt
  acl: acl.txt
  limits: { connections: 10, packet: 2MiB, queued_messages: 11, inflight: 12, retained: 13 }
web: { listen: 127.0.0.1:8331, token_file: token.txt }
devices: [ home/+room/+device/# ]
limits: { operations: 1000, evaluation: 50ms, chain: 8, storm: 50, runs: 99, payload: 1MiB, samples: 77, at_most: 9 }
allow: { exec: [say], http: ["http://a/*"] }
traces: { memory: 4MiB }
values: { ignore: [unavailable, unknown, nan] }
recorder: { keep: 2d, max_size: 64MiB, include: [home/#], exclude: home/noise }
"#;
        let (settings, messages) = settings(yaml);
        assert_eq!(messages, Vec::<String>::new());
        assert_eq!(settings.location, Some(Location { latitude: 51.5, longitude: -0.12 }));
        assert_eq!(settings.zone.as_deref(), Some("Europe/London"));
        assert_eq!((settings.data.as_str(), settings.rules.as_str()), (".data", "my-rules"));
        let BrokerSettings::Embedded(broker) = &settings.broker else { panic!("{settings:?}") };
        assert_eq!(broker.listen.len(), 2);
        assert!(broker.listen[1].websocket && broker.listen[1].tls.is_some());
        assert_eq!((broker.limits.packet, broker.limits.inflight, broker.limits.retained), (2 << 20, 12, 13));
        assert_eq!((settings.chain, settings.storm, settings.runs, settings.samples), (8, 50, 99, 77));
        assert_eq!(settings.at_most, 9);
        assert_eq!((settings.limits.operations, settings.payload), (1000, 1 << 20));
        assert_eq!(settings.trace_memory, 4 << 20);
        assert_eq!(settings.ignored, ["unavailable", "unknown", "nan"].map(Value::from));
        let filters = |text| vec![TopicFilter::parse(text).unwrap()];
        let (include, exclude) = (filters("home/#"), filters("home/noise"));
        let keep = Duration::from_hours(48);
        assert_eq!(
            settings.recorder,
            Some(RecorderSettings { keep, max_size: 64 << 20, include, is_include_written: true, exclude })
        );
        assert!(settings.allow.allows_url("http://a/b") && !settings.allow.allows_url("http://b/a/"));
    }

    #[test]
    fn the_recorder_may_be_switched_off() {
        for word in ["off", "false"] {
            assert_eq!(settings(&format!("recorder: {word}")).0.recorder, None, "{word}");
        }
        for word in ["on", "true", "", "{}"] {
            let (settings, messages) = settings(&format!("recorder: {word}"));
            assert_eq!((settings.recorder, messages), (Some(RecorderSettings::default()), Vec::new()), "{word}");
        }
        let wrong = |yaml: &str| settings(&format!("recorder: {yaml}")).1;
        assert_eq!(wrong("{ max_size: 10kB }"), ["the recorder needs at least 1 MiB"]);
        assert_eq!(wrong("{ keep: 0s }"), ["this duration must be longer than zero"]);
        assert_eq!(wrong("nothing").len(), 1);
    }

    #[test]
    fn an_empty_file_and_empty_keys_are_the_defaults() {
        for yaml in ["", "# nothing\n", "broker:\nweb:\nlimits:\n", "broker: { listen: }"] {
            assert_eq!(settings(yaml), (Settings::default(), Vec::new()), "{yaml}");
        }
    }

    #[test]
    fn a_broken_file_gives_the_defaults() {
        let (settings, messages) = settings("rules: here\nbroker: { listen: 1883 }");
        assert_eq!(settings, Settings::default());
        assert_eq!(messages, ["`1883` isn't a valid address to listen on"]);
    }
}
