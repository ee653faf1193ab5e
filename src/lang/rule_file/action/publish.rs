//! Decodes the actions that publish: `publish`, a map of topics, and `scene`.

use std::collections::BTreeMap;

use crate::lang::reader::fields::{Fields, Missing};
use crate::lang::yaml::tree::{Entry, Node, NodeKind};
use crate::lang::{Applies, Code};
use crate::model::{Name, Qos, Topic, TopicError, Value};
use crate::rules::{ActionKind, IfChanged, Publish};
use crate::script::{Closure, Template, TextPart};

use crate::lang::rule_file::decoder::Decoder;
use crate::lang::rule_file::file::RuleFile;
use crate::lang::rule_file::fingerprint::scene_fingerprint;
use crate::lang::rule_file::scenes::SceneParts;
use crate::lang::rule_file::trigger::optional;

/// What `if_changed` takes.
const IF_CHANGED: &str = "`true`, or the topic that the device reports its state on";

impl Decoder<'_> {
    /// Returns the action `publish`.
    pub(in crate::lang::rule_file) fn publish(&mut self, fields: &mut Fields<'_>) -> Option<ActionKind> {
        let node = fields.take("publish")?;
        if node.as_map().is_some() {
            let span = self.mark(node);
            let found = self.findings.error(Code::WRONG_TYPE, span, "`publish` takes a topic, not a map");
            found.help("write `publish: TOPIC` with `payload: …` next to it, or just `TOPIC: PAYLOAD`");
            fields.allow(&["payload", "qos", "retain", "if_changed", "confirm", "retry"]);
            return None;
        }
        let topic = self.publish_topic(node);
        let payload = match fields.take("payload") {
            Some(payload) => self.payload(payload),
            None => {
                let span = self.text.first_line(&fields.span());
                let message = "`payload` is missing from the action `publish`".to_owned();
                let help = Some("to clear a retained message, write `payload: null`".to_owned());
                fields.missing(Missing { keys: vec!["payload"], code: Code::MISSING_KEY, span, message, help });
                None
            }
        };
        let qos = fields.take("qos").map_or(Some(Qos::default()), |node| self.qos(node));
        let retain = fields.take("retain").map_or(Some(false), |node| self.flag(node));
        let if_changed = match fields.take("if_changed") {
            Some(changed) => self.if_changed(changed, node),
            None => Some(IfChanged::Always),
        };
        let retry = self.publish_retry(fields);
        let confirm = fields.take("confirm").map(|node| self.publish_confirm(node, retry));
        let confirm = optional(confirm)?;
        retry?;
        let publish =
            Publish { confirm, topic: topic?, payload: payload?, qos: qos?, retain: retain?, if_changed: if_changed? };
        Some(ActionKind::Publish(vec![publish]))
    }

    /// Returns the messages of a map of topics to payloads.
    pub(in crate::lang::rule_file) fn messages<'e>(
        &mut self,
        entries: impl Iterator<Item = &'e Entry>,
    ) -> Option<Vec<Publish>> {
        let messages: Vec<_> = entries
            .map(|entry| {
                let template = self.key_template(entry);
                let topic = template.and_then(|topic| self.check_topic(topic, entry.key.as_str(), &entry.key_span));
                let payload = self.payload(&entry.value);
                Some(Publish {
                    topic: topic?,
                    payload: payload?,
                    qos: Qos::default(),
                    retain: false,
                    if_changed: IfChanged::Always,
                    confirm: None,
                })
            })
            .collect();
        messages.into_iter().collect()
    }

    /// Returns the action that publishes the scene `name` of `file`.
    fn scene_action(&mut self, name: Name, file: &RuleFile, scene: &Node) -> Option<ActionKind> {
        let ((messages, sets), constants) = if file.stem == self.file.stem {
            (self.scene_parts(scene)?, Vec::new())
        } else {
            (self.foreign_scene(file, scene)?, file.constants.pairs())
        };
        let meaning = scene_fingerprint(scene, &file.constants);
        self.beside.insert(format!("scene {name} {meaning:x}"));
        Some(ActionKind::Scene { name, messages, sets, constants })
    }

    /// Returns the scenes that this rule may name at run: all with a unique name.
    pub(in crate::lang::rule_file) fn scenes(&mut self) -> BTreeMap<Name, ActionKind> {
        if !self.names_scenes && !self.closures.iter().any(Closure::may_name_scenes) {
            return BTreeMap::new();
        }
        let context = self.context;
        let all: Vec<(Name, &RuleFile)> =
            context.files.iter().flat_map(|file| file.scenes.keys().map(move |name| (name.clone(), &**file))).collect();
        let mut scenes = BTreeMap::new();
        // A closure never waits, so a changed scene leaves none unfinished, and changes no rule.
        let beside = self.beside.clone();
        for (name, file) in &all {
            let is_own = file.stem == self.file.stem;
            let is_alone = is_own || all.iter().filter(|(other, _)| other == name).count() == 1;
            let Some(scene) = file.scenes.get(name).filter(|_| is_alone) else { continue };
            scenes.extend(self.scene_action(name.clone(), file, scene).map(|action| (name.clone(), action)));
        }
        self.beside = beside;
        scenes
    }

    /// Returns the action `scene`.
    pub(in crate::lang::rule_file) fn scene(&mut self, fields: &mut Fields<'_>) -> Option<ActionKind> {
        let node = fields.take("scene")?;
        if node.as_scalar().is_some_and(|scalar| scalar.text.as_str().contains("${")) {
            let name = self.text_template(node, "a scene's name")?;
            if !self.constants.fix(&self.context.sandbox, &name) {
                self.names_scenes = true;
                return Some(ActionKind::SceneByName(name));
            }
        }
        let fixed = self.fixed(node, "a scene's name")?;
        match self.find_scene(&fixed.text, fixed.span)? {
            Some((file, scene)) => self.scene_action(fixed.text, file, scene),
            None => Some(ActionKind::Scene {
                name: fixed.text,
                messages: Vec::new(),
                sets: Vec::new(),
                constants: Vec::new(),
            }),
        }
    }

    /// Returns the parts of another file's scene, which reads that file's constants. Mistakes in it are reported
    /// there.
    fn foreign_scene(&mut self, file: &crate::lang::rule_file::RuleFile, scene: &Node) -> Option<SceneParts> {
        let mut reader = crate::lang::reader::Reader::new(file.text.clone());
        reader.sandbox = self.sandbox;
        reader.constants = file.constants.clone();
        let mut decoder = Decoder {
            names: file.constants.names(),
            reader,
            context: self.context,
            file: self.file,
            id: self.id.clone(),
            blocks: Vec::new(),
            beside: std::collections::BTreeSet::new(),
            closures: Vec::new(),
            past: Vec::new(),
            asks_waits: false,
            names_scenes: false,
        };
        decoder.scene_parts(scene)
    }

    /// Returns the payload: a number as it was written, anything else as a template.
    fn payload(&mut self, node: &Node) -> Option<Template> {
        if let NodeKind::Scalar(scalar) = &node.kind
            && matches!(scalar.value, Value::Int(_) | Value::Float(_))
            && scalar.value.to_string() != scalar.text.as_str()
        {
            self.scalar(node, "a payload")?;
            return Some(Template::Constant(Value::text(scalar.text.as_str())));
        }
        self.template(node)
    }

    /// Returns the topic that an action publishes to.
    pub(in crate::lang::rule_file) fn publish_topic(&mut self, node: &Node) -> Option<Template> {
        let template = self.text_template(node, "a topic")?;
        let text = node.as_scalar().map_or("", |scalar| scalar.text.as_str());
        self.check_topic(template, text, &node.span)
    }

    /// Checks what is known at load about a topic to publish to; `text` is how it was written, at `span`.
    fn check_topic(&mut self, template: Template, text: &str, span: &std::ops::Range<usize>) -> Option<Template> {
        if text.starts_with('$') && !text.starts_with("${") {
            let message = "topics that start with `$` belong to the broker";
            self.findings.error(Code::RESERVED_TOPIC, span.clone(), message).help("use another first level");
            return None;
        }
        let error = match &template {
            Template::Constant(value) => Topic::parse(&value.to_string()).err(),
            Template::Text(parts) => {
                let is_wild = |part: &TextPart| matches!(part, TextPart::Literal(text) if text.contains(['+', '#']));
                parts.iter().any(is_wild).then_some(TopicError::Wildcard)
            }
            Template::Expression(_) | Template::List(_) | Template::Map(_) => None,
        };
        let Some(error) = error else { return Some(template) };
        let help = match error {
            TopicError::Wildcard => {
                Some("a message goes to one topic: write it out, or use a variable (`home/${room}/light`)")
            }
            TopicError::Empty | TopicError::Control | TopicError::TooLong | TopicError::TooDeep => None,
        };
        let found = self.findings.error(Code::BAD_TOPIC, span.clone(), error.to_string());
        found.help_if(help.map(str::to_owned));
        None
    }

    /// Reports text without expressions that isn't a topic.
    pub(in crate::lang::rule_file) fn check_constant_topic(&mut self, text: &str, node: &Node) -> Option<()> {
        let Err(error) = Topic::parse(text) else { return Some(()) };
        let help = match error {
            TopicError::Wildcard => Some("this reads one topic; for several, use `any('home/+/motion', …)`".to_owned()),
            TopicError::Empty | TopicError::Control | TopicError::TooLong | TopicError::TooDeep => None,
        };
        let span = self.mark(node);
        self.findings.error(Code::BAD_TOPIC, span, error.to_string()).help_if(help);
        None
    }

    fn if_changed(&mut self, node: &Node, topic: &Node) -> Option<IfChanged> {
        let value = node.as_scalar().map(|scalar| &scalar.value);
        match value {
            Some(Value::Bool(false)) => Some(IfChanged::Always),
            Some(Value::Bool(true)) => {
                self.warn_of_command_topic(node, topic);
                Some(IfChanged::OwnTopic)
            }
            Some(Value::Text(text)) if ["yes", "no", "on", "off"].contains(&text.to_lowercase().as_str()) => {
                let meant = ["yes", "on"].contains(&text.to_lowercase().as_str()).to_string();
                let help = format!("YAML 1.2 reads `{text}` as text; write `{meant}`");
                let found = self.wrong_type(node, IF_CHANGED);
                found.help(help).fix(node.span.clone(), meant, Applies::Safe);
                None
            }
            Some(Value::Text(_)) => {
                let topic = self.text_template(node, IF_CHANGED)?;
                if let Some(text) = topic.as_constant().and_then(Value::as_text) {
                    self.check_constant_topic(text, node)?;
                }
                Some(IfChanged::Topic(topic))
            }
            _ => {
                self.wrong_type(node, IF_CHANGED);
                None
            }
        }
    }

    fn warn_of_command_topic(&mut self, node: &Node, topic: &Node) {
        let text = topic.as_scalar().map_or("", |scalar| scalar.text.as_str());
        let state = text.strip_suffix("/set").or_else(|| text.strip_suffix("/command"));
        if state.is_none() && !text.starts_with("cmnd/") {
            return;
        }
        let message = "this compares with the last command, so it leaves a device alone that was switched by hand";
        let state = state.unwrap_or("stat/…");
        let found = self.findings.warning(Code::COMMAND_TOPIC, node.span.clone(), message);
        found.help(format!("name the topic that the device reports its state on: `if_changed: {state}`"));
    }
}
