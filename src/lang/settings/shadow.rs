//! `shadow`: rules that run beside those in force and do nothing (docs/safety.md).

use std::time::Duration;

use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::yaml::tree::Node;

use super::decoder::given;

/// What the rules in the shadow are compared with, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowSettings {
    /// The folder of their files, relative to the home.
    pub rules: String,
    /// What they are compared with.
    pub compare: Compare,
    /// How far apart two decisions may be that are the same.
    pub window: Duration,
}

/// What rules in the shadow are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// What the rules in force decide.
    Own,
    /// What anybody publishes to the topics that the rules in the shadow publish to.
    Live,
}

impl Compare {
    /// Returns its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Compare::Own => "own",
            Compare::Live => "live",
        }
    }

    /// Returns how far apart two decisions may be that are the same, unless the settings say so: both sides of
    /// [`Compare::Own`] hear the same at once, while another system takes its time.
    #[must_use]
    pub const fn window(self) -> Duration {
        match self {
            Compare::Own => Duration::from_secs(1),
            Compare::Live => Duration::from_secs(10),
        }
    }
}

impl ShadowSettings {
    /// Returns those of the rules in the folder `rules`, with all else as usual.
    #[must_use]
    pub fn of(rules: String) -> ShadowSettings {
        ShadowSettings { rules, compare: Compare::Own, window: Compare::Own.window() }
    }
}

impl Reader<'_> {
    /// Returns what `shadow` says; `own` is the folder of the rules in force.
    pub(super) fn shadow(&mut self, node: &Node, own: &str) -> Option<ShadowSettings> {
        let mut fields = Fields::of(node, "`shadow`", &self.text, &mut self.findings)?;
        let rules = fields.need("rules", &self.text).and_then(|node| self.shadow_folder(node, own));
        let compare = given(&mut fields, "compare")
            .and_then(|node| self.word(node, &[("own", Compare::Own), ("live", Compare::Live)]))
            .unwrap_or(Compare::Own);
        let window = given(&mut fields, "window").and_then(|node| self.interval(node));
        fields.finish(&mut self.findings);
        Some(ShadowSettings { rules: rules?, compare, window: window.unwrap_or(compare.window()) })
    }

    /// Returns the folder of rules in the shadow, which can't be, or be within, that of the rules in force.
    fn shadow_folder(&mut self, node: &Node, own: &str) -> Option<String> {
        let name = self.folder_name(node, "../new-rules")?;
        let parts = |text: &str| -> Vec<String> {
            text.split('/').filter(|part| !matches!(*part, "" | ".")).map(ToOwned::to_owned).collect()
        };
        if !parts(&name).starts_with(&parts(own)) {
            return Some(name);
        }
        let span = self.mark(node);
        let message = format!("`{name}` is where the rules in force are");
        self.findings
            .error(Code::BAD_NAME, span, message)
            .help("name a folder of its own for the rules in the shadow, e.g. `../new-rules`");
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::settings::decoder::tests::settings;

    #[test]
    fn the_folder_of_the_rules_in_the_shadow_is_read_with_what_is_usual() {
        let (settings, messages) = settings("shadow: { rules: ../new-rules }");
        assert_eq!(messages, Vec::<String>::new());
        assert_eq!(settings.shadow, Some(ShadowSettings::of("../new-rules".to_owned())));
    }

    #[test]
    fn another_system_may_take_ten_seconds_unless_told() {
        let window = |yaml: &str| settings(yaml).0.shadow.map(|shadow| (shadow.compare, shadow.window));
        assert_eq!(window("shadow: { rules: new, compare: live }"), Some((Compare::Live, Duration::from_secs(10))));
        assert_eq!(
            window("shadow: { rules: new, compare: own, window: 300ms }"),
            Some((Compare::Own, Duration::from_millis(300)))
        );
    }

    #[test]
    fn the_rules_in_force_are_no_shadow_of_themselves() {
        let messages = |yaml: &str| settings(yaml).1;
        assert_eq!(messages("shadow: { rules: ./rules/ }"), ["`./rules/` is where the rules in force are"]);
        assert_eq!(messages("shadow: { rules: rules/new }"), ["`rules/new` is where the rules in force are"]);
        assert_eq!(messages("rules: mine\nshadow: { rules: rules }"), Vec::<String>::new());
        assert_eq!(messages("shadow: { compare: own }").len(), 1);
        assert_eq!(messages("shadow: { rules: new, compare: both }").len(), 1);
    }
}
