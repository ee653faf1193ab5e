//! What sets a property or an input: buttons for words, a field for anything else.

use maud::{Markup, html};
use serde_json::{Value, json};

use crate::page::shown::one_line;

/// What is set: where it is sent, under which key, and what it may be.
pub(super) struct Control<'a> {
    /// The address that takes it.
    pub(super) address: &'a str,
    /// The key of what is sent.
    pub(super) key: &'a str,
    /// What it is called.
    pub(super) name: &'a str,
    /// `boolean`, `number`, `press`, `words`, …
    pub(super) holds: &'a str,
    /// What it is now.
    pub(super) value: &'a Value,
    /// The words that it takes.
    pub(super) words: Vec<&'a str>,
    /// The least and the most number, and the steps between.
    pub(super) range: (Option<f64>, Option<f64>, Option<f64>),
}

/// The most words that are buttons.
const MOST_WORDS: usize = 12;

impl Control<'_> {
    /// Returns what sets it.
    pub(super) fn markup(&self) -> Markup {
        match self.holds {
            "number" => html! { (self.field("number")) @for word in &self.words { (self.button(&json!(word), word)) } },
            "boolean" => html! { (self.button(&json!(true), "On")) (self.button(&json!(false), "Off")) },
            "press" => self.button(&json!(true), "Press"),
            _ if !self.words.is_empty() && self.words.len() <= MOST_WORDS => html! {
                @for word in &self.words { (self.button(&json!(word), word)) }
            },
            holds => self.field(holds),
        }
    }

    fn button(&self, value: &Value, words: &str) -> Markup {
        let body = json!({ self.key: value }).to_string();
        html! {
            button type="button" data-post=(self.address) data-body=(body) data-done={ (one_line(self.name)) ": " (one_line(words)) }
                aria-pressed=[(self.value == value).then_some("true")] aria-label={ (one_line(self.name)) ": " (one_line(words)) } { (one_line(words)) }
        }
    }

    fn field(&self, holds: &str) -> Markup {
        let (min, max, step) = self.range;
        let given = self.value.as_str().map_or_else(|| self.value.to_string(), ToOwned::to_owned);
        let given = if self.value.is_null() { String::new() } else { given };
        let is_text = matches!(holds, "text" | "time" | "color");
        html! {
            form.bar data-set=(self.address) data-key=(self.key) data-text=[is_text.then_some("true")] {
                @match holds {
                    "number" => input type="number" name="value" value=(given) min=[min] max=[max] step=(step.map_or("any".to_owned(), |step| step.to_string())) aria-label=(one_line(self.name));,
                    "time" => input type="time" name="value" value=(given) aria-label=(one_line(self.name));,
                    "color" => input type="color" name="value" value=(given) aria-label=(one_line(self.name));,
                    _ => input type="text" name="value" value=(given) autocomplete="off" aria-label=(one_line(self.name));,
                }
                button type="submit" { "Set" }
            }
        }
    }
}
