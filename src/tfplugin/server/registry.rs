//! Everything that a provider serves, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::others::{self, AnyDataSource, AnyEphemeral, AnyFunction, AnyProvider};
use super::resource::AnyResource;
use super::typed;
use crate::tfplugin::traits::{DataSource, Ephemeral, Function, Provider, Resource};

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
        let served = typed::Served::new(resource, self.name);
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
