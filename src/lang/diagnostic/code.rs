//! All mistakes that are found in the user's text, each with its own number, which is never reused.

use crate::lang::Code;
use crate::script::ExpressionErrorKind;

macro_rules! codes {
    ($($number:literal $name:ident $sentence:literal)*) => {
        impl Code {
            $(#[doc = $sentence] pub const $name: Code = Code($number);)*

            /// All codes in order, each with a sentence that says which mistake it is.
            pub const ALL: &[(Code, &str)] = &[$((Code($number), $sentence)),*];
        }
    };
}

codes! {
    1 UNREADABLE_FILE "A file or folder can't be read."
    2 NOT_UTF8 "A file isn't UTF-8 text."
    3 TAB_AS_INDENTATION "A tab is used to indent YAML."
    4 YAML_SYNTAX "A file isn't valid YAML."
    5 NEEDS_QUOTES "A value needs quotes in YAML."
    6 SEVERAL_DOCUMENTS "A file has more than one YAML document."
    7 TOO_DEEP "Lists and maps are nested too deeply."
    8 TOO_LARGE "A file is too large."
    9 KEY_IS_NO_TEXT "A key is a list or a map."
    10 DUPLICATE_KEY "A key is in a map twice."
    11 UNKNOWN_TAG "A YAML tag (`!name`) has no meaning."
    12 MERGE_KEY "A YAML merge key (`<<`) isn't supported."
    13 CUT_BY_COMMENT "Text is cut off by ` #`, which starts a comment."
    20 UNKNOWN_KEY "Unknown key."
    21 WRONG_TYPE "A value has the wrong type."
    22 MISSING_KEY "A required key is missing."
    23 UNKNOWN_WORD "A word isn't one of those allowed."
    24 CONFLICTING_KEYS "Two keys can't be used together."
    25 KEY_WITHOUT_EFFECT "A key has no effect without another one."
    30 BAD_DURATION "Invalid duration."
    31 BAD_TIME "Invalid time."
    32 BAD_WEEKDAY "Invalid weekday."
    33 BAD_CRON "Invalid cron pattern, or one that is never due."
    34 BAD_FILTER "Invalid topic filter."
    35 BAD_TOPIC "Invalid topic."
    36 BAD_PATH "Invalid path into a value."
    37 OUT_OF_RANGE "A number is out of range."
    38 EMPTY_RANGE "`above` isn't less than `below`."
    39 NO_LOCATION "The sun is used, but the home has no location."
    40 BAD_NAME "Invalid name."
    50 EXPRESSION_SYNTAX "An expression isn't valid."
    51 UNKNOWN_VARIABLE "An expression reads an unknown name."
    52 UNKNOWN_FUNCTION "An expression or a script calls an unknown function."
    53 NOT_AN_EXPRESSION "An expression does what only a script can."
    54 NOT_CONSTANT "Text that is fixed at load reads something that isn't known yet."
    55 CONSTANT_FAILED "Text that is fixed at load can't be evaluated."
    56 RESERVED_NAME "A variable or wildcard has a reserved name."
    60 NO_TRIGGER "A rule never starts."
    61 UNKNOWN_TRIGGER "A map isn't a trigger."
    62 SEVERAL_TRIGGERS "A trigger has two kinds."
    63 CANNOT_HOLD "`for` is used with a trigger that doesn't last."
    64 UNKNOWN_CONDITION "A map isn't a condition."
    65 SEVERAL_CONDITIONS "A condition has two kinds."
    66 UNKNOWN_ACTION "An item isn't an action."
    67 SEVERAL_ACTIONS "An item has two actions."
    68 NO_ACTION "A rule does nothing."
    69 RESERVED_TOPIC "A topic belongs to the broker."
    70 UNKNOWN_RULE "Unknown rule."
    71 AMBIGUOUS_RULE "Several rules have that name."
    72 UNKNOWN_SCENE "Unknown scene."
    73 HOLDS_OF_WHEN "`holds()` is used with a rule that has no `while`."
    74 RUN_CIRCLE "Rules run each other in a circle."
    75 ENDLESS_REPEAT "A `repeat` never ends."
    76 COMMAND_TOPIC "`if_changed: true` compares with a command."
    77 BAD_EACH "An `each` has no instances, or two with the same name."
    78 NOT_ALLOWED "homerule.yaml doesn't allow it."
    79 DUPLICATE_RULE "Two rules have the same id."
    80 BAD_ADDRESS "Invalid address."
    81 BAD_SIZE "Invalid size."
    82 BAD_ZONE "Unknown time zone."
    83 BAD_URL "Invalid broker URL."
    85 NO_RULES "The home has no rules."
    86 OPEN_LISTENER "A listener lets in everyone, or no one."
    87 MISSING_SECRET "A secret has no value."
    88 SCRIPT_SYNTAX "A script isn't valid."
    89 SCRIPT_FAILED "A script fails while it loads."
    90 UNKNOWN_STEP "A map isn't a step of a test."
    91 SEVERAL_STEPS "A step has two kinds."
    92 BAD_PATTERN "Invalid pattern for a payload."
    93 OUTSIDE_OF_HOME "A path leads outside the home."
    94 BAD_IMPORT "A script can't import that."
    95 NOT_OFFERED "This version doesn't support a setting, so the daemon refuses to start."
    96 NOTHING_THERE "A test names something that isn't there."
    97 BAD_SNAPSHOT "Invalid path for a snapshot."
    98 NEVER_EQUAL "Two values are compared that are never equal."
    99 FOREIGN_TEMPLATE "Text has another system's template in it."
    100 UNLIKELY_TOPIC "A topic looks like something else."
    101 EMPTY_WINDOW "A part of the day has no time for part of the year."
    102 EMPTIED_FILE "A rule file had rules and is empty now."
    103 UNPAIRED_SNAPSHOT "A snapshot is never restored, or restored and never taken."
    120 BAD_WINDOW "Invalid window of the past."
    121 IGNORED_VALUE "A trigger or a condition waits for a value that is ignored."
    122 BAD_SEQUENCE "A sequence can never fire, or has a part that can't be one."
    123 BAD_CALENDAR "A calendar's file can't be read, or a part of it."
    124 UNKNOWN_CALENDAR "A calendar is named that homerule.yaml doesn't name."
    125 LONG_WINDOW "A window of the past is longer than the recorder keeps."
    130 UNKNOWN_DEVICE "Unknown device."
    131 UNFIT_COMMAND "A device can't do what a rule asks of it."
    132 UNKNOWN_INPUT "Unknown input."
    133 UNKNOWN_TARGET "A notification goes to a target that homerule.yaml doesn't name."
    134 BAD_BUTTON "A button of a notification can't be shown, or can't be answered."
    150 NOT_READ "A file of Home Assistant isn't read."
    151 TRIGGER_NOT_TAKEN "A trigger of Home Assistant isn't taken over."
    152 CONDITION_NOT_TAKEN "A condition of Home Assistant isn't taken over."
    153 ACTION_NOT_TAKEN "An action of Home Assistant isn't taken over."
    154 TEMPLATE_NOT_TAKEN "A template of Home Assistant can't be translated."
    155 REFUSED_THERE_TOO "Home Assistant refuses this, too."
    156 SECRET_NOT_TAKEN "A secret of Home Assistant is missing, or can't be written here."
    157 HELPER_NOT_TAKEN "A helper or scene of Home Assistant isn't taken over."
    158 DIFFERS "Something isn't exactly as it is in Home Assistant."
    159 NOT_LOADABLE "What was imported doesn't load, so it is switched off."
    170 TWO_WRITERS "Two rules publish different values to one topic at the same moment."
    171 WAKES_ITSELF "A rule wakes itself, or rules wake each other in a circle."
    172 DEAD_TOPIC "A rule reads a topic that nothing speaks on."
    173 NEVER_SAID "A trigger or a condition waits for a value that is never said."
    174 FLAPPING "A threshold has no hysteresis, and its value flaps."
    175 NEVER_OFF "Something is switched on and never off."
    176 MISSING_TRIGGER "A condition changes without waking its rule."
    177 ENDLESS_FOR "A `for` has no end."
    178 STATE_AS_COMMAND "A state topic is commanded, or a command topic is read as a state."
    179 IDLE_ALLOW "An `allow` silences nothing."
    190 BAD_INVARIANT "An invariant demands nothing, or two things at once."
    191 NEVER_ARMED "No test gives an invariant anything to judge."
    192 YIELDS_TO_NOTHING "A rule yields, and nothing that it commands is watched."
}

impl Code {
    /// Returns the path of the page about this mistake, in the repository.
    #[must_use]
    pub fn page_path(self) -> String {
        format!("docs/errors/{self}.md")
    }

    /// Returns whether a file with this mistake can't be read at all, so that others in it aren't found.
    #[must_use]
    pub fn is_about_syntax(self) -> bool {
        matches!(
            self,
            Code::UNREADABLE_FILE
                | Code::NOT_UTF8
                | Code::TAB_AS_INDENTATION
                | Code::YAML_SYNTAX
                | Code::NEEDS_QUOTES
                | Code::SEVERAL_DOCUMENTS
                | Code::TOO_DEEP
                | Code::TOO_LARGE
                | Code::SCRIPT_SYNTAX
        )
    }

    /// Returns the code of a mistake in an expression.
    pub(in crate::lang) fn of(kind: ExpressionErrorKind) -> Code {
        match kind {
            ExpressionErrorKind::Syntax => Code::EXPRESSION_SYNTAX,
            ExpressionErrorKind::UnknownVariable => Code::UNKNOWN_VARIABLE,
            ExpressionErrorKind::UnknownFunction => Code::UNKNOWN_FUNCTION,
            ExpressionErrorKind::NotAnExpression => Code::NOT_AN_EXPRESSION,
            ExpressionErrorKind::BadTopic => Code::BAD_TOPIC,
            ExpressionErrorKind::BadFilter => Code::BAD_FILTER,
            ExpressionErrorKind::BadPath => Code::BAD_PATH,
            ExpressionErrorKind::BadTime => Code::BAD_TIME,
            ExpressionErrorKind::BadWeekday => Code::BAD_WEEKDAY,
            ExpressionErrorKind::BadDuration => Code::BAD_DURATION,
            ExpressionErrorKind::BadWindow => Code::BAD_WINDOW,
            ExpressionErrorKind::BadWord => Code::UNKNOWN_WORD,
            ExpressionErrorKind::WrongType => Code::WRONG_TYPE,
            ExpressionErrorKind::NeverEqual => Code::NEVER_EQUAL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_each_is_used_once() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
