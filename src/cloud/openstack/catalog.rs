//! The service catalog: where a service is, by type, interface and region, as keystoneauth looks.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Error;
use crate::cloud::http::Url;

/// The services that a token may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Catalog {
    services: Vec<Service>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Endpoint {
    interface: String,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    region_id: Option<String>,
    #[serde(default)]
    url: String,
}

impl Endpoint {
    fn region(&self) -> &str {
        self.region.as_deref().or(self.region_id.as_deref()).unwrap_or_default()
    }
}

impl Catalog {
    /// The endpoint of a service: under its own type before any alias, by the first interface that
    /// has one, in the region if one is given.
    pub fn find(
        &self,
        service: &str,
        interfaces: &[String],
        region: Option<&str>,
    ) -> Result<Url, Error> {
        for kind in known_types(service) {
            for interface in interfaces {
                let found = self
                    .services
                    .iter()
                    .filter(|service| service.kind == kind)
                    .flat_map(|service| &service.endpoints)
                    .filter(|endpoint| endpoint.interface == *interface)
                    .filter(|endpoint| region.is_none_or(|region| region == endpoint.region()))
                    .find_map(|endpoint| Url::parse(&endpoint.url).ok());
                if let Some(url) = found {
                    return Ok(url);
                }
            }
        }
        let place = region.map(|region| format!(" in region {region}")).unwrap_or_default();
        let wanted = format!("{service} endpoint, {}{place}", interfaces.join(" or "));
        Err(Error::NotInCatalog { wanted, available: self.inventory() })
    }

    /// `compute (public in R1, R2), identity (internal, public in R1)`.
    fn inventory(&self) -> String {
        let mut services: Vec<_> = self
            .services
            .iter()
            .map(|service| {
                let set = |of: fn(&Endpoint) -> &str| {
                    let names: BTreeSet<_> =
                        service.endpoints.iter().map(of).filter(|name| !name.is_empty()).collect();
                    names.into_iter().collect::<Vec<_>>().join(", ")
                };
                let interfaces = set(|endpoint| &endpoint.interface);
                let regions = set(Endpoint::region);
                match (interfaces.is_empty(), regions.is_empty()) {
                    (true, _) => format!("{} (no endpoint)", service.kind),
                    (false, true) => format!("{} ({interfaces})", service.kind),
                    (false, false) => format!("{} ({interfaces} in {regions})", service.kind),
                }
            })
            .collect();
        services.sort();
        if services.is_empty() { "nothing".to_owned() } else { services.join("; ") }
    }
}

/// A service's type as asked for, then its official type, then its aliases (service-types-authority).
pub(super) fn known_types(service: &str) -> Vec<&str> {
    const FAMILIES: [&[&str]; 1] =
        [&["container-infrastructure-management", "container-infrastructure", "container-infra"]];
    let mut types = vec![service];
    let family = FAMILIES.iter().find(|family| family.contains(&service));
    types.extend(
        family.into_iter().flat_map(|family| family.iter()).filter(|kind| **kind != service),
    );
    types
}
