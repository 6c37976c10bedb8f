//! hclog lines on stderr: one JSON object each, which Terraform puts into its own log. Every word
//! passes [`redaction::clean`] on its way out, here and nowhere else.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::clock;
use crate::redaction;

/// Sends everything that this crate traces to stderr, from the level that the environment asks for.
/// Only the first call counts.
pub(super) fn install(provider: &str) {
    let level = level_from(provider, |name| std::env::var(name).ok());
    let lines = Lines::new(level, std::io::stderr());
    let subscriber = tracing_subscriber::registry().with(lines);
    // A test may have set one already.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Tells whoever started the process why it ends.
pub(super) fn last_words(text: &str) {
    let mut text = redaction::clean(text).into_owned();
    text.push('\n');
    // Nobody is left to tell of a failure.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Terraform's own rules: the most particular variable that is set counts, `JSON` is everything,
/// and so is what nobody knows.
fn level_from(provider: &str, variable: impl Fn(&str) -> Option<String>) -> LevelFilter {
    let own = format!("TF_LOG_PROVIDER_{}", provider.to_uppercase());
    let wanted = [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    match wanted.map(|level| level.to_uppercase()).as_deref() {
        None | Some("OFF") => LevelFilter::OFF,
        Some("ERROR") => LevelFilter::ERROR,
        Some("WARN") => LevelFilter::WARN,
        Some("INFO") => LevelFilter::INFO,
        Some("DEBUG") => LevelFilter::DEBUG,
        Some(_) => LevelFilter::TRACE,
    }
}

/// Turns events into lines.
struct Lines<W> {
    level: LevelFilter,
    out: Mutex<W>,
}

impl<W: Write> Lines<W> {
    fn new(level: LevelFilter, out: W) -> Self {
        Self { level, out: Mutex::new(out) }
    }
}

impl<S: Subscriber, W: Write + Send + 'static> Layer<S> for Lines<W> {
    // Libraries trace whole headers: only this crate's words are let through.
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.level && is_own(metadata.target())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut line = line(event.metadata(), fields);
        line.push('\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // A host that has gone reads no log.
        let _ = out.write_all(line.as_bytes());
    }
}

fn is_own(target: &str) -> bool {
    target.split("::").next() == Some(env!("CARGO_CRATE_NAME"))
}

/// Terraform reads lines of up to 64 KiB as JSON.
const LONGEST_LINE: usize = 60 * 1024;
const LONGEST_VALUE: usize = 8 * 1024;

/// What an event says. Terraform takes `@message`, `@level` and `@timestamp` for strings without
/// looking: anything else there would crash it.
fn line(metadata: &Metadata<'_>, fields: Fields) -> String {
    let mut line = Map::new();
    let mut own = |key: &str, value: String| line.insert(key.to_owned(), Value::String(value));
    own("@level", level_name(*metadata.level()).to_owned());
    own("@message", fields.message);
    own("@module", format!("provider.{}", metadata.target().replace("::", ".")));
    own("@timestamp", clock::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string());
    let mut text = Value::Object(line.clone()).to_string();
    for (key, value) in fields.others {
        line.entry(key).or_insert(value);
        let longer = Value::Object(line.clone()).to_string();
        if longer.len() > LONGEST_LINE {
            break;
        }
        text = longer;
    }
    text
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::TRACE => "trace",
        Level::DEBUG => "debug",
        Level::INFO => "info",
        Level::WARN => "warn",
        Level::ERROR => "error",
    }
}

/// An event's fields, cleaned.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(String, Value)>,
}

impl Fields {
    fn put(&mut self, field: &Field, text: &str) {
        let name = field.name();
        let text = if redaction::is_secret_name(name) {
            redaction::REDACTED.to_owned()
        } else {
            shortened(&redaction::clean(text))
        };
        match name {
            "message" => self.message = text,
            // `@` begins the names that Terraform reads itself.
            name => self.others.push((name.trim_start_matches('@').to_owned(), text.into())),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, &value.to_string());
    }
}

fn shortened(text: &str) -> String {
    if text.len() <= LONGEST_VALUE {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(LONGEST_VALUE);
    format!("{}... ({} bytes more)", &text[..end], text.len() - end)
}

#[cfg(test)]
mod tests;
