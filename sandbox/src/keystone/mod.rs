//! A stand-in Keystone (v3): tokens, application credentials, access rules, and as much of users,
//! projects, roles and grants as their life depends on.
//!
//! Not here: trusts, OAuth, federation, groups, more than one domain, changing the catalog.

#![allow(clippy::unnecessary_wraps, reason = "every route's work has the same signature")]

mod access_rules;
mod catalog;
mod changes;
mod credential_schema;
mod credentials;
mod events;
mod identity;
mod login;
mod login_schema;
mod model;
mod projects;
mod refuse;
mod schema;
mod seed;
mod tokens;

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::handler::Handler;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde_json::Value;

use crate::http::{Ask, Reply};
use crate::world::World;

pub use events::{Event, UnknownName};
pub(crate) use model::{Credential, Keystone};
pub use seed::Seed;
use tokens::Dead;

/// An answer, or a refusal.
pub(crate) type Answer = Result<Reply, Reply>;

/// Who asks, by a token that is good.
pub(crate) struct Caller {
    pub(crate) user_id: String,
    pub(crate) project_id: Option<String>,
    pub(crate) system: bool,
    /// Of the token.
    pub(crate) role_ids: Vec<String>,
    role_names: Vec<String>,
    /// The credential that the token came from.
    pub(crate) credential_id: Option<String>,
}

impl Caller {
    pub(crate) fn has_role(&self, name: &str) -> bool {
        self.role_names.iter().any(|role| role == name)
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.has_role("admin")
    }

    pub(crate) fn is_system_reader(&self) -> bool {
        self.system && self.has_role("reader")
    }
}

/// Everything that this Keystone serves.
pub(crate) fn routes() -> Router<Arc<World>> {
    let credentials = "/v3/users/{user_id}/application_credentials";
    let credential = "/v3/users/{user_id}/application_credentials/{application_credential_id}";
    let grants = "/v3/projects/{project_id}/users/{user_id}/roles";
    let grant = "/v3/projects/{project_id}/users/{user_id}/roles/{role_id}";
    Router::new()
        .route("/", get(open(catalog::versions)))
        .route("/v3", get(open(catalog::version)))
        .route("/v3/", get(open(catalog::version)))
        .route(
            "/v3/auth/tokens",
            post(open(login::log_in)).get(on(tokens::show)).delete(on(tokens::revoke)),
        )
        .route("/v3/auth/catalog", get(on(catalog::show)))
        .route("/v3/auth/projects", get(on(projects::list_own)))
        .route("/v3/auth/domains", get(on(projects::list_own_domains)))
        .route("/v3/auth/system", get(on(projects::show_own_system)))
        .route(credentials, get(on(credentials::list)).post(on(credentials::create)))
        .route(credential, get(on(credentials::show)).delete(on(credentials::delete)))
        .route("/v3/users/{user_id}/access_rules", get(on(access_rules::list)))
        .route(
            "/v3/users/{user_id}/access_rules/{access_rule_id}",
            get(on(access_rules::show)).delete(on(access_rules::delete)),
        )
        .route("/v3/users", get(on(identity::list_users)).post(on(identity::create_user)))
        .route(
            "/v3/users/{user_id}",
            get(on(identity::show_user))
                .patch(on(identity::update_user))
                .delete(on(identity::delete_user)),
        )
        .route("/v3/users/{user_id}/password", post(on(identity::change_password)))
        .route("/v3/users/{user_id}/projects", get(on(projects::list_of_user)))
        .route("/v3/projects", get(on(projects::list)).post(on(projects::create)))
        .route(
            "/v3/projects/{project_id}",
            get(on(projects::show)).patch(on(projects::update)).delete(on(projects::delete)),
        )
        .route("/v3/domains", get(on(projects::list_domains)))
        .route("/v3/domains/{domain_id}", get(on(projects::show_domain)))
        .route("/v3/roles", get(on(identity::list_roles)).post(on(identity::create_role)))
        .route(
            "/v3/roles/{role_id}",
            get(on(identity::show_role)).delete(on(identity::delete_role)),
        )
        .route(grants, get(on(identity::list_grants)))
        .route(
            grant,
            put(on(identity::grant)).get(on(identity::check_grant)).delete(on(identity::ungrant)),
        )
        .method_not_allowed_fallback(async || refuse::no_such_method())
        .fallback(open(|_, _| Err(refuse::no_such_path())))
}

