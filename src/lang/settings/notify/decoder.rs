//! Decodes `notify` (docs/notifications.md).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::settings::decoder::given;
use crate::lang::yaml::tree::{Entry, Node};
use crate::model::{Fingerprint, Qos, Topic, Value};
use crate::rules::{
    DurationTemplate, Http, IfChanged, NtfyTarget, Publish, Target, TargetKind, Targets, TelegramTarget,
};
use crate::script::{Limits, Sandbox, Template};

use super::templates::Templates;

/// The words that say what a target is.
const KINDS: [&str; 4] = ["ntfy", "telegram", "publish", "http"];

/// For how long a target is tried again, unless it says.
const GIVE_UP: Duration = Duration::from_hours(1);

/// How long an HTTP request may take, unless the target says.
const HTTP_TIMEOUT: Duration = Duration::from_secs(10);

/// Where Telegram's bots are.
const TELEGRAM: &str = "https://api.telegram.org";

impl Reader<'_> {
    /// Returns the targets of notifications. `secrets` are the texts that came from elsewhere.
    pub(in crate::lang::settings) fn notify(
        &mut self,
        node: &Node,
        limits: Limits,
        secrets: &BTreeSet<Arc<str>>,
    ) -> Targets {
        let Some(entries) = node.as_map() else {
            self.wrong_type(node, "a map of names to targets (`phone: { ntfy: \"https://ntfy.sh/my-home\" }`)");
            return Targets::default();
        };
        let templates = Templates::new(Sandbox::new(limits), secrets.clone());
        let targets = entries.iter().filter_map(|entry| self.target(entry, &templates)).collect();
        let mut fingerprint = Fingerprint::new();
        fingerprint.text(self.text.get(node.span.clone()));
        for secret in secrets {
            fingerprint.text(secret);
        }
        Targets::new(targets, fingerprint.value())
    }

    fn target(&mut self, entry: &Entry, templates: &Templates) -> Option<Target> {
        let name = entry.key.as_str();
        let what = "a target of notifications";
        let mut fields = Fields::of(&entry.value, what, &self.text, &mut self.findings)?;
        let words: Vec<&'static str> = KINDS.into_iter().filter(|word| fields.has(word)).collect();
        let kind = match words.as_slice() {
            ["ntfy"] => self.ntfy(&mut fields),
            ["telegram"] => fields.take("telegram").and_then(|node| self.telegram(node)),
            ["publish"] => self.published_target(&mut fields, templates),
            [_] => fields.take("http").and_then(|node| self.http_target(node, templates)),
            [] => {
                let span = entry.key_span.clone();
                let message = format!("`{name}` doesn't say where its notifications go");
                let found = self.findings.error(Code::MISSING_KEY, span, message);
                found.help("add one of `ntfy`, `telegram`, `publish`, `http`");
                fields.allow(&KINDS);
                None
            }
            [first, second, ..] => {
                let message = format!("`{name}` is two targets, `{first}` and `{second}`");
                let found = self.findings.error(Code::CONFLICTING_KEYS, entry.key_span.clone(), message);
                found.help("make two targets of them; a rule may name a list");
                return None;
            }
        };
        let give_up = given(&mut fields, "give_up").map(|node| self.interval(node));
        fields.finish(&mut self.findings);
        let place = self.text.place(entry.key_span.start);
        Some(Target { name: name.into(), kind: kind?, give_up: give_up.unwrap_or(Some(GIVE_UP))?, place })
    }

    fn ntfy(&mut self, fields: &mut Fields<'_>) -> Option<TargetKind> {
        let url = fields.take("ntfy").and_then(|node| self.fixed(node, "a URL (`https://ntfy.sh/my-home`)"));
        let token = self.text_of(fields, "token").map(Arc::from);
        let url = url?;
        let trimmed = url.text.trim_end_matches('/');
        let is_web = is_web_address(trimmed);
        let parts = trimmed.rsplit_once('/').filter(|(server, topic)| !server.ends_with('/') && is_topic(topic));
        match parts.filter(|_| is_web) {
            Some((server, topic)) => {
                Some(TargetKind::Ntfy(NtfyTarget { server: server.into(), topic: topic.into(), token }))
            }
            None => {
                let message = format!("`{}` isn't the URL of a topic of ntfy", url.text);
                let found = self.findings.error(Code::BAD_URL, url.span, message);
                found.help("write `https://ntfy.sh/TOPIC`, or the address of your own server with the topic behind it");
                None
            }
        }
    }

    fn telegram(&mut self, node: &Node) -> Option<TargetKind> {
        let mut fields = Fields::of(node, "`telegram`", &self.text, &mut self.findings)?;
        let token = fields.need("token", &self.text).and_then(|node| self.plain_text(node));
        let chat = fields.need("chat", &self.text).and_then(|node| self.plain_text(node));
        let api = given(&mut fields, "api").map(|node| self.web_address(node));
        fields.finish(&mut self.findings);
        let api = api.unwrap_or_else(|| Some(TELEGRAM.into()))?;
        Some(TargetKind::Telegram(TelegramTarget { api, token: token?, chat: chat? }))
    }

    fn published_target(&mut self, fields: &mut Fields<'_>, templates: &Templates) -> Option<TargetKind> {
        let topic = fields.take("publish").and_then(|node| {
            let topic = templates.text(node, "a topic", self)?;
            let Some(text) = topic.as_constant().and_then(Value::as_text) else { return Some(topic) };
            match Topic::parse(text) {
                Ok(_) => Some(topic),
                Err(error) => {
                    self.findings.error(Code::BAD_TOPIC, node.span.clone(), error.to_string());
                    None
                }
            }
        });
        let payload = fields.need("payload", &self.text).and_then(|node| templates.value(node, self));
        let qos = given(fields, "qos").map_or(Some(Qos::default()), |node| self.qos(node));
        let retain = given(fields, "retain").map_or(Some(false), |node| self.flag(node));
        Some(TargetKind::Publish(Box::new(Publish {
            topic: topic?,
            payload: payload?,
            qos: qos?,
            retain: retain?,
            if_changed: IfChanged::Always,
            confirm: None,
        })))
    }

    fn http_target(&mut self, node: &Node, templates: &Templates) -> Option<TargetKind> {
        let mut fields = Fields::of(node, "`http`", &self.text, &mut self.findings)?;
        let method = match given(&mut fields, "method") {
            Some(node) => templates.text(node, "a method (`POST`, `PUT`)", self),
            None => Some(Template::Constant(Value::text("POST"))),
        };
        let url = fields.need("url", &self.text).and_then(|node| self.target_url(node, templates));
        let headers: Vec<_> = match given(&mut fields, "headers").map(|node| (node, node.as_map())) {
            None => Vec::new(),
            Some((_, Some(entries))) => entries.iter().map(|entry| templates.entry(entry, self)).collect(),
            Some((node, None)) => {
                self.wrong_type(node, "a map of headers");
                vec![None]
            }
        };
        let body = given(&mut fields, "body").map(|node| templates.value(node, self));
        let timeout = given(&mut fields, "timeout").map(|node| self.interval(node));
        fields.finish(&mut self.findings);
        let body = match body {
            Some(body) => Some(body?),
            None => None,
        };
        Some(TargetKind::Http(Box::new(Http {
            method: method?,
            url: url?,
            headers: headers.into_iter().collect::<Option<_>>()?,
            body,
            timeout: DurationTemplate::Fixed(timeout.unwrap_or(Some(HTTP_TIMEOUT))?),
        })))
    }

    fn target_url(&mut self, node: &Node, templates: &Templates) -> Option<Template> {
        let url = templates.text(node, "a URL", self)?;
        let Some(text) = url.as_constant().and_then(Value::as_text) else { return Some(url) };
        if is_web_address(text) {
            return Some(url);
        }
        self.no_web_address(node, text);
        None
    }

    /// Returns the address of a server, without the `/` at its end.
    fn web_address(&mut self, node: &Node) -> Option<Arc<str>> {
        let fixed = self.fixed(node, "a URL")?;
        if is_web_address(&fixed.text) {
            return Some(fixed.text.trim_end_matches('/').into());
        }
        self.no_web_address(node, &fixed.text);
        None
    }

    fn no_web_address(&mut self, node: &Node, text: &str) {
        let message = format!("`{text}` isn't a URL");
        let found = self.findings.error(Code::BAD_URL, node.span.clone(), message);
        found.help("it begins with `https://` or `http://`");
    }
}

fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
}

/// Returns whether ntfy takes a topic of this name.
fn is_topic(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
