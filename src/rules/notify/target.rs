//! Where notifications go: `notify` of homerule.yaml.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Name, Place, matches_star};
use crate::rules::{Http, Publish};

/// The variables that the texts of a target may read.
pub const NOTICE_VARIABLES: [&str; 5] = ["title", "message", "priority", "tags", "buttons"];

/// How many buttons ntfy takes.
const MOST_BUTTONS_OF_NTFY: usize = 3;

/// All targets of a home, with what goes for all of them.
#[derive(Debug, Clone)]
pub struct Targets {
    by_name: BTreeMap<Name, Arc<Target>>,
    /// How others reach the home: buttons lead there. `None`: nobody can.
    pub public_url: Option<Arc<str>>,
    /// Patterns of the URLs that may be asked.
    pub allowed: Vec<Arc<str>>,
    /// Equal for targets that mean the same.
    fingerprint: u64,
}

impl Default for Targets {
    fn default() -> Targets {
        Targets { by_name: BTreeMap::new(), public_url: None, allowed: vec!["*".into()], fingerprint: 0 }
    }
}

/// Two sets of targets are equal if their texts are.
impl PartialEq for Targets {
    fn eq(&self, other: &Targets) -> bool {
        let names = |targets: &Targets| targets.by_name.keys().cloned().collect::<Vec<_>>();
        self.fingerprint == other.fingerprint
            && self.public_url == other.public_url
            && self.allowed == other.allowed
            && names(self) == names(other)
    }
}

impl Targets {
    /// Returns these targets; `fingerprint` is one of the text that they were read from.
    #[must_use]
    pub fn new(targets: Vec<Target>, fingerprint: u64) -> Targets {
        let fingerprint = if targets.is_empty() { 0 } else { fingerprint };
        let by_name = targets.into_iter().map(|target| (target.name.clone(), Arc::new(target))).collect();
        Targets { by_name, fingerprint, ..Targets::default() }
    }

    /// Returns the target of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Target>> {
        self.by_name.get(name)
    }

    /// Returns the names.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.by_name.keys()
    }

    /// Returns the targets, by their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.by_name.values()
    }

    /// Returns whether `target` may ask `url`. Where it's a topic of ntfy, which is told at its server's root, the topic's own address counts too.
    #[must_use]
    pub fn allows(&self, target: &Target, url: &str) -> bool {
        let own = target.url().filter(|_| matches!(target.kind, TargetKind::Ntfy(_)));
        let mut urls = own.iter().map(String::as_str).chain([url]);
        urls.any(|url| self.allowed.iter().any(|pattern| matches_star(pattern, url)))
    }
}

/// Where a notification goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name.
    pub name: Name,
    /// How it is told.
    pub kind: TargetKind,
    /// For how long it is tried again.
    pub give_up: Duration,
    /// Where it stands.
    pub place: Place,
}

/// The kinds of targets.
#[derive(Debug, Clone)]
pub enum TargetKind {
    /// A topic of an ntfy server.
    Ntfy(NtfyTarget),
    /// A chat of Telegram.
    Telegram(TelegramTarget),
    /// A message to whatever shows notifications.
    Publish(Box<Publish>),
    /// A request.
    Http(Box<Http>),
}

/// A topic of an ntfy server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NtfyTarget {
    /// The server: `https://ntfy.sh`.
    pub server: Arc<str>,
    /// The topic.
    pub topic: Arc<str>,
    /// What lets us publish there; `None`: everyone may.
    pub token: Option<Arc<str>>,
}

/// A chat of Telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramTarget {
    /// The server: `https://api.telegram.org`.
    pub api: Arc<str>,
    /// The bot's token.
    pub token: Arc<str>,
    /// The chat: its number, or the name of a channel.
    pub chat: Arc<str>,
}

impl TelegramTarget {
    /// Returns the URL of a method of the bot.
    #[must_use]
    pub fn url(&self, method: &str) -> String {
        format!("{}/bot{}/{method}", self.api, self.token)
    }
}

impl Target {
    /// Returns the URL that it asks, where that is written out.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        match &self.kind {
            TargetKind::Ntfy(ntfy) => Some(format!("{}/{}", ntfy.server, ntfy.topic)),
            TargetKind::Telegram(telegram) => Some(telegram.url("sendMessage")),
            TargetKind::Publish(_) => None,
            TargetKind::Http(http) => http.url.as_constant().map(ToString::to_string),
        }
    }

    /// Returns where it sends, as anybody may see it.
    #[must_use]
    pub fn address(&self) -> String {
        match &self.kind {
            TargetKind::Telegram(telegram) => telegram.api.to_string(),
            TargetKind::Ntfy(_) | TargetKind::Publish(_) | TargetKind::Http(_) => self.url().unwrap_or_default(),
        }
    }

    /// Returns whether its buttons lead to our own web interface.
    #[must_use]
    pub fn needs_public_url(&self) -> bool {
        match &self.kind {
            TargetKind::Ntfy(_) | TargetKind::Http(_) => true,
            TargetKind::Telegram(_) | TargetKind::Publish(_) => false,
        }
    }

    /// Returns how many buttons it shows at most; `None`: as many as there may be.
    #[must_use]
    pub fn most_buttons(&self) -> Option<usize> {
        match &self.kind {
            TargetKind::Ntfy(_) => Some(MOST_BUTTONS_OF_NTFY),
            TargetKind::Telegram(_) | TargetKind::Publish(_) | TargetKind::Http(_) => None,
        }
    }

    /// Returns whether it is a topic: then the message is a publication of its rule.
    #[must_use]
    pub fn is_published(&self) -> bool {
        matches!(self.kind, TargetKind::Publish(_))
    }

    /// Returns whether its texts read a variable of the notification.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        let templates = match &self.kind {
            TargetKind::Ntfy(_) | TargetKind::Telegram(_) => return true,
            TargetKind::Publish(publish) => vec![&publish.topic, &publish.payload],
            TargetKind::Http(http) => {
                let headers = http.headers.iter().flat_map(|(name, value)| [name, value]);
                headers.chain([&http.url]).chain(http.body.as_ref()).collect()
            }
        };
        let mut expressions = templates.into_iter().flat_map(crate::script::Template::expressions);
        expressions.any(|expression| expression.variables().iter().any(|name| **name == *variable))
    }
}
