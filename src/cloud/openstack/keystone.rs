//! The part of Keystone's v3 API that the provider needs: application credentials, access rules,
//! and whether a user or project is known.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Error;
use super::session::Session;
use super::token::{Reference, TOO_MANY, time};
use crate::cloud::http::{Method, Patience, Request, Url};
use crate::redaction::{ExposeSecret, SecretString};

#[cfg(test)]
mod tests;
mod wire;

/// An application credential as Keystone shows it; never with its secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "wire::Credential")]
pub struct ApplicationCredential {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub user_id: String,
    /// None for one made with an unscoped token.
    pub project_id: Option<String>,
    pub expires_at: Option<Timestamp>,
    pub unrestricted: bool,
    /// With the implied ones.
    pub roles: Vec<Reference>,
    pub access_rules: Vec<AccessRule>,
}

/// One kind of request that a credential may make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct AccessRule {
    /// None when it is about to be made.
    pub id: Option<String>,
    pub service: String,
    pub method: String,
    pub path: String,
}

/// How a role is named in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleRef {
    Id(String),
    Name(String),
}

/// What Create sends. `unrestricted` is always sent; empty `roles` means all of the token's.
#[derive(Clone, Debug)]
pub struct NewApplicationCredential {
    pub name: String,
    pub secret: SecretString,
    pub description: Option<String>,
    pub roles: Vec<RoleRef>,
    pub expires_at: Option<Timestamp>,
    pub unrestricted: bool,
    pub access_rules: Vec<AccessRule>,
}

/// Whether something exists, as far as the caller may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// It may exist: Keystone does not tell this caller (403).
    Hidden,
    No,
    Yes,
}

/// Calls to Keystone with a session's token.
#[derive(Clone, Copy, Debug)]
pub struct Keystone<'s> {
    session: &'s Session,
}

impl Session {
    /// The identity service.
    pub fn keystone(&self) -> Keystone<'_> {
        Keystone { session: self }
    }
}

