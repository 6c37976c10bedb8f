//! Everything that a provider serves, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::others::{self, AnyDataSource, AnyEphemeral, AnyFunction, AnyProvider};
use super::resource::AnyResource;
use super::typed;
use crate::tfplugin::schema::Schema;
use crate::tfplugin::traits::{DataSource, Ephemeral, Function, Provider, Resource};

/// Arguments that every resource, data source and ephemeral resource has from the language.
const RESERVED: &[&str] = &[
    "connection",
    "count",
    "depends_on",
    "for_each",
    "lifecycle",
    "locals",
    "provider",
    "provisioner",
];

const RESERVED_IN_PROVIDER: &[&str] = &["alias", "version"];

/// A provider and its types. Names are given by the traits, and prefixed with the provider's.
pub struct Registry {
    pub(super) name: &'static str,
    pub(super) provider: Arc<dyn AnyProvider>,
    pub(super) resources: BTreeMap<String, Arc<dyn AnyResource>>,
    pub(super) data_sources: BTreeMap<String, Arc<dyn AnyDataSource>>,
    pub(super) ephemerals: BTreeMap<String, Arc<dyn AnyEphemeral>>,
    pub(super) functions: BTreeMap<String, Arc<dyn AnyFunction>>,
}

impl Registry {
    /// A provider that serves nothing yet.
    pub fn new<P: Provider>(provider: P) -> Self {
        Self {
            name: P::NAME,
            provider: Arc::new(others::Served::new::<P::Config>(provider)),
            resources: BTreeMap::new(),
            data_sources: BTreeMap::new(),
            ephemerals: BTreeMap::new(),
            functions: BTreeMap::new(),
        }
    }

    /// Adds a managed resource.
    #[must_use]
    pub fn resource<R: Resource>(mut self, resource: R) -> Self {
        let served = typed::ServedResource::new(resource, self.name);
        self.resources.insert(served.type_name.clone(), Arc::new(served));
        self
    }

    /// Adds a data source.
    #[must_use]
    pub fn data_source<D: DataSource>(mut self, data_source: D) -> Self {
        let served = others::Served::new::<D::Model>(data_source);
        self.data_sources.insert(self.type_name(D::NAME), Arc::new(served));
        self
    }

    /// Adds an ephemeral resource.
    #[must_use]
    pub fn ephemeral<E: Ephemeral>(mut self, ephemeral: E) -> Self {
        let served = others::Served::new::<E::Model>(ephemeral);
        self.ephemerals.insert(self.type_name(E::NAME), Arc::new(served));
        self
    }

    /// Adds a function, by its bare name.
    #[must_use]
    pub fn function<F: Function>(mut self, function: F) -> Self {
        self.functions.insert(F::NAME.to_owned(), Arc::new(function));
        self
    }

    /// The provider's local name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Everything that core would refuse in the schemas, each with its place. Core refuses the whole
    /// provider for a single one, so the tests ask here; empty if all is fine.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut add = |place: &str, problems: Vec<String>| {
            found.extend(problems.into_iter().map(|problem| format!("{place}: {problem}")));
        };
        let checked = |schema: &Schema, reserved: &[&str]| {
            let mut problems = schema.problems();
            let names = schema.attributes.iter().map(|attribute| attribute.name);
            for name in names.chain(schema.blocks.iter().map(|block| block.name)) {
                if reserved.contains(&name) {
                    problems.push(format!("{name}: the language itself has this name"));
                }
            }
            problems
        };
        add("provider", checked(self.provider.schema(), RESERVED_IN_PROVIDER));
        for (name, resource) in &self.resources {
            add(&format!("resource {name}"), checked(resource.schema(), RESERVED));
            add(&format!("identity of {name}"), resource.identity_problems());
        }
        for (name, source) in &self.data_sources {
            add(&format!("data {name}"), checked(source.schema(), RESERVED));
        }
        for (name, ephemeral) in &self.ephemerals {
            add(&format!("ephemeral {name}"), checked(ephemeral.schema(), RESERVED));
        }
        for (name, function) in &self.functions {
            let mut names = BTreeSet::new();
            for parameter in function.schema().parameters {
                if !is_identifier(&parameter.name) {
                    add(&format!("function {name}"), vec!["a parameter without a name".to_owned()]);
                }
                if !names.insert(parameter.name) {
                    add(&format!("function {name}"), vec!["two parameters of one name".to_owned()]);
                }
            }
            if !is_identifier(name) {
                add(&format!("function {name}"), vec!["not an identifier".to_owned()]);
            }
        }
        found
    }

    fn type_name(&self, name: &str) -> String {
        format!("{}_{name}", self.name)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("name", &self.name)
            .field("resources", &self.resources.keys())
            .field("data_sources", &self.data_sources.keys())
            .field("ephemerals", &self.ephemerals.keys())
            .field("functions", &self.functions.keys())
            .finish_non_exhaustive()
    }
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::tfplugin::context::Context;
    use crate::tfplugin::cty::{Type, Value};
    use crate::tfplugin::diagnostics::Result;
    use crate::tfplugin::model::{Attr, Model, NoIdentity};
    use crate::tfplugin::traits::{FunctionError, Parameter};

    struct Sample;

    #[async_trait]
    impl Provider for Sample {
        type Config = NoIdentity;

        const NAME: &'static str = "sample";

        async fn configure(&self, _: &Context, _: NoIdentity) -> Result<()> {
            Ok(())
        }
    }

    /// Has a name of the language.
    #[derive(Clone, Debug, Default, Model)]
    struct Counted {
        /// How many.
        #[attr(computed)]
        count: Attr<i64>,
    }

    #[async_trait]
    impl DataSource for Sample {
        type Model = Counted;

        const NAME: &'static str = "counted";

        async fn read(&self, _: &Context, config: Counted) -> Result<Counted> {
            Ok(config)
        }
    }

    impl Function for Sample {
        const NAME: &'static str = "twice";
        const SUMMARY: &'static str = "";
        const DESCRIPTION: &'static str = "";

        fn parameters(&self) -> Vec<Parameter> {
            let parameter = Parameter {
                name: "a",
                ty: Type::Bool,
                description: "",
                allow_null: false,
                allow_unknown: false,
            };
            vec![parameter.clone(), parameter]
        }

        fn returns(&self) -> Type {
            Type::Bool
        }

        fn call(&self, _: Vec<Value>) -> std::result::Result<Value, FunctionError> {
            Ok(Value::Null)
        }
    }

    #[test]
    fn problems_are_found_in_every_corner() {
        assert_eq!(Registry::new(Sample).problems(), [] as [String; 0]);
        assert_eq!(
            Registry::new(Sample).data_source(Sample).function(Sample).problems(),
            [
                "data sample_counted: count: the language itself has this name",
                "function twice: two parameters of one name",
            ]
        );
    }
}
