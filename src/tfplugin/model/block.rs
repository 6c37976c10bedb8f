//! The Rust types that hold nested blocks.

use std::collections::BTreeMap;

use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{AttributePath, DecodeError, Step};
use crate::tfplugin::schema::{Attribute, Block, BlockNesting};

use super::{Attr, Model, Set};

/// A field that is a nested block: `Vec`, `Set`, `BTreeMap` or `Option` of a [`Model`]; in an
/// [`Attr`], also one that is not known yet because a `dynamic` block makes it.
pub trait BlockType: Sized {
    /// How Terraform nests it, with at least `min` and (unless it is 0) at most `max` of them.
    fn nesting(min: i64, max: i64) -> BlockNesting;
    fn attributes() -> Vec<Attribute>;
    fn blocks() -> Vec<Block>;
    /// From the value of all blocks of the name, which stand at `path`.
    fn from_block(value: Value, path: &AttributePath) -> Result<Self, DecodeError>;
    fn into_block(self) -> Value;
    /// The value when there is no such block.
    fn absent() -> Value;
}

macro_rules! container {
    ($nesting:expr) => {
        fn nesting(min: i64, max: i64) -> BlockNesting {
            let nesting: fn(i64, i64) -> BlockNesting = $nesting;
            nesting(min, max)
        }

        fn attributes() -> Vec<Attribute> {
            M::attributes()
        }

        fn blocks() -> Vec<Block> {
            M::blocks()
        }
    };
}

impl<M: Model> BlockType for Vec<M> {
    container!(|min, max| BlockNesting::List { min, max });

    fn from_block(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::List(blocks) => (0..)
                .zip(blocks)
                .map(|(index, block)| M::from_object(block, &path.then(Step::Index(index))))
                .collect(),
            value => Err(misfit("blocks", &value, path)),
        }
    }

    fn into_block(self) -> Value {
        Value::List(self.into_iter().map(M::into_object).collect())
    }

    fn absent() -> Value {
        Value::List(Vec::new())
    }
}

impl<M: Model> BlockType for Set<M> {
    container!(|min, max| BlockNesting::Set { min, max });

    fn from_block(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::Set(blocks) => {
                blocks.into_iter().map(|block| M::from_object(block, path)).collect()
            }
            value => Err(misfit("blocks", &value, path)),
        }
    }

    fn into_block(self) -> Value {
        Value::Set(self.into_iter().map(M::into_object).collect())
    }

    fn absent() -> Value {
        Value::Set(Vec::new())
    }
}

impl<M: Model> BlockType for BTreeMap<String, M> {
    container!(|_, _| BlockNesting::Map);

    fn from_block(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::Map(blocks) => blocks
                .into_iter()
                .map(|(label, block)| {
                    let path = path.then(Step::Key(label.clone()));
                    Ok((label, M::from_object(block, &path)?))
                })
                .collect(),
            value => Err(misfit("labelled blocks", &value, path)),
        }
    }

    fn into_block(self) -> Value {
        let blocks = self.into_iter().map(|(label, block)| (label, block.into_object()));
        Value::Map(blocks.collect())
    }

    fn absent() -> Value {
        Value::Map(BTreeMap::new())
    }
}

impl<M: Model> BlockType for Option<M> {
    container!(|_, _| BlockNesting::Single);

    fn from_block(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::Null => Ok(None),
            value => M::from_object(value, path).map(Some),
        }
    }

    fn into_block(self) -> Value {
        self.map_or(Value::Null, M::into_object)
    }

    fn absent() -> Value {
        Value::Null
    }
}

impl<B: BlockType> BlockType for Attr<B> {
    fn nesting(min: i64, max: i64) -> BlockNesting {
        B::nesting(min, max)
    }

    fn attributes() -> Vec<Attribute> {
        B::attributes()
    }

    fn blocks() -> Vec<Block> {
        B::blocks()
    }

    fn from_block(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::Unknown => Ok(Self::Unknown),
            Value::Null => Ok(Self::Null),
            value => B::from_block(value, path).map(Self::Known),
        }
    }

    fn into_block(self) -> Value {
        match self {
            Self::Null => B::absent(),
            Self::Unknown => Value::Unknown,
            Self::Known(blocks) => blocks.into_block(),
        }
    }

    fn absent() -> Value {
        B::absent()
    }
}

fn misfit(wanted: &str, value: &Value, path: &AttributePath) -> DecodeError {
    DecodeError::new(format!("{wanted} required, but this is {}", value.kind())).under(path)
}
