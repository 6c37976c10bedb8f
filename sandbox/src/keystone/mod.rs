//! A stand-in Keystone (v3): tokens, application credentials, access rules, and as much of users,
//! projects, roles and grants as their life depends on.
//!
//! Not here: trusts, OAuth, federation, groups, more than one domain, changing the catalog.

#![allow(clippy::unnecessary_wraps, reason = "every route's work has the same signature")]

mod access_rules;
mod answer;
mod caller;
mod catalog;
mod changes;
mod credential_schema;
mod credentials;
mod events;
mod expiry;
mod identity;
mod login;
mod login_schema;
mod model;
mod projects;
mod refuse;
mod schema;
mod seed;
mod seen;
mod site;
mod token_calls;
mod tokens;
mod views;

use std::pin::Pin;

use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::handler::Handler;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};

use crate::http::{Ask, Reply};

pub(crate) use caller::Caller;
pub use events::{Event, UnknownName};
pub(crate) use model::{Credential, Keystone, Service};
pub use seed::Seed;
pub use seen::{Account, Named};
pub(crate) use site::Site;

use answer::{Answer, json_body};

/// Everything that this Keystone serves.
pub(crate) fn routes(site: Site) -> Router {
    let credentials = "/v3/users/{user_id}/application_credentials";
    let credential = "/v3/users/{user_id}/application_credentials/{application_credential_id}";
    let create = Serve::Formed(credential_schema::check_ask, credentials::create);
    let page = open(|_, _| Err(refuse::no_such_method_of_page()));
    let grants = "/v3/projects/{project_id}/users/{user_id}/roles";
    let grant = "/v3/projects/{project_id}/users/{user_id}/roles/{role_id}";
    let table: Vec<(&str, MethodRouter<Site>)> = vec![
        ("/", get(open(catalog::versions)).fallback(page)),
        ("/v3", get(open(catalog::version)).fallback(page)),
        (
            "/v3/auth/tokens",
            post(open(login::log_in)).get(on(token_calls::show)).delete(on(token_calls::revoke)),
        ),
        ("/v3/auth/catalog", get(on(catalog::show))),
        ("/v3/auth/projects", get(on(projects::list_own))),
        ("/v3/auth/domains", get(on(projects::list_own_domains))),
        ("/v3/auth/system", get(on(projects::show_own_system))),
        (credentials, get(on(credentials::list)).post(create)),
        (credential, get(on(credentials::show)).delete(on(credentials::delete))),
        ("/v3/users/{user_id}/access_rules", get(on(access_rules::list))),
        (
            "/v3/users/{user_id}/access_rules/{access_rule_id}",
            get(on(access_rules::show)).delete(on(access_rules::delete)),
        ),
        ("/v3/users", get(on(identity::list_users)).post(on(identity::create_user))),
        (
            "/v3/users/{user_id}",
            get(on(identity::show_user))
                .patch(on(identity::update_user))
                .delete(on(identity::delete_user)),
        ),
        ("/v3/users/{user_id}/password", post(on(identity::change_password))),
        ("/v3/users/{user_id}/projects", get(on(projects::list_of_user))),
        ("/v3/projects", get(on(projects::list)).post(on(projects::create))),
        (
            "/v3/projects/{project_id}",
            get(on(projects::show)).patch(on(projects::update)).delete(on(projects::delete)),
        ),
        ("/v3/domains", get(on(projects::list_domains))),
        ("/v3/domains/{domain_id}", get(on(projects::show_domain))),
        ("/v3/roles", get(on(identity::list_roles)).post(on(identity::create_role))),
        ("/v3/roles/{role_id}", get(on(identity::show_role)).delete(on(identity::delete_role))),
        (grants, get(on(identity::list_grants))),
        (
            grant,
            put(on(identity::grant)).get(on(identity::check_grant)).delete(on(identity::ungrant)),
        ),
    ];
    // A slash at the end makes no difference.
    let both = |router: Router<Site>, (path, serve): (&str, MethodRouter<Site>)| {
        let slashed = format!("{}/", path.trim_end_matches('/'));
        let router = router.route(&slashed, serve.clone());
        if path == slashed { router } else { router.route(path, serve) }
    };
    table
        .into_iter()
        .fold(Router::new(), both)
        .method_not_allowed_fallback(open(|_, _| Err(refuse::no_such_method())))
        .fallback(open(|_, _| Err(refuse::no_such_path())))
        .with_state(site)
}

/// One route's work.
#[derive(Clone, Copy)]
enum Serve {
    /// Everybody; a token need not be good, but what it stands on must be there.
    All(fn(&mut Keystone, &Ask) -> Answer),
    /// Those who have a token that is good.
    Known(fn(&mut Keystone, &Ask, &Caller) -> Answer),
    /// The same, but the body's form is looked at first.
    Formed(fn(&Ask) -> Result<(), Reply>, fn(&mut Keystone, &Ask, &Caller) -> Answer),
}

fn on(serve: fn(&mut Keystone, &Ask, &Caller) -> Answer) -> Serve {
    Serve::Known(serve)
}

fn open(serve: fn(&mut Keystone, &Ask) -> Answer) -> Serve {
    Serve::All(serve)
}

impl Handler<(), Site> for Serve {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, site: Site) -> Self::Future {
        Box::pin(async move {
            match Ask::from_request(request, &site).await {
                Ok(ask) => finished(self.answer(&mut site.keystone(), &ask)).into_response(),
                Err(rejection) => rejection.into_response(),
            }
        })
    }
}

impl Serve {
    /// In the real one's order: what the token stands on, the body, whether there is a token, the
    /// work.
    fn answer(self, keystone: &mut Keystone, ask: &Ask) -> Answer {
        let caller = keystone.caller(ask)?;
        json_body(ask)?;
        let (form, serve) = match self {
            Self::All(serve) => return serve(keystone, ask),
            Self::Known(serve) => (None, serve),
            Self::Formed(form, serve) => (Some(form), serve),
        };
        if let Some(form) = form {
            form(ask)?;
        }
        match caller {
            Some(caller) => serve(keystone, ask, &caller),
            None => Err(refuse::unauthorized(&keystone.base)),
        }
    }
}

fn finished(answer: Answer) -> Reply {
    let reply = answer.unwrap_or_else(|refusal| refusal);
    // A crash is answered by the server below Keystone.
    if reply.status.is_server_error() {
        return reply;
    }
    reply.with_header(header::VARY, "X-Auth-Token")
}
