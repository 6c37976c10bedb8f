//! The rules of Terraform core for schemas. Core refuses a whole provider that breaks one, so the
//! tests ask here first. Not for configurations: see `validate`.

use std::collections::BTreeSet;

use super::{Attribute, Block, BlockNesting, Schema, Shape};
use crate::tfplugin::cty::Type;

impl Schema {
    /// Everything that core would refuse in this schema; empty if it is fine.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Problems(Vec::new());
        if self.version < 0 {
            found.add("", "the version is negative");
        }
        found.body("", &self.attributes, &self.blocks, Surroundings::default());
        found.0
    }

    /// Everything that core would refuse in this schema of a resource's identity.
    pub fn identity_problems(&self) -> Vec<String> {
        let mut found = Problems(self.problems());
        if !self.blocks.is_empty() {
            found.add("", "an identity has no blocks");
        }
        for attribute in &self.attributes {
            let plain = match &attribute.shape {
                Shape::Plain(Type::List(element)) => is_primitive(element),
                Shape::Plain(ty) => is_primitive(ty),
                _ => false,
            };
            if !plain {
                found.add(attribute.name, "an identity has primitives and lists of them only");
            }
            if attribute.required == attribute.optional || attribute.computed {
                found.add(attribute.name, "it is required or optional for import");
            }
        }
        found.0
    }
}

/// What stands around an attribute.
#[derive(Clone, Copy, Default)]
struct Surroundings {
    in_set: bool,
    /// In a block of a list or map, which core would decode to tuples if anything in it is dynamic.
    in_repeated_block: bool,
}

struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, path: &str, problem: &str) {
        self.0.push(if path.is_empty() {
            problem.to_owned()
        } else {
            format!("{path}: {problem}")
        });
    }

    fn body(
        &mut self,
        path: &str,
        attributes: &[Attribute],
        blocks: &[Block],
        around: Surroundings,
    ) {
        let mut names = BTreeSet::new();
        let all = attributes.iter().map(|attribute| attribute.name);
        for name in all.chain(blocks.iter().map(|block| block.name)) {
            let path = join(path, name);
            let valid =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if name.is_empty() || !name.bytes().all(valid) {
                self.add(&path, "a name has small letters, digits and underscores");
            }
            if !names.insert(name) {
                self.add(&path, "the name stands twice");
            }
        }
        for attribute in attributes {
            self.attribute(&join(path, attribute.name), attribute, around);
        }
        for block in blocks {
            self.block(&join(path, block.name), block, around);
        }
    }

    fn attribute(&mut self, path: &str, attribute: &Attribute, around: Surroundings) {
        let Attribute { required, optional, computed, write_only, .. } = *attribute;
        let mut rule = |broken: bool, problem: &str| {
            if broken {
                self.add(path, problem);
            }
        };
        rule(!(required || optional || computed), "neither required, optional nor computed");
        rule(required && optional, "both required and optional");
        rule(required && computed, "both required and computed");
        rule(write_only && computed, "both write-only and computed");
        rule(write_only && around.in_set, "write-only inside a set");
        rule(
            attribute.default.is_some() && !(optional && computed),
            "a default needs optional, computed",
        );
        rule(attribute.description.is_empty(), "has no description");
        rule(attribute.deprecated == Some(""), "deprecated without a message");

        let in_set = around.in_set || matches!(attribute.shape, Shape::NestedSet(_));
        if let Shape::Plain(ty) = &attribute.shape {
            let dynamic = has_dynamic(ty);
            rule(dynamic && around.in_set, "dynamic inside a set");
            rule(dynamic && around.in_repeated_block, "dynamic inside a repeated block");
            rule(set_of_dynamic(ty), "a set of dynamic values");
        } else {
            rule(attribute.shape.nested().is_empty(), "nested without attributes");
            rule(
                computed
                    && !optional
                    && attribute.shape.nested().iter().any(|inner| inner.required),
                "a required attribute inside of a computed one",
            );
        }
        self.body(path, attribute.shape.nested(), &[], Surroundings { in_set, ..around });
    }

    fn block(&mut self, path: &str, block: &Block, around: Surroundings) {
        if let BlockNesting::List { min, max } | BlockNesting::Set { min, max } = block.nesting
            && (min < 0 || max < 0 || (max > 0 && min > max))
        {
            self.add(path, "the bounds contradict each other");
        }
        if block.deprecated == Some("") {
            self.add(path, "deprecated without a message");
        }
        let repeated = matches!(block.nesting, BlockNesting::List { .. } | BlockNesting::Map);
        let inside = Surroundings {
            in_set: around.in_set || matches!(block.nesting, BlockNesting::Set { .. }),
            in_repeated_block: around.in_repeated_block || repeated,
        };
        self.body(path, &block.attributes, &block.blocks, inside);
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn is_primitive(ty: &Type) -> bool {
    matches!(ty, Type::Bool | Type::Number | Type::String)
}

fn any(ty: &Type, test: &impl Fn(&Type) -> bool) -> bool {
    test(ty)
        || match ty {
            Type::List(inner) | Type::Map(inner) | Type::Set(inner) => any(inner, test),
            Type::Object(attributes) => attributes.values().any(|ty| any(ty, test)),
            Type::Tuple(types) => types.iter().any(|ty| any(ty, test)),
            Type::Bool | Type::Dynamic | Type::Number | Type::String => false,
        }
}

fn has_dynamic(ty: &Type) -> bool {
    any(ty, &|ty| *ty == Type::Dynamic)
}

fn set_of_dynamic(ty: &Type) -> bool {
    any(ty, &|ty| matches!(ty, Type::Set(inner) if has_dynamic(inner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute() -> Attribute {
        Attribute {
            name: "a",
            shape: Shape::Plain(Type::String),
            description: "What it is.",
            required: false,
            optional: true,
            computed: false,
            sensitive: false,
            write_only: false,
            deprecated: None,
            validators: Vec::new(),
            default: None,
            requires_replace: false,
        }
    }

    fn schema(attributes: Vec<Attribute>) -> Schema {
        Schema { version: 0, description: String::new(), attributes, blocks: Vec::new() }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Attribute), problems: &[&str]) {
        let mut attribute = attribute();
        change(&mut attribute);
        assert_eq!(schema(vec![attribute]).problems(), problems);
    }

    #[test]
    fn a_good_attribute_is_fine() {
        check(|_| {}, &[]);
    }

    #[test]
    fn flags_must_make_sense() {
        check(|a| a.optional = false, &["a: neither required, optional nor computed"]);
        check(|a| a.required = true, &["a: both required and optional"]);
        check(
            |a| {
                a.computed = true;
                a.write_only = true;
            },
            &["a: both write-only and computed"],
        );
        check(|a| a.default = Some("x".into()), &["a: a default needs optional, computed"]);
        check(|a| a.description = "", &["a: has no description"]);
        check(|a| a.name = "A-b", &["A-b: a name has small letters, digits and underscores"]);
        check(|a| a.deprecated = Some(""), &["a: deprecated without a message"]);
    }

    #[test]
    fn sets_hold_nothing_write_only_or_dynamic() {
        let inner = |change: fn(&mut Attribute)| {
            let mut inner = attribute();
            change(&mut inner);
            inner
        };
        let secret = inner(|a| a.write_only = true);
        check(
            |a| a.shape = Shape::NestedSet(vec![secret.clone()]),
            &["a.a: write-only inside a set"],
        );
        check(|a| a.shape = Shape::NestedList(vec![secret]), &[]);
        let any = inner(|a| a.shape = Shape::Plain(Type::Dynamic));
        check(|a| a.shape = Shape::NestedSet(vec![any.clone()]), &["a.a: dynamic inside a set"]);
        let set = Type::set(Type::Dynamic);
        check(|a| a.shape = Shape::Plain(set), &["a: a set of dynamic values"]);

        let block = |nesting| Block {
            name: "b",
            description: "",
            nesting,
            attributes: vec![any.clone()],
            blocks: Vec::new(),
            deprecated: None,
        };
        let with =
            |nesting| Schema { blocks: vec![block(nesting)], ..schema(Vec::new()) }.problems();
        assert_eq!(with(BlockNesting::Single), [] as [String; 0]);
        assert_eq!(with(BlockNesting::Set { min: 0, max: 0 }), ["b.a: dynamic inside a set"]);
        assert_eq!(with(BlockNesting::Map), ["b.a: dynamic inside a repeated block"]);
        let bounds = with(BlockNesting::Set { min: 3, max: 2 });
        assert_eq!(bounds[0], "b: the bounds contradict each other");
    }

    #[test]
    fn names_stand_once() {
        assert_eq!(schema(vec![attribute(), attribute()]).problems(), ["a: the name stands twice"]);
    }

    #[test]
    fn identities_are_simple() {
        let check = |ty, problems: &[&str]| {
            let attribute = Attribute { shape: Shape::Plain(ty), ..attribute() };
            assert_eq!(schema(vec![attribute]).identity_problems(), problems);
        };
        check(Type::String, &[]);
        check(Type::list(Type::Number), &[]);
        let message = "a: an identity has primitives and lists of them only";
        check(Type::map(Type::String), &[message]);
        check(Type::set(Type::String), &[message]);
        let computed = Attribute { computed: true, optional: false, ..attribute() };
        assert_eq!(
            schema(vec![computed]).identity_problems(),
            ["a: it is required or optional for import"]
        );
    }
}
