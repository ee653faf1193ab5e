//! Decodes the action `notify` (docs/notifications.md).

use std::ops::Range;

use crate::lang::reader::fields::Fields;
use crate::lang::rule_file::decoder::Decoder;
use crate::lang::rule_file::trigger::optional;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::lang::{Code, near};
use crate::model::Value;
use crate::rules::{ActionKind, Notify, NotifyButton};
use crate::script::Template;

/// The most buttons.
const MOST_BUTTONS: usize = 10;

/// The priorities, from the least to the most urgent.
const PRIORITIES: std::ops::RangeInclusive<i64> = 1..=5;

impl Decoder<'_> {
    /// Returns the action `notify`.
    pub(super) fn notify(&mut self, fields: &mut Fields<'_>) -> Option<ActionKind> {
        let node = fields.take("notify")?;
        let targets = self.notify_targets(node);
        let message = fields.need("message", &self.reader.text);
        let message = message.and_then(|node| self.text_template(node, "what to say"));
        let title = fields.take("title").map(|node| self.title(node));
        let priority = fields.take("priority").map(|node| self.priority(node));
        let tags = fields.take("tags").map(|node| self.notice_tags(node));
        let buttons = fields.take_entry("buttons");
        let read = buttons.map_or(Some(Vec::new()), |entry| self.buttons(&entry.value));
        let notify = Notify {
            targets: targets?,
            message: message?,
            title: optional(title)?,
            priority: optional(priority)?,
            tags: optional(tags)?,
            buttons: read?,
        };
        if let Some(entry) = buttons.filter(|_| !notify.buttons.is_empty()) {
            self.check_answers(&notify, &entry.key_span);
        }
        Some(ActionKind::Notify(notify))
    }

    fn notify_targets(&mut self, node: &Node) -> Option<Template> {
        match &node.kind {
            NodeKind::List(items) if !items.is_empty() => {
                let items: Vec<_> = items.iter().map(|item| self.notify_target(item)).collect();
                let items: Vec<Template> = items.into_iter().collect::<Option<_>>()?;
                Some(Template::List(items))
            }
            NodeKind::Scalar(_) => self.notify_target(node),
            NodeKind::List(_) | NodeKind::Map(_) | NodeKind::Closure(_) => {
                let found = self.wrong_type(node, "the name of a target, or a list of them");
                found.help("targets stand under `notify` in homerule.yaml; write `notify: phone`, `message: …`");
                None
            }
        }
    }

    fn notify_target(&mut self, node: &Node) -> Option<Template> {
        let template = self.text_template(node, "the name of a target")?;
        if let Some(name) = template.as_constant().and_then(Value::as_text) {
            self.known_target(name, node.span.clone())?;
        }
        Some(template)
    }

    /// Reports a target that homerule.yaml doesn't name, or that it doesn't allow.
    pub(in crate::lang::rule_file) fn known_target(&mut self, name: &str, span: Range<usize>) -> Option<()> {
        let Some(targets) = &self.context.targets else { return Some(()) };
        let Some(target) = targets.get(name) else {
            let known: Vec<&str> = targets.names().map(AsRef::as_ref).collect();
            let message = format!("homerule.yaml has no target `{name}` under `notify`");
            let near = near::suggestion(name, &known).map(near::Suggestion::doubted);
            let found = self.reader.findings.error(Code::UNKNOWN_TARGET, span.clone(), message);
            if near.is_none() {
                found.help(format!("add e.g. `notify: {{ {name}: {{ ntfy: \"https://ntfy.sh/my-home\" }} }}` there"));
            }
            found.suggest(span, near);
            return None;
        };
        if target.url().is_none_or(|url| targets.allows(target, &url)) {
            return Some(());
        }
        let address = target.address();
        let message =
            format!("homerule.yaml doesn't allow requests to `{address}`, where `{name}` sends notifications");
        let found = self.reader.findings.error(Code::NOT_ALLOWED, span, message);
        found.help("add it to `allow: { http: [\"https://…/*\"] }` there; `*` matches any text");
        None
    }

    fn title(&mut self, node: &Node) -> Option<Template> {
        if node.is_null() {
            return Some(Template::Constant(Value::text("")));
        }
        self.text_template(node, "a title")
    }

    fn priority(&mut self, node: &Node) -> Option<Template> {
        let template = self.template(node)?;
        let Some(value) = template.as_constant() else { return Some(template) };
        if matches!(value, Value::Int(priority) if PRIORITIES.contains(priority)) {
            return Some(template);
        }
        let span = self.mark(node);
        let message = format!("`{value}` isn't a priority");
        let found = self.findings.error(Code::OUT_OF_RANGE, span, message);
        found.help("write a number from 1 (least urgent) to 5 (most urgent); 3 is the usual one");
        None
    }

    fn notice_tags(&mut self, node: &Node) -> Option<Template> {
        match &node.kind {
            NodeKind::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.text_template(item, "a tag")).collect();
                Some(Template::List(items.into_iter().collect::<Option<_>>()?))
            }
            NodeKind::Scalar(_) => self.text_template(node, "a tag, or a list of them"),
            NodeKind::Map(_) | NodeKind::Closure(_) => {
                self.wrong_type(node, "a list of tags (`[warning, house]`)");
                None
            }
        }
    }

    fn buttons(&mut self, node: &Node) -> Option<Vec<NotifyButton>> {
        let items = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            NodeKind::Map(_) => std::slice::from_ref(node),
            NodeKind::Scalar(_) | NodeKind::Closure(_) => {
                self.wrong_type(node, "a list of buttons (`[{ text: Open, webhook: open }]`)");
                return None;
            }
        };
        if let Some(extra) = items.get(MOST_BUTTONS) {
            let span = self.mark(extra);
            let message = format!("a notification has at most {MOST_BUTTONS} buttons");
            let found = self.findings.error(Code::BAD_BUTTON, span, message);
            found.help("nobody reads more");
            return None;
        }
        let buttons: Vec<_> = items.iter().map(|item| self.button(item)).collect();
        buttons.into_iter().collect()
    }

    fn button(&mut self, node: &Node) -> Option<NotifyButton> {
        let what = "a button";
        let mut fields = Fields::of(node, what, &self.reader.text, &mut self.reader.findings)?;
        let text = fields.need("text", &self.reader.text);
        let text = text.and_then(|node| self.text_template(node, "what stands on the button"));
        let webhook_node = fields.need("webhook", &self.reader.text);
        let webhook = webhook_node.and_then(|node| self.text_template(node, "the name of a webhook"));
        fields.finish(&mut self.reader.findings);
        let (text, webhook) = (text?, webhook?);
        if let (Some(name), Some(node)) = (webhook.as_constant().and_then(Value::as_text), webhook_node) {
            self.heard_webhook(name, node)?;
        }
        Some(NotifyButton { text, webhook })
    }

    /// Reports a webhook that no rule hears.
    fn heard_webhook(&mut self, name: &str, node: &Node) -> Option<()> {
        let Some(known) = &self.context.webhooks else { return Some(()) };
        if known.contains(name) {
            return Some(());
        }
        let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
        let near = near::nearest(name, known.iter().copied()).map(near::did_you_mean);
        let message = format!("no rule hears the webhook `{name}`, so this button would do nothing");
        let found = self.reader.findings.error(Code::BAD_BUTTON, node.span.clone(), message);
        found.help(near.unwrap_or_else(|| format!("add a rule with `when: {{ webhook: {name} }}`")));
        None
    }

    /// Warns of buttons that nobody can press.
    fn check_answers(&mut self, notify: &Notify, span: &Range<usize>) {
        let Some(targets) = &self.context.targets else { return };
        let named = notify.named_targets();
        let named: Vec<_> = named.iter().filter_map(|name| targets.get(name)).collect();
        let small = named.iter().find_map(|target| Some((target, target.most_buttons()?)));
        if let Some((target, most)) = small.filter(|(_, most)| notify.buttons.len() > *most) {
            let message =
                format!("`{}` shows at most {most} buttons, and these are {}", target.name, notify.buttons.len());
            self.reader.findings.error(Code::BAD_BUTTON, span.clone(), message);
        }
        let unreachable = named.iter().find(|target| target.needs_public_url());
        if let Some(target) = unreachable.filter(|_| targets.public_url.is_none()) {
            let message = format!("the buttons of `{}` lead nowhere: they need `web.public_url`", target.name);
            let found = self.reader.findings.warning(Code::BAD_BUTTON, span.clone(), message);
            found.help("say in homerule.yaml how phones reach it: `web: { public_url: \"https://home.example\" }`");
        }
        if let Some(target) = named.iter().find(|target| !target.reads("buttons") && target.url().is_some()) {
            let message = format!("`{}` doesn't show buttons: no text of it reads `buttons`", target.name);
            let found = self.reader.findings.warning(Code::BAD_BUTTON, span.clone(), message);
            found.help("use `${buttons}` in its `body`: a list of `{ text, url }`");
        }
    }
}
