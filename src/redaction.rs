//! The one list of secrets that no line of output may hold. Like the clock it lies below all layers:
//! a [`SecretString`] is on it from the moment it is made, and whoever prints asks here first.
//!
//! A net below the types, which do not print secrets in the first place: not a reason to print one.

mod forms;
mod headers;
mod list;
mod secret;
mod views;
mod visible;

use std::borrow::Cow;

use list::Strength;
pub use secrecy::ExposeSecret;
pub use secret::SecretString;

/// What stands in a secret's place.
pub const REDACTED: &str = "(redacted)";

/// From now on `secret` appears in no line of output, in whatever way it is quoted there.
///
/// A [`SecretString`] has done so itself; this is for a value that is known to be secret only by its
/// place. Secrets of fewer than four characters are not registered: crossing them out everywhere
/// would tell what they are.
pub fn register(secret: &str) {
    list::add(secret);
}

/// `text` for a log line: without any registered secret, without the values of headers that carry
/// one, and with nothing in it that a terminal would act upon.
pub fn clean(text: &str) -> Cow<'_, str> {
    cleaned(text, Strength::Any)
}

/// The same for the operator, but for secrets that may be an ordinary word: a password such as
/// `admin` must not cross out a role's name.
pub fn clean_message(text: &str) -> Cow<'_, str> {
    cleaned(text, Strength::NoWord)
}

/// `text` without these secrets, which may be shorter or weaker than what is crossed out everywhere:
/// for the words of whoever was just sent them.
pub fn without<'t>(text: &'t str, secrets: &[SecretString]) -> Cow<'t, str> {
    bounded(text, |text| list::without(text, secrets))
}

/// Whether a field, header, variable or key of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    headers::NAMES.contains(&name.as_str()) || FIELDS.contains(&name.as_str())
}

const FIELDS: [&str; 12] = [
    "access_token",
    "application_credential_secret",
    "auth_token",
    "client_secret",
    "id_token",
    "passcode",
    "password",
    "private_key",
    "refresh_token",
    "secret",
    "secret_wo",
    "token",
];

/// In bytes: no text that is printed is longer. Searching one takes many times its own room, and how long it is
/// decides whoever gives it, which may be a server.
const LONGEST: usize = 64 * 1024;

/// In bytes: how far the search goes beyond what is shown, since half a secret is not found.
const BEYOND: usize = 16 * 1024;

/// As much of `text` as is shown, searched.
fn bounded(text: &str, search: impl FnOnce(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    let head = &text[..text.floor_char_boundary(LONGEST + BEYOND)];
    if head.len() == text.len() {
        return search(text);
    }
    let mut shown = search(head).into_owned();
    shown.truncate(shown.floor_char_boundary(shown.len().saturating_sub(BEYOND)));
    Cow::Owned(format!("{shown}… (cut: {} bytes in all)", text.len()))
}

fn cleaned(text: &str, strength: Strength) -> Cow<'_, str> {
    let text = bounded(text, |text| list::without_registered(text, strength));
    let text = match headers::without_values(&text) {
        Some(without) => Cow::Owned(without),
        None => text,
    };
    match visible::escaped(&text) {
        Some(escaped) => Cow::Owned(escaped),
        None => text,
    }
}

#[cfg(test)]
mod tests;
