//! Statements: `{% set %}`, `{% if %}`, `{% for %}` and macros.

mod blocks;
mod carried;
mod each;
