//! A stand-in for Oracle's Kubernetes Engine (OKE, version 20180222 of its API): clusters, node pools, work requests,
//! kubeconfigs, and the rotation of a cluster's credentials in its two phases, with all that OKE does by itself. A
//! request must be signed by somebody who is known. Each cluster has the small Kubernetes of [`crate::kubernetes`].
//!
//! What nobody has seen the service do is in `answers`, to be switched. Not here: making, changing or deleting a
//! cluster by a call, everything of Oracle's cloud besides.

mod actions;
mod answers;
mod call;
mod clusters;
mod course;
mod events;
mod keys;
mod login;
mod model;
mod ocid;
mod paging;
mod people;
mod refuse;
mod requests;
mod seen;
mod signature;
mod site;
mod views;

use std::pin::Pin;

use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

pub use answers::{
    AfterFailure, Bundle, CountsFrom, Etag, ExpiryMoves, NeverRotated, OkeAnswers, Refusal, Replay,
    Rule,
};
pub use events::{OkeEvent, UnknownOke};
pub use login::OciLogin;
pub(crate) use model::Oke;
pub use seen::{OkeSeen, OkeWork};
pub(crate) use site::Site;

use crate::http::{Ask, Foreign};

use call::{Answer, Call};

/// Where it begins on the sandbox's port: the version of the API.
const PREFIX: &str = "/20180222";
const REQUEST_ID: HeaderName = HeaderName::from_static("opc-request-id");

/// Everything that it serves.
pub(crate) fn routes(site: Site) -> Router {
    let on = Serve::On;
    let table: Vec<(&str, MethodRouter<Site>)> = vec![
        ("/clusters", get(on(clusters::list))),
        ("/clusters/{clusterId}", get(on(clusters::show))),
        ("/clusters/{clusterId}/actions/startCredentialRotation", post(on(actions::start))),
        ("/clusters/{clusterId}/actions/completeCredentialRotation", post(on(actions::complete))),
        ("/clusters/{clusterId}/credentialRotationStatus", get(on(clusters::status))),
        ("/clusters/{clusterId}/kubeconfig/content", post(on(clusters::kubeconfig))),
        ("/nodePools", get(on(clusters::pools))),
        ("/nodePools/{nodePoolId}", get(on(clusters::pool))),
        ("/virtualNodePools", get(on(clusters::virtual_pools))),
        ("/workRequests", get(on(requests::list))),
        ("/workRequests/{workRequestId}", get(on(requests::show))),
        ("/workRequests/{workRequestId}/errors", get(on(requests::errors))),
        ("/workRequests/{workRequestId}/logs", get(on(requests::logs))),
    ];
    let one = |router: Router<Site>, (path, serve): (&str, MethodRouter<Site>)| {
        router.route(&format!("{PREFIX}{path}"), serve.fallback(Serve::NoMethod))
    };
    let nothing = axum::routing::any(Serve::NoPath);
    let routes = table.into_iter().fold(Router::new(), one);
    routes.route(&format!("{PREFIX}/{{*rest}}"), nothing).with_state(site)
}

/// One route's work.
#[derive(Clone, Copy)]
enum Serve {
    NoMethod,
    NoPath,
    On(fn(&mut Oke, &Call<'_>) -> Answer),
}

impl Handler<(), Site> for Serve {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, site: Site) -> Self::Future {
        Box::pin(async move {
            let ask = match Ask::from_request(request, &site).await {
                Ok(ask) => ask,
                Err(rejection) => return rejection.into_response(),
            };
            let mut oke = site.oke();
            oke.sync(ask.now);
            let (Ok(reply) | Err(reply)) = self.answer(&mut oke, &ask);
            // Theirs, and two of the service's own.
            let of_client = ask.header("opc-request-id").map(str::to_owned);
            let id = of_client.unwrap_or_else(|| oke.ids.hex().to_uppercase());
            let own = [oke.ids.hex().to_uppercase(), oke.ids.hex().to_uppercase()];
            drop(oke);
            let date = ask.now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let mut response = reply
                .with_header(REQUEST_ID, format!("{id}/{}/{}", own[0], own[1]))
                .into_response();
            if let Ok(date) = HeaderValue::from_str(&date) {
                response.headers_mut().insert(header::DATE, date);
            }
            response.extensions_mut().insert(Foreign);
            response
        })
    }
}

impl Serve {
    /// Who sends it is asked before what it is about.
    fn answer(self, oke: &mut Oke, ask: &Ask) -> Answer {
        let caller = oke.people.sender(ask).map_err(|why| refuse::unproven(&why))?;
        let call = Call { ask, caller };
        match self {
            Self::NoMethod => Err(refuse::no_such_method()),
            Self::NoPath => Err(refuse::no_such_path()),
            Self::On(serve) => serve(oke, &call),
        }
    }
}
