//! All mistakes that are found in the user's text, each with its own number. A number is never reused.

use crate::lang::Code;
use crate::script::ExpressionErrorKind;

macro_rules! codes {
    ($($number:literal $name:ident $sentence:literal)*) => {
        impl Code {
            $(#[doc = $sentence] pub const $name: Code = Code($number);)*

            /// All codes in their order, each with a sentence that says which mistake it is.
            pub const ALL: &[(Code, &str)] = &[$((Code($number), $sentence)),*];
        }
    };
}

codes! {
    1 UNREADABLE_FILE "A file or folder can't be read."
    2 NOT_UTF8 "A file isn't text in UTF-8."
    3 TAB_AS_INDENTATION "A tab stands where YAML wants spaces."
    4 YAML_SYNTAX "A text isn't YAML."
    5 NEEDS_QUOTES "A value holds a character that means something else in YAML, and needs quotes."
    6 SEVERAL_DOCUMENTS "A file holds more than one YAML document."
    7 TOO_DEEP "Lists and maps are nested too deeply."
    8 TOO_LARGE "A file, with its aliases written out, is too large."
    9 KEY_IS_NO_TEXT "A key of a map is a list or a map."
    10 DUPLICATE_KEY "A key stands twice in a map."
    11 UNKNOWN_TAG "A YAML tag (`!name`) stands where none means anything."
    12 MERGE_KEY "A YAML merge key (`<<`) is used, which isn't supported."
    13 CUT_BY_COMMENT "A text without quotes is cut at ` #`, which begins a comment."
    20 UNKNOWN_KEY "A key is none of those that may stand there."
    21 WRONG_TYPE "A value is of another type than what is expected."
    22 MISSING_KEY "A key that is needed is missing."
    23 UNKNOWN_WORD "A word is none of those that may stand there."
    24 CONFLICTING_KEYS "Two keys can't stand beside each other."
    25 KEY_WITHOUT_EFFECT "A key has no effect without another one."
    30 BAD_DURATION "A text is no duration."
    31 BAD_TIME "A text is no time of day."
    32 BAD_WEEKDAY "A text is no weekday."
    33 BAD_CRON "A text is no cron pattern, or one that is never due."
    34 BAD_FILTER "A text is no topic filter."
    35 BAD_TOPIC "A text is no topic that can be published to."
    36 BAD_PATH "A text is no path into a value."
    37 OUT_OF_RANGE "A number is outside of what makes sense."
    38 EMPTY_RANGE "`above` isn't below `below`."
    39 NO_LOCATION "The sun is asked for, and the settings name no location."
    40 BAD_NAME "A text can't be the name of a rule or variable."
    50 EXPRESSION_SYNTAX "An expression doesn't parse."
    51 UNKNOWN_VARIABLE "An expression reads a variable that nothing can have set."
    52 UNKNOWN_FUNCTION "An expression calls a function that doesn't exist."
    53 NOT_AN_EXPRESSION "An expression does what only a script may."
    54 NOT_CONSTANT "A text that is fixed at load reads what is known only later."
    55 CONSTANT_FAILED "A text that is fixed at load can't be evaluated."
    56 RESERVED_NAME "A variable or wildcard is named like a built-in variable."
    60 NO_TRIGGER "A rule has neither `when` nor `while`, or both."
    61 UNKNOWN_TRIGGER "A map is no trigger."
    62 SEVERAL_TRIGGERS "One item holds two triggers."
    63 CANNOT_HOLD "`for` stands beside a trigger of an instant, which can't last."
    64 UNKNOWN_CONDITION "A map is no condition."
    65 SEVERAL_CONDITIONS "One item holds two conditions."
    66 UNKNOWN_ACTION "An item is no action, and no map of topics."
    67 SEVERAL_ACTIONS "One item holds two actions."
    68 NO_ACTION "A rule does nothing."
    69 RESERVED_TOPIC "A topic that begins with `$` belongs to the broker."
    70 UNKNOWN_RULE "No rule has that name."
    71 AMBIGUOUS_RULE "Several rules have that name."
    72 UNKNOWN_SCENE "No scene has that name."
    73 HOLDS_OF_WHEN "`holds()` asks for a rule that has no `while`."
    74 RUN_CIRCLE "Rules run each other in a circle without a wait."
    75 ENDLESS_REPEAT "A `repeat` has no bound, and nothing in it waits."
    76 COMMAND_TOPIC "`if_changed: true` stands on a command topic, whose last payload says nothing of the device."
    77 BAD_EACH "An `each` gives no instances, or instances that can't be told apart."
    78 NOT_ALLOWED "A rule does what `homerule.yaml` doesn't allow."
    79 DUPLICATE_RULE "Two rules have the same id."
    80 BAD_ADDRESS "A text is no address to listen on."
    81 BAD_SIZE "A text is no size."
    82 BAD_ZONE "A text names no time zone."
    83 BAD_URL "A text is no broker's URL."
    84 NOT_USED_YET "A setting is specified, and not used by this version."
    85 NO_RULES "The home has no rules."
    86 OPEN_LISTENER "A listener lets in nobody, or everybody who reaches it."
    87 MISSING_SECRET "A `{ file: … }` or `{ env: … }` has no value."
    88 SCRIPT_SYNTAX "A script doesn't parse."
    89 SCRIPT_FAILED "A script fails while it loads."
    90 UNKNOWN_STEP "A map is no step of a test."
    91 SEVERAL_STEPS "One item holds two steps of a test."
    92 BAD_PATTERN "A map looks like a pattern of a payload, and is none."
    93 OUTSIDE_OF_HOME "A path leads out of the home."
    94 BAD_IMPORT "A script imports what it can't."
    95 NOT_OFFERED "A setting is specified, and this version can't keep it: the daemon refuses to start."
    96 NOTHING_THERE "A test names a file, a folder, a rule or a webhook that isn't there."
    97 BAD_SNAPSHOT "A snapshot can't be written to the path that a test names for it."
    98 NEVER_EQUAL "Two values are compared that are never equal, or have no order."
    99 FOREIGN_TEMPLATE "A text holds a template of another system, which means nothing here."
}

impl Code {
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
