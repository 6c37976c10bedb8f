//! Looks settings up, and collects what is missing, so that one error names all of it.

use super::flat::Flat;
use crate::redaction::SecretString;

/// See the module.
pub(super) struct Lookup<'f> {
    pub(super) flat: &'f Flat,
    pub(super) missing: Vec<&'static str>,
}

impl<'f> Lookup<'f> {
    pub(super) fn new(flat: &'f Flat) -> Self {
        Self { flat, missing: Vec::new() }
    }

    pub(super) fn secret(&mut self, key: &'static str) -> Option<SecretString> {
        match self.flat.auth(key) {
            Some(text) => Some(text.into()),
            None => self.lacks(key),
        }
    }

    /// Without the white space around it, which is none of it: files end with a line end.
    pub(super) fn token(&mut self, key: &'static str) -> Option<SecretString> {
        match self.flat.auth(key).map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => Some(text.into()),
            None => self.lacks(key),
        }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        match self.flat.auth(key) {
            Some(text) => Some(text.to_owned()),
            None => self.lacks(key),
        }
    }

    pub(super) fn lacks<T>(&mut self, key: &'static str) -> Option<T> {
        if !self.missing.contains(&key) {
            self.missing.push(key);
        }
        None
    }
}
