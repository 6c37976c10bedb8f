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
mod site;
mod templates;
mod versions;
mod views;

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::handler::Handler;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, patch, post};

use crate::http::{Ask, ByItself, Reply};
use crate::keystone::Service;
use crate::world::World;

pub(crate) use events::create as create_cluster;
pub use events::{ClusterEvent, UnknownCluster};
pub(crate) use model::Magnum;

use call::{Answer, Call};
use microversion::{CREDENTIALS, Version};
use site::PREFIX;

/// Its entry in Keystone's catalog.
pub(crate) const SERVICE: Service =
    Service { kind: "container-infra", name: "magnum", path: "/container-infra/v1" };

/// Everything that this Magnum serves.
pub(crate) fn routes() -> Router<Arc<World>> {
    let table: Vec<(&str, MethodRouter<Arc<World>>)> = vec![
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
    let both = |router: Router<Arc<World>>, (path, serve): (&str, MethodRouter<Arc<World>>)| {
        let serve = serve.fallback(Serve::NoMethod);
        let router = router.route(&format!("{PREFIX}{path}"), serve.clone());
        router.route(&format!("{PREFIX}{path}/"), serve)
    };
    let nothing = axum::routing::any(Serve::NoPath);
    table.into_iter().fold(Router::new(), both).route(&format!("{PREFIX}/{{*rest}}"), nothing)
}

/// One route's work.
#[derive(Clone, Copy)]
enum Serve {
    /// Those who have a token that is good.
    Known(fn(&mut Magnum, &Call<'_>) -> Answer),
    NoMethod,
    NoPath,
    /// Everybody, whatever version they ask for.
    Open(fn(&World) -> Answer),
    /// The rotation of a credential, which waits for the driver.
    Rotation,
    /// Everybody.
    Versioned(fn(&World) -> Answer),
}

fn on(serve: fn(&mut Magnum, &Call<'_>) -> Answer) -> Serve {
    Serve::Known(serve)
}

impl Handler<(), Arc<World>> for Serve {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, world: Arc<World>) -> Self::Future {
        Box::pin(async move {
            let ask = match Ask::from_request(request, &world).await {
                Ok(ask) => ask,
                Err(rejection) => return rejection.into_response(),
            };
            let reply = match self.answer(&world, &ask).await {
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
    async fn answer(self, world: &Arc<World>, ask: &Ask) -> Answer {
        match self {
            Self::Open(serve) => return serve(world),
            Self::Versioned(serve) => {
                let version = versions::wanted(world, ask)?;
                return Ok(told(world, serve(world)?, version));
            }
            _ => {}
        }
        let path = ask.path.strip_prefix(PREFIX).unwrap_or(&ask.path);
        let caller = world.keystone().caller_of(ask, SERVICE.kind, path);
        let Some(caller) = caller else { return Err(refuse::unauthorized(world)) };
        let version = versions::wanted(world, ask)?;
        match self {
            Self::NoMethod => return Err(refuse::no_such_method(ask)),
            Self::NoPath => return Err(refuse::no_such_path(ask)),
            _ => {}
        }
        let call = Call { world, ask, caller, version };
        let answer = match self {
            Self::Known(serve) => {
                let mut magnum = world.magnum();
                magnum.sync(world, ask.now);
                serve(&mut magnum, &call)
            }
            _ if version < CREDENTIALS => return Err(refuse::too_old(ask, version)),
            _ => rotation::rotate_credential(&call).await,
        };
        let (Ok(reply) | Err(reply)) = answer;
        Ok(told(world, reply, version))
    }
}

/// With the versions that every answer names.
fn told(world: &World, reply: Reply, version: Version) -> Reply {
    versions::named(reply, world.magnum().newest, &version.to_string())
        .with_header(header::VARY, "OpenStack-API-Version")
}
