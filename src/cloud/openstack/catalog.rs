//! The service catalog: where a service is, by type, interface and region, as keystoneauth looks.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Error;
use crate::cloud::http::Url;

/// The services that a token may use; of what Keystone lists, the part that can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    services: Vec<Service>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Service {
    kind: String,
    endpoints: Vec<Endpoint>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Endpoint {
    interface: String,
    region: Option<String>,
    region_id: Option<String>,
    url: String,
}

/// Administrators write catalogs by hand: an entry with a hole in it hides itself and nothing else.
impl<'de> Deserialize<'de> for Catalog {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Value::deserialize(deserializer)?;
        let list =
            |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |entry: &Value, key: &str| entry.get(key)?.as_str().map(str::to_owned);
        let endpoint = |entry: &Value| {
            Some(Endpoint {
                interface: text(entry, "interface")?,
                region: text(entry, "region"),
                region_id: text(entry, "region_id"),
                url: text(entry, "url")?,
            })
        };
        let service = |entry: &Value| {
            let endpoints = list(entry.get("endpoints")).iter().filter_map(endpoint).collect();
            Some(Service { kind: text(entry, "type")?, endpoints })
        };
        Ok(Self { services: list(Some(&entries)).iter().filter_map(service).collect() })
    }
}

impl Endpoint {
    fn region(&self) -> &str {
        self.region.as_deref().or(self.region_id.as_deref()).unwrap_or_default()
    }
}

impl Catalog {
    /// The endpoint of a service: under its own type before any alias, by the first interface that
    /// has one, in the region if one is given. One that would show the token to whoever listens on the
    /// way is refused where the login itself is `encrypted`.
    pub fn find(
        &self,
        service: &str,
        interfaces: &[String],
        region: Option<&str>,
        encrypted: bool,
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
                    return fit_to_use(url, kind, encrypted);
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

/// The token goes there, and whoever wrote the catalog decides where that is.
fn fit_to_use(mut url: Url, service: &str, encrypted: bool) -> Result<Url, Error> {
    let refuse = |why: &str, url: &Url| {
        let service = service.to_owned();
        let host = url.host_str().unwrap_or_default().to_owned();
        Err(Error::UnsafeEndpoint { service, host, why: why.to_owned() })
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("it is neither https nor http", &url);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "it holds a user name or password, which a server has no business to choose",
            &url,
        );
    }
    if encrypted && url.scheme() == "http" {
        return refuse(
            "it is http, and would send the token of an https login in plain text",
            &url,
        );
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
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

#[cfg(test)]
mod tests;