/// One route's work.
#[derive(Clone, Copy)]
enum Serve {
    /// Everybody; but a token that is sent must be good all the same.
    All(fn(&mut Keystone, &Ask) -> Answer),
    /// Those who have a token that is good.
    Known(fn(&mut Keystone, &Ask, &Caller) -> Answer),
}

fn on(serve: fn(&mut Keystone, &Ask, &Caller) -> Answer) -> Serve {
    Serve::Known(serve)
}

fn open(serve: fn(&mut Keystone, &Ask) -> Answer) -> Serve {
    Serve::All(serve)
}

impl Handler<(), Arc<World>> for Serve {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, world: Arc<World>) -> Self::Future {
        Box::pin(async move {
            match Ask::from_request(request, &world).await {
                Ok(ask) => finished(self.answer(&mut world.keystone(), &ask)).into_response(),
                Err(rejection) => rejection.into_response(),
            }
        })
    }
}

impl Serve {
    /// In the real one's order: the token, the form of the body, then the work.
    fn answer(self, keystone: &mut Keystone, ask: &Ask) -> Answer {
        let caller = keystone.caller(ask)?;
        if !ask.body.is_empty() {
            json_body(ask)?;
        }
        match (self, caller) {
            (Self::All(serve), _) => serve(keystone, ask),
            (Self::Known(serve), Some(caller)) => serve(keystone, ask, &caller),
            (Self::Known(_), None) => Err(refuse::unauthorized(&keystone.base)),
        }
    }
}

fn finished(answer: Answer) -> Reply {
    answer.unwrap_or_else(|refusal| refusal).with_header(header::VARY, "X-Auth-Token")
}

/// The body as JSON, which must be an object.
pub(crate) fn json_body(ask: &Ask) -> Result<Value, Reply> {
    let kind = ask.header("content-type").unwrap_or_default();
    if !kind.is_empty() && !kind.contains("json") {
        return Err(refuse::expected("application/json", "Content-Type header"));
    }
    match serde_json::from_slice(&ask.body) {
        Ok(Value::Object(body)) => Ok(Value::Object(body)),
        _ => Err(refuse::expected("valid JSON", "request body")),
    }
}

impl Keystone {
    /// Who sends the request; none without a token.
    fn caller(&self, ask: &Ask) -> Result<Option<Caller>, Reply> {
        let Some(id) = ask.header("x-auth-token") else { return Ok(None) };
        let token = match self.validate(id, ask.now, true) {
            Ok(token) => token,
            Err(Dead::Invalid) => return Err(refuse::unauthorized(&self.base)),
            Err(Dead::Gone(message)) => return Err(refuse::not_found(&message)),
        };
        let credential = token.credential_id.as_deref().and_then(|id| self.credential(id));
        if let Some(credential) = credential
            && !credential.access_rules.is_empty()
            && !self.is_allowed(credential, ask.method.as_str(), &ask.path)
        {
            return Err(refuse::unauthorized_by_middleware(&self.base));
        }
        let role_ids = self.roles_of(token);
        let names = role_ids.iter().filter_map(|id| self.role(id)).map(|role| role.name.clone());
        Ok(Some(Caller {
            user_id: token.user_id.clone(),
            project_id: match &token.scope {
                model::Scope::Project(id) => Some(id.clone()),
                _ => None,
            },
            system: token.scope == model::Scope::System,
            role_names: names.collect(),
            role_ids,
            credential_id: token.credential_id.clone(),
        }))
    }
}

/// `{"links": …, "<plural>": […]}` around members that link to themselves.
pub(crate) fn collection(keystone: &Keystone, ask: &Ask, plural: &str, members: &[Value]) -> Reply {
    let query = ask.raw_query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
    let this = format!("{}{}{query}", keystone.base, ask.path);
    Reply::ok(&serde_json::json!({
        plural: members,
        "links": { "next": null, "self": this, "previous": null },
    }))
}

/// The object below that key of the body; an empty one if it is not there.
pub(crate) fn member(ask: &Ask, key: &str) -> Result<Value, Reply> {
    let body = json_body(ask)?;
    match body.get(key) {
        Some(value) if value.is_object() => Ok(value.clone()),
        _ => Err(refuse::bad_request(&format!("'{key}' is a required property"))),
    }
}

/// 204.
pub(crate) fn done() -> Answer {
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
