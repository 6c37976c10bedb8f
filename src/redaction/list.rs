//! The list itself, and how a text is searched for everything on it at once.
//!
//! A plan of a thousand resources knows thousands of forms and prints thousands of lines, so forms
//! are found by how they begin, and not tried one after the other.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{LazyLock, PoisonError, RwLock};

use zeroize::Zeroizing;

use super::{ExposeSecret, REDACTED, SecretString, forms, views};

/// In characters: anything shorter is in every text.
const SHORTEST: usize = 4;

/// In characters: what is this long is no word.
const LONG: usize = 16;

/// In characters: what is shorter may be a word, whatever it is made of.
const SHORT: usize = 8;

/// Which secrets are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    Any,
    /// Only those that cannot be an ordinary word of a message.
    NoWord,
}

impl Strength {
    fn of(secret: &str) -> Self {
        let length = secret.chars().count();
        let word = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '_');
        if length >= LONG || length >= SHORT && !secret.chars().all(word) {
            Self::NoWord
        } else {
            Self::Any
        }
    }
}

static LIST: LazyLock<RwLock<List>> = LazyLock::new(RwLock::default);

pub(super) fn add(secret: &str) {
    if secret.chars().count() < SHORTEST {
        return;
    }
    if LIST.read().unwrap_or_else(PoisonError::into_inner).holds(secret) {
        return;
    }
    LIST.write().unwrap_or_else(PoisonError::into_inner).add(secret);
}

pub(super) fn without_registered(text: &str, strength: Strength) -> Cow<'_, str> {
    LIST.read().unwrap_or_else(PoisonError::into_inner).without(text, strength)
}

pub(super) fn without<'t>(text: &'t str, secrets: &[SecretString]) -> Cow<'t, str> {
    let mut list = List::default();
    for secret in secrets.iter().map(ExposeSecret::expose_secret) {
        if secret.chars().count() >= SHORTEST {
            list.add(secret);
        }
    }
    list.without(text, Strength::Any)
}

const START: usize = 4;

/// Forms by their first bytes.
#[derive(Default)]
struct List {
    forms: HashMap<[u8; START], Vec<Form>>,
}

/// One way in which a secret may be written.
struct Form {
    text: Zeroizing<String>,
    strength: Strength,
}

impl List {
    fn add(&mut self, secret: &str) {
        let strength = Strength::of(secret);
        for text in forms::of(secret) {
            self.put(text, strength);
        }
        // A key or a file may be quoted by the line; its first and last lines are no secret.
        for line in secret.lines().skip(1).map(str::trim) {
            if line.len() >= LONG && !line.starts_with("-----") {
                self.put(Zeroizing::new(line.to_owned()), Strength::NoWord);
            }
        }
    }

    fn put(&mut self, text: Zeroizing<String>, strength: Strength) {
        let Some(start) = text.as_bytes().first_chunk::<START>() else { return };
        let same = self.forms.entry(*start).or_default();
        match same.iter_mut().find(|form| form.text == text) {
            Some(known) => known.strength = known.strength.max(strength),
            None => same.push(Form { text, strength }),
        }
    }

    fn holds(&self, secret: &str) -> bool {
        let same = secret.as_bytes().first_chunk::<START>().and_then(|at| self.forms.get(at));
        same.into_iter().flatten().any(|form| *form.text == secret)
    }

    fn without<'t>(&self, text: &'t str, strength: Strength) -> Cow<'t, str> {
        let found = self.found(text, strength);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut kept = String::with_capacity(text.len());
        let mut position = 0;
        for place in found {
            kept.push_str(&text[position..place.start]);
            kept.push_str(REDACTED);
            position = place.end;
        }
        kept.push_str(&text[position..]);
        Cow::Owned(kept)
    }

    /// Where secrets stand, in order; those that overlap are one place.
    fn found(&self, text: &str, strength: Strength) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        if self.forms.is_empty() {
            return found;
        }
        for view in views::of(text) {
            for (at, start) in view.bytes.windows(START).enumerate() {
                let Some(length) = self.longest(start, &view.bytes[at..], strength) else {
                    continue;
                };
                let (from, to) = (view.place(at), view.place(at + length));
                found.push(text.floor_char_boundary(from)..text.ceil_char_boundary(to));
            }
        }
        found.sort_by_key(|place| place.start);
        found.dedup_by(|next, last| {
            let overlap = next.start < last.end;
            if overlap {
                last.end = last.end.max(next.end);
            }
            overlap
        });
        found
    }

    /// How long the longest secret is that `rest` begins with.
    fn longest(&self, start: &[u8], rest: &[u8], strength: Strength) -> Option<usize> {
        let forms = self.forms.get(<&[u8; START]>::try_from(start).ok()?)?;
        let matching = forms
            .iter()
            .filter(|form| form.strength >= strength && rest.starts_with(form.text.as_bytes()));
        matching.map(|form| form.text.len()).max()
    }
}
