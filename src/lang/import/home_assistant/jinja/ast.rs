//! The syntax tree of a template.

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum Part {
    /// Text as it stands.
    Text(String),
    /// `{{ … }}`.
    Output(Expression),
    /// `{% if %}`: each condition with its parts, and those of `else`.
    If(Vec<(Expression, Vec<Part>)>, Vec<Part>),
    /// `{% set NAME = … %}`.
    Set(String, Expression),
    /// `{% set NAME %}…{% endset %}`.
    SetBlock(String, Vec<Part>),
    /// `{% for NAME in … %}`; several names take each item apart.
    For(Vec<String>, Expression, Option<Expression>, Vec<Part>),
    /// `{% macro NAME(x, y=1) %}`: its parameters with their defaults, and its parts.
    Macro(String, Vec<(String, Option<Expression>)>, Vec<Part>),
    /// Another statement, by its word.
    Other(String, usize),
}

/// An expression, and the byte of the template at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Expression {
    pub(in crate::lang::import::home_assistant) at: usize,
    pub(in crate::lang::import::home_assistant) kind: ExpressionKind,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum ExpressionKind {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Name(String),
    List(Vec<Expression>),
    Map(Vec<(Expression, Expression)>),
    /// `x.name`.
    Attribute(Box<Expression>, String),
    /// `x[y]`.
    Item(Box<Expression>, Box<Expression>),
    /// `x[a:b]`.
    Slice(Box<Expression>, Option<Box<Expression>>, Option<Box<Expression>>),
    /// `f(a, name=b)`.
    Call(Box<Expression>, Vec<Expression>, Vec<(String, Expression)>),
    /// `x | name(a, name=b)`.
    Filter(Box<Expression>, String, Vec<Expression>, Vec<(String, Expression)>),
    /// `x is name(a, name=b)`, and whether it's `is not`.
    Test(Box<Expression>, String, Vec<Expression>, Vec<(String, Expression)>, bool),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    /// `a if condition else b`.
    Choice(Box<Expression>, Box<Expression>, Option<Box<Expression>>),
}

/// An operator between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lang::import::home_assistant) enum Binary {
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
    Concatenate,
}
