//! A stand-in Keystone (v3): tokens, application credentials, access rules, and as much of users,
//! projects, roles and grants as their life depends on.
//!
//! Not here: trusts, OAuth, federation, groups, more than one domain, changing the catalog.

#![allow(clippy::unnecessary_wraps, reason = "every route's work has the same signature")]

mod access_rules;
mod catalog;
mod changes;
mod credential_schema;
pub(crate) mod credentials;
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
mod tokens;
mod views;

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::handler::Handler;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use serde::Serialize;
use serde_json::Value;

use crate::http::{Ask, Reply};
use crate::world::World;

pub use events::{Event, UnknownName};
pub(crate) use model::{Credential, Keystone, Service};
pub use seed::Seed;
use tokens::Dead;
use views::Collection;

/// An answer, or a refusal.
pub(crate) type Answer = Result<Reply, Reply>;

/// Who asks, by a token that is good.
#[derive(Clone)]
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
    let create = Serve::Formed(credential_schema::check_ask, credentials::create);
    let page = open(|_, _| Err(refuse::no_such_method_of_page()));
    let grants = "/v3/projects/{project_id}/users/{user_id}/roles";
    let grant = "/v3/projects/{project_id}/users/{user_id}/roles/{role_id}";
    let table: Vec<(&str, MethodRouter<Arc<World>>)> = vec![
        ("/", get(open(catalog::versions)).fallback(page)),
        ("/v3", get(open(catalog::version)).fallback(page)),
        (
            "/v3/auth/tokens",
            post(open(login::log_in)).get(on(tokens::show)).delete(on(tokens::revoke)),
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
    let both = |router: Router<Arc<World>>, (path, serve): (&str, MethodRouter<Arc<World>>)| {
        let slashed = format!("{}/", path.trim_end_matches('/'));
        let router = router.route(&slashed, serve.clone());
        if path == slashed { router } else { router.route(path, serve) }
    };
    table
        .into_iter()
        .fold(Router::new(), both)
        .method_not_allowed_fallback(open(|_, _| Err(refuse::no_such_method())))
        .fallback(open(|_, _| Err(refuse::no_such_path())))
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

/// The body as JSON, which must be an object; an empty one if there is none.
pub(crate) fn json_body(ask: &Ask) -> Result<Value, Reply> {
    if ask.body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
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
    /// Who sends the request; none without a token, or with one that is not good.
    fn caller(&self, ask: &Ask) -> Result<Option<Caller>, Reply> {
        let Some(id) = ask.header("x-auth-token") else { return Ok(None) };
        let token = match self.validate(id, ask.now, true) {
            Ok(token) => token,
            Err(Dead::Gone(message)) => return Err(refuse::not_found(&message)),
            Err(_) => return Ok(None),
        };
        let caller = self.bearer(token);
        if !self.lets_through(&caller, "identity", ask.method.as_str(), &ask.path) {
            return Err(refuse::unauthorized_by_middleware(&self.base));
        }
        Ok(Some(caller))
    }

    /// Whom another service takes the sender for; none without a token that is good for this call to it.
    pub(crate) fn caller_of(&self, ask: &Ask, service: &str, path: &str) -> Option<Caller> {
        let token = self.validate(ask.header("x-auth-token")?, ask.now, true).ok()?;
        let caller = self.bearer(token);
        self.lets_through(&caller, service, ask.method.as_str(), path).then_some(caller)
    }

    /// Whether the access rules of the caller's credential, if it has any, let a call through.
    pub(crate) fn lets_through(
        &self,
        caller: &Caller,
        service: &str,
        method: &str,
        path: &str,
    ) -> bool {
        let credential = caller.credential_id.as_deref().and_then(|id| self.credential(id));
        credential.is_none_or(|credential| {
            credential.access_rules.is_empty() || self.is_allowed(credential, service, method, path)
        })
    }

    /// Somebody as with a fresh token for a project; both by name or id.
    pub(crate) fn caller_for(&self, user: &str, project: &str) -> Result<Caller, UnknownName> {
        let user_id = self.find_user(user)?.id.clone();
        let project_id = self.find_project(project)?.id.clone();
        let role_ids = self.effective_roles(&user_id, &model::Scope::Project(project_id.clone()));
        let names = role_ids.iter().filter_map(|id| self.role(id)).map(|role| role.name.clone());
        Ok(Caller {
            role_names: names.collect(),
            user_id,
            project_id: Some(project_id),
            system: false,
            role_ids,
            credential_id: None,
        })
    }

    fn bearer(&self, token: &model::Token) -> Caller {
        let role_ids = self.roles_of(token);
        let names = role_ids.iter().filter_map(|id| self.role(id)).map(|role| role.name.clone());
        Caller {
            user_id: token.user_id.clone(),
            project_id: match &token.scope {
                model::Scope::Project(id) => Some(id.clone()),
                _ => None,
            },
            system: token.scope == model::Scope::System,
            role_names: names.collect(),
            role_ids,
            credential_id: token.credential_id.clone(),
        }
    }
}

/// 200 with a list.
pub(crate) fn collection(
    keystone: &Keystone,
    ask: &Ask,
    plural: &str,
    members: &[impl Serialize],
) -> Reply {
    Reply::json(StatusCode::OK, &Collection::new(keystone, ask, plural, members))
}

/// The object below that key of the body, and the name that it must have.
pub(crate) fn named_member(ask: &Ask, key: &str) -> Result<(String, Value), Reply> {
    let wanted = member(ask, key)?;
    match wanted["name"].as_str().filter(|name| !name.is_empty()) {
        Some(name) => Ok((name.to_owned(), wanted)),
        None => Err(refuse::invalid_field(key, &wanted, "'name' is a required property")),
    }
}

/// The object below that key of the body.
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
