//! The closures of an expression.

use std::collections::BTreeMap;

use rhai::Stmt;

/// A closure in an expression.
#[derive(Clone)]
pub(super) struct Closure {
    /// Its parameters; what it captures comes first.
    pub(super) parameters: Vec<String>,
    /// What it gives.
    pub(super) body: Stmt,
}

/// Returns the closures of `ast` by the names that Rhai gives them.
pub(super) fn closures(ast: &rhai::AST) -> BTreeMap<String, Closure> {
    let definitions: Vec<_> = ast.iter_fn_def().collect();
    if definitions.is_empty() {
        return BTreeMap::new();
    }
    // A closure's body is one statement, since none is written with braces; the walk gives them in this order,
    // after the statements of the expression itself.
    let mut bodies: Vec<Stmt> = Vec::new();
    ast.walk(&mut |path| {
        if let [rhai::ASTNode::Stmt(statement)] = path {
            bodies.push((*statement).clone());
        }
        true
    });
    let bodies = bodies.into_iter().skip(ast.statements().len());
    definitions
        .into_iter()
        .zip(bodies)
        .map(|(definition, body)| {
            let parameters = definition.params.iter().map(ToString::to_string).collect();
            (definition.name.to_string(), Closure { parameters, body })
        })
        .collect()
}
