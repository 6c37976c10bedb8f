//! What the code that `#[derive(Model)]` writes calls; not for other callers.

use std::collections::BTreeMap;

use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{AttributePath, DecodeError, Step};

use super::{AttrType, BlockType};

/// An object while it is taken apart.
#[derive(Debug)]
pub struct Fields<'p> {
    rest: BTreeMap<String, Value>,
    path: &'p AttributePath,
}

impl<'p> Fields<'p> {
    /// Begins with a known, non-null object.
    pub fn open(value: Value, path: &'p AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::Object(rest) => Ok(Self { rest, path }),
            value => {
                let message = format!("object required, but this is {}", value.kind());
                Err(DecodeError::new(message).under(path))
            }
        }
    }

    pub fn attribute<T: AttrType>(&mut self, name: &str) -> Result<T, DecodeError> {
        self.take(name, T::from_any)
    }

    pub fn block<T: BlockType>(&mut self, name: &str) -> Result<T, DecodeError> {
        self.take(name, T::from_block)
    }

    /// Every attribute of the object must have been taken.
    pub fn finish(mut self) -> Result<(), DecodeError> {
        match self.rest.pop_first() {
            None => Ok(()),
            Some((name, _)) => Err(DecodeError::new("the schema has no such attribute")
                .within(Step::Attribute(name))
                .under(self.path)),
        }
    }

    fn take<T>(
        &mut self,
        name: &str,
        read: fn(Value, &AttributePath) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let result = match self.rest.remove(name) {
            Some(value) => read(value, &AttributePath::root()),
            None => Err(DecodeError::new("the attribute is missing")),
        };
        result.map_err(|error| error.within(Step::Attribute(name.to_owned())).under(self.path))
    }
}
