//! A stand-in Magnum (v1): clusters and their templates, the rotation of their credential and of their CA,
//! certificates that are really signed. Its cluster driver makes no machines, but for each cluster the small
//! Kubernetes of [`crate::kubernetes`], and real application credentials in the Keystone beside it.
//!
//! Not here: updates, upgrades, node groups, quotas, federations, the statistics.

#![allow(clippy::unnecessary_wraps, reason = "every route's work has the same signature")]

mod call;
mod certificates;
mod clusters;
mod driver;
mod events;
mod microversion;
mod model;
mod refuse;
mod rotation;
mod seen;
mod site;
mod templates;
mod versions;
mod views;

use std::pin::Pin;

use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::handler::Handler;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, patch, post};

use crate::http::{Ask, ByItself, Reply};
use crate::keystone::Service;

pub(crate) use events::create as create_cluster;
pub use events::{ClusterEvent, UnknownCluster};
pub(crate) use model::Magnum;
pub use seen::ClusterSeen;
pub(crate) use site::Site;

use call::{Answer, Call};
use microversion::{CREDENTIALS, Version};
use site::PREFIX;

/// Its entry in Keystone's catalog.
pub(crate) const SERVICE: Service =
    Service { kind: "container-infra", name: "magnum", path: "/container-infra/v1" };

/// Everything that this Magnum serves.
pub(crate) fn routes(site: Site) -> Router {
    let table: Vec<(&str, MethodRouter<Site>)> = vec![
        ("", get(Serve::Open(versions::list))),
        ("/v1", get(Serve::Versioned(versions::show))),
        ("/v1/clusters", get(on(clusters::list)).post(on(clusters::create))),
        ("/v1/clusters/detail", get(on(clusters::detail))),
        ("/v1/clusters/{cluster}", get(on(clusters::show)).delete(on(clusters::delete))),
        ("/v1/clustertemplates", get(on(templates::list)).post(on(templates::create))),
        ("/v1/clustertemplates/detail", get(on(templates::list))),
        ("/v1/clustertemplates/{template}", get(on(templates::show)).delete(on(templates::delete))),
        ("/v1/certificates", post(on(certificates::sign))),
        ("/v1/certificates/{cluster}", get(on(certificates::show)).patch(on(rotation::rotate_ca))),
        ("/v1/certificates/{cluster}/{ca_cert_type}", get(on(certificates::show))),
        ("/v1/credentials/{cluster}", patch(Serve::Rotation)),
    ];
    let both = |router: Router<Site>, (path, serve): (&str, MethodRouter<Site>)| {
        let serve = serve.fallback(Serve::NoMethod);
        let router = router.route(&format!("{PREFIX}{path}"), serve.clone());
        router.route(&format!("{PREFIX}{path}/"), serve)
    };
    let nothing = axum::routing::any(Serve::NoPath);
    let routes = table.into_iter().fold(Router::new(), both);
    routes.route(&format!("{PREFIX}/{{*rest}}"), nothing).with_state(site)
}

/// One route's work.
#[derive(Clone, Copy)]
enum Serve {
    /// Those who have a token that is good.
    Known(fn(&mut Magnum, &Call<'_>) -> Answer),
    NoMethod,
    NoPath,
    /// Everybody, whatever version they ask for.
    Open(fn(&Site) -> Answer),
    /// The rotation of a credential, which waits for the driver.
    Rotation,
    /// Everybody.
    Versioned(fn(&Site) -> Answer),
}

fn on(serve: fn(&mut Magnum, &Call<'_>) -> Answer) -> Serve {
    Serve::Known(serve)
}

impl Handler<(), Site> for Serve {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, site: Site) -> Self::Future {
        Box::pin(async move {
            let ask = match Ask::from_request(request, &site).await {
                Ok(ask) => ask,
                Err(rejection) => return rejection.into_response(),
            };
            let reply = match self.answer(&site, &ask).await {
                Ok(reply) | Err(reply) => reply,
            };
            let mut response = reply.into_response();
            // Its own words, also where it crashed.
            response.extensions_mut().insert(ByItself);
            response
        })
    }
}

impl Serve {
    /// In the real one's order: the token, the version, the path, the work. What is refused before Magnum's own
    /// code runs names no versions.
    async fn answer(self, site: &Site, ask: &Ask) -> Answer {
        match self {
            Self::Open(serve) => return serve(site),
            Self::Versioned(serve) => {
                let version = versions::wanted(site, ask)?;
                return Ok(told(site, serve(site)?, version));
            }
            _ => {}
        }
        let path = ask.path.strip_prefix(PREFIX).unwrap_or(&ask.path);
        let caller = site.keystone().caller_of(ask, SERVICE.kind, path);
        let Some(caller) = caller else { return Err(refuse::unauthorized(&site.world)) };
        let version = versions::wanted(site, ask)?;
        match self {
            Self::NoMethod => return Err(refuse::no_such_method(ask)),
            Self::NoPath => return Err(refuse::no_such_path(ask)),
            _ => {}
        }
        let call = Call { site, ask, caller, version };
        let answer = match self {
            Self::Known(serve) => {
                let mut magnum = site.magnum();
                magnum.sync(&site.keystone, ask.now);
                serve(&mut magnum, &call)
            }
            _ if version < CREDENTIALS => return Err(refuse::too_old(ask, version)),
            _ => rotation::rotate_credential(&call).await,
        };
        let (Ok(reply) | Err(reply)) = answer;
        Ok(told(site, reply, version))
    }
}

/// With the versions that every answer names.
fn told(site: &Site, reply: Reply, version: Version) -> Reply {
    versions::named(reply, site.magnum().newest, &version.to_string())
        .with_header(header::VARY, "OpenStack-API-Version")
}
