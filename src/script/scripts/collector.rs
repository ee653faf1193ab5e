//! Collects the rules that a script makes with `rule(key, map)` while it loads.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::{Dynamic, Engine, NativeCallContext, Position};

use super::given::GivenRule;
use super::given::Giving;
use super::script::Script;
use crate::script::evaluation::convert::kind;
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::source::place_tree::PlaceTree;

/// Makes a rule.
const RULE: &str = "rule";

/// Makes an invariant.
const INVARIANT: &str = "invariant";

/// How many rules one file may make.
const MOST_RULES: usize = 10_000;

/// How many values the rules of one file may have in all.
const MOST_ITEMS: usize = 200_000;

/// Where `rule` finds the script that loads.
#[derive(Clone, Default)]
pub(in crate::script) struct Collector(Arc<Mutex<Option<Collecting>>>);

/// A script that is being loaded.
struct Collecting {
    script: Arc<Script>,
    /// Where the statement begins that is being run.
    statement: Position,
    rules: Vec<GivenRule>,
    items: usize,
    /// What is wrong in a rule's map, and where.
    error: Option<(Range<usize>, String)>,
}

/// What a script made while it loaded.
pub(in crate::script) struct Collected {
    /// The rules.
    pub(in crate::script) rules: Vec<GivenRule>,
    /// What is wrong in a rule's map, and where, in bytes of the file.
    pub(in crate::script) error: Option<(Range<usize>, String)>,
}

impl Collector {
    /// Registers `rule`.
    pub(in crate::script) fn register(&self, engine: &mut Engine) {
        for function in [RULE, INVARIANT] {
            let collector = self.clone();
            engine.register_fn(
                function,
                move |context: NativeCallContext, key: Dynamic, map: Dynamic| -> Result<(), Refusal> {
                    let source = context.call_source().unwrap_or_default().to_owned();
                    collector.collect(function, (&source, context.call_position()), &key, &map)
                },
            );
        }
    }

    /// Begins to collect the rules of `script`.
    pub(in crate::script) fn begin(&self, script: &Arc<Script>) {
        let collecting = Collecting {
            script: Arc::clone(script),
            statement: Position::NONE,
            rules: Vec::new(),
            items: MOST_ITEMS,
            error: None,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(collecting);
    }

    /// Notes where the statement begins that is run next.
    pub(in crate::script) fn at_statement(&self, position: Position) {
        if let Some(collecting) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            collecting.statement = position;
        }
    }

    /// Ends the collecting.
    pub(in crate::script) fn end(&self) -> Collected {
        let collecting = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        collecting.map_or(Collected { rules: Vec::new(), error: None }, |collecting| Collected {
            rules: collecting.rules,
            error: collecting.error,
        })
    }

    fn collect(&self, function: &str, at: (&str, Position), key: &Dynamic, map: &Dynamic) -> Result<(), Refusal> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(collecting) = guard.as_mut() else {
            let made = if function == "rule" { "a rule" } else { "an invariant" };
            let message =
                format!("`{function}` makes {made} while its file loads: it can't be called when a rule runs");
            return Err(refuse(&message));
        };
        collecting.collect(function, at, key, map)
    }
}

impl Collecting {
    fn collect(
        &mut self,
        function: &str,
        (source, position): (&str, Position),
        key: &Dynamic,
        map: &Dynamic,
    ) -> Result<(), Refusal> {
        let Ok(name) = key.as_immutable_string_ref().map(|key| key.to_string()) else {
            return Err(refuse(&format!("`{function}` takes a key, a text, first: not {}", kind(key))));
        };
        if map.as_map_ref().is_err() {
            return Err(refuse(&format!("`{function}` takes a map (`{}`), not {}", example(function), kind(map))));
        }
        if self.rules.len() >= MOST_RULES {
            return Err(refuse(&format!("a file can't make more than {MOST_RULES} rules")));
        }
        let script = Arc::clone(&self.script);
        let [key_place, map_place] = self.places(source, position);
        let mut giving = Giving { script: &script, items: self.items };
        let given = giving.read(map, &map_place);
        self.items = giving.items;
        let map = match given {
            Ok(map) => map,
            Err((at, message)) => {
                self.error = Some((at, message.clone()));
                return Err(refuse(&message));
            }
        };
        self.rules.push(GivenRule {
            key: name.into(),
            key_span: key_place.range,
            map,
            is_invariant: function == INVARIANT,
        });
        Ok(())
    }

    /// Returns where the two arguments of the call of `rule` at `position` stand.
    fn places(&self, source: &str, position: Position) -> [PlaceTree; 2] {
        let script = &self.script;
        let is_own = source.is_empty() || *script.source.place(0).file == *source;
        let call = script.offset(position).filter(|_| is_own);
        if let Some([key, map]) = call.and_then(|call| script.outline.rule_at(call)) {
            return [key.clone(), map.clone()];
        }
        let at = call.or_else(|| script.offset(self.statement)).unwrap_or(0);
        let at = PlaceTree::at(script.token_at(at));
        [at.clone(), at]
    }
}

/// Returns what a function's map looks like.
fn example(function: &str) -> &'static str {
    if function == INVARIANT { "#{ never: … }" } else { "#{ when: …, then: … }" }
}
