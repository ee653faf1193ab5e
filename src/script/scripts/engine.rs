//! Runs scripts: once when they load, to collect their rules, and their closures when a rule runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Shared, Token};

use super::collector::Collector;
use crate::script::evaluation::globals;
use crate::script::evaluation::limits::Limits;
use crate::script::evaluation::loan::Loan;
use crate::script::evaluation::refusal::refuse;
use crate::script::functions::table::functions;

/// What runs scripts.
pub(in crate::script) struct ScriptEngine {
    pub(in crate::script) engine: Engine,
    pub(in crate::script) collector: Collector,
    pub(in crate::script) modules: Modules,
}

impl ScriptEngine {
    /// Returns what runs scripts on `engine`, within `limits`.
    pub(in crate::script) fn new(mut engine: Engine, loan: &Loan, limits: &Limits) -> ScriptEngine {
        let collector = Collector::default();
        let modules = Modules::default();
        engine.set_allow_looping(true).set_strict_variables(true).set_module_resolver(modules.clone());
        #[expect(deprecated, reason = "volatile, says Rhai, and its version is pinned")]
        engine.on_parse_token(|token, _, _| match token {
            Token::Identifier(ref word) if **word == *"and" => Token::And,
            Token::Identifier(ref word) if **word == *"or" => Token::Or,
            other => other,
        });
        for function in functions().filter(|function| !function.is_in_expressions) {
            function.register(&mut engine, loan, limits);
        }
        globals::register(&mut engine, loan);
        collector.register(&mut engine);
        ScriptEngine { engine, collector, modules }
    }
}

/// The modules that scripts may import: those of rules/lib, which were loaded before. Nothing is read from a disk.
#[derive(Clone, Default)]
pub(in crate::script) struct Modules(Arc<Mutex<BTreeMap<String, Shared<Module>>>>);

impl Modules {
    /// Makes `module` importable as `path`.
    pub(in crate::script) fn add(&self, path: &str, module: Shared<Module>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), module);
    }

    /// Returns the module `path`.
    pub(in crate::script) fn find(&self, path: &str) -> Option<Shared<Module>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}

impl ModuleResolver for Modules {
    fn resolve(
        &self,
        _: &Engine,
        _: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        self.find(path).ok_or_else(|| {
            let mut error =
                refuse(&format!("there is no `{path}` to import here: an import goes at the top of a file"));
            error.set_position(position);
            error
        })
    }
}