impl Keystone<'_> {
    /// Sent once: a create is never retried here once it may have taken effect
    /// ([`Error::is_ambiguous`]); the caller looks the name up.
    pub async fn create_application_credential(
        &self,
        user_id: &str,
        new: &NewApplicationCredential,
        patience: &Patience,
    ) -> Result<ApplicationCredential, Error> {
        let request = self
            .request(Method::POST, &["users", user_id, "application_credentials"])?
            .hides(&new.secret)
            .json(&wire::Create { application_credential: wire::New::from(new) })
            .map_err(|_| super::ConfigError {
                message: "the application credential cannot be written as JSON".to_owned(),
                setting: None,
            })?;
        let answer: wire::One = self.session.json(request, patience).await?;
        Ok(owned(answer.application_credential, user_id))
    }

    /// A 404 is [`Error::Api`].
    pub async fn application_credential(
        &self,
        user_id: &str,
        id: &str,
        patience: &Patience,
    ) -> Result<ApplicationCredential, Error> {
        let path = ["users", user_id, "application_credentials", id];
        let request = self.request(Method::GET, &path)?;
        let answer: wire::One = self.session.json(request, patience).await?;
        Ok(owned(answer.application_credential, user_id))
    }

    /// All of the user's, on all projects, expired ones too.
    pub async fn application_credentials(
        &self,
        user_id: &str,
        patience: &Patience,
    ) -> Result<Vec<ApplicationCredential>, Error> {
        const MOST_PAGES: usize = 1000;
        const MOST_BYTES: usize = 32 * 1024 * 1024;
        let mut request =
            self.request(Method::GET, &["users", user_id, "application_credentials"])?;
        let unreadable = |request: &Request, reason: String| {
            Err(Error::Unreadable { request: request.label(), reason, request_id: None })
        };
        let (mut all, mut bytes) = (Vec::new(), 0);
        // Keystone gives all at once; one that did not, and was not followed, would make
        // credentials look gone
        for _ in 0..MOST_PAGES {
            let (page, size): (wire::Many, _) =
                self.session.json_of_size(request.clone(), patience).await?;
            bytes += size;
            all.extend(page.application_credentials.0);
            if bytes > MOST_BYTES {
                let reason = format!("its pages are larger than {MOST_BYTES} bytes together");
                return unreadable(&request, reason);
            }
            if all.len() > wire::MOST {
                return unreadable(&request, format!("{TOO_MANY} {}", wire::MOST));
            }
            let next = page.links.and_then(|links| links.next).filter(|next| !next.is_empty());
            let Some(next) = next else {
                let owned = all.into_iter().map(|credential| owned(credential, user_id));
                return Ok(owned.collect());
            };
            let Some(url) = next_page(&request.url, &next) else {
                let reason = "its link to the next page leads nowhere else";
                return unreadable(&request, reason.to_owned());
            };
            request.url = url;
        }
        unreadable(&request, format!("it has more than {MOST_PAGES} pages"))
    }

    /// The one of that exact name, if any.
    pub async fn application_credential_named(
        &self,
        user_id: &str,
        name: &str,
        patience: &Patience,
    ) -> Result<Option<ApplicationCredential>, Error> {
        let path = ["users", user_id, "application_credentials"];
        let mut request = self.request(Method::GET, &path)?;
        request.url.query_pairs_mut().append_pair("name", name);
        let answer: wire::Many = self.session.json(request, patience).await?;
        // a database may compare without regard to case
        let mut credentials = answer.application_credentials.0.into_iter();
        let found = credentials.find(|credential| credential.name == name);
        Ok(found.map(|credential| owned(credential, user_id)))
    }

    /// Idempotent on the wire: a 404 is [`Error::Api`] with status 404, also after a retry whose
    /// first try had deleted it.
    pub async fn delete_application_credential(
        &self,
        user_id: &str,
        id: &str,
        patience: &Patience,
    ) -> Result<(), Error> {
        let path = ["users", user_id, "application_credentials", id];
        let request = self.request(Method::DELETE, &path)?;
        self.session.done(request, patience).await
    }

    /// All of the user's, used or left behind.
    pub async fn access_rules(
        &self,
        user_id: &str,
        patience: &Patience,
    ) -> Result<Vec<AccessRule>, Error> {
        let request = self.request(Method::GET, &["users", user_id, "access_rules"])?;
        let answer: wire::Rules = self.session.json(request, patience).await?;
        Ok(answer.access_rules)
    }

    /// 403 while a credential uses it.
    pub async fn delete_access_rule(
        &self,
        user_id: &str,
        id: &str,
        patience: &Patience,
    ) -> Result<(), Error> {
        let request = self.request(Method::DELETE, &["users", user_id, "access_rules", id])?;
        self.session.done(request, patience).await
    }

    /// A user by id. Everybody may read themselves; others only with a reading role on the system
    /// or domain (403).
    pub async fn user(&self, id: &str, patience: &Patience) -> Result<Reference, Error> {
        let request = self.request(Method::GET, &["users", id])?;
        let answer: wire::User = self.session.json(request, patience).await?;
        Ok(answer.user)
    }

    /// Whether the user's account is enabled; who may read users may read this (403).
    pub async fn user_enabled(&self, id: &str, patience: &Patience) -> Result<bool, Error> {
        let request = self.request(Method::GET, &["users", id])?;
        let answer: wire::Account = self.session.json(request, patience).await?;
        Ok(answer.user.enabled)
    }

    /// Whether the user has any role on the project, also by a group. Only readers of the system or the domain
    /// may ask (403).
    pub async fn has_role(
        &self,
        user_id: &str,
        project_id: &str,
        patience: &Patience,
    ) -> Result<bool, Error> {
        let mut request = self.request(Method::GET, &["role_assignments"])?;
        request
            .url
            .query_pairs_mut()
            .append_pair("user.id", user_id)
            .append_pair("scope.project.id", project_id)
            .append_key_only("effective");
        let answer: wire::Assignments = self.session.json(request, patience).await?;
        Ok(!answer.role_assignments.is_empty())
    }

    /// A project by id. Everybody may read the one that their token is for.
    pub async fn project(&self, id: &str, patience: &Patience) -> Result<Reference, Error> {
        let request = self.request(Method::GET, &["projects", id])?;
        let answer: wire::Project = self.session.json(request, patience).await?;
        Ok(answer.project)
    }

    /// Whether this Keystone knows the user. The caller's own id needs no call: it is known.
    pub async fn user_exists(&self, id: &str, patience: &Patience) -> Result<Existence, Error> {
        if self.session.token(patience).await?.user.id == id {
            return Ok(Existence::Yes);
        }
        existence(self.user(id, patience).await)
    }

    /// Whether this Keystone knows the project. The token's own needs no call.
    pub async fn project_exists(&self, id: &str, patience: &Patience) -> Result<Existence, Error> {
        let own = self.session.token(patience).await?.project;
        if own.is_some_and(|project| project.id == id) {
            return Ok(Existence::Yes);
        }
        existence(self.project(id, patience).await)
    }

    /// The role of that name. Ordinary users may not ask (403).
    pub async fn role_named(
        &self,
        name: &str,
        patience: &Patience,
    ) -> Result<Option<Reference>, Error> {
        let mut request = self.request(Method::GET, &["roles"])?;
        request.url.query_pairs_mut().append_pair("name", name);
        let answer: wire::Roles = self.session.json(request, patience).await?;
        Ok(answer.roles.into_iter().find(|role| role.name == name))
    }

    fn request(self, method: Method, path: &[&str]) -> Result<Request, Error> {
        Ok(Request::new(method, self.session.identity_url(path)?))
    }
}

/// The address of the next page. Only its query is theirs: what they say of host and path may be of the
/// inside, and the token goes where the login went. None where it would be the same page again, or
/// none at all: the list would look complete.
fn next_page(current: &Url, link: &str) -> Option<Url> {
    let linked = current.join(link).ok()?;
    let mut next = current.clone();
    next.set_query(linked.query());
    (next.query().is_some() && next != *current).then_some(next)
}

/// Older Keystones do not say whose a credential is; then it is the user's that was asked for. Roles and
/// rules come in another order from each call, so they get one of their own.
fn owned(mut credential: ApplicationCredential, user_id: &str) -> ApplicationCredential {
    credential.roles.sort();
    credential.access_rules.sort();
    if credential.user_id.is_empty() {
        user_id.clone_into(&mut credential.user_id);
    }
    credential
}

fn existence(outcome: Result<Reference, Error>) -> Result<Existence, Error> {
    match outcome {
        Ok(_) => Ok(Existence::Yes),
        Err(error) if error.is_not_found() => Ok(Existence::No),
        // 401: a token whose access rules do not list this call
        Err(error) if matches!(error.status(), Some(401 | 403)) => Ok(Existence::Hidden),
        Err(error) => Err(error),
    }
}
