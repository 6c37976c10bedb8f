//! How a session comes by a token: one login at a time, by Keystone's own methods, by an identity
//! provider, or by looking at the token that was given. When it needs one: see the module above.

use std::sync::Arc;

use http::header::HeaderValue;
use tokio::time::Instant;

use super::{ACCESS_RULES, AUTH_TOKEN, FAILURE_SHARED, Held, SUBJECT_TOKEN, Session, Shared, Slot};
use crate::cloud::http::{Method, Patience, Request};
use crate::cloud::openstack::address::extend;
use crate::cloud::openstack::answer::{judge, unreadable};
use crate::cloud::openstack::config::{Authentication, ConfigError, Proof, Scope};
use crate::cloud::openstack::token::Token;
use crate::cloud::openstack::{ApiError, Error, Meaning, federated};
use crate::redaction::SecretString;

impl Session {
    /// Puts a new token into the slot.
    pub(super) async fn refill(
        &self,
        slot: &mut Slot,
        with_catalog: bool,
        patience: &Patience,
    ) -> Result<Arc<Held>, Error> {
        // what cannot log in again must take all that it may ever need
        let authentication = &self.shared.cloud.authentication;
        let with_catalog = with_catalog || authentication.only_once().is_some();
        let issued = Instant::now();
        let token = self.log_in_by(slot, with_catalog, patience).await?;
        let renewable = authentication.token_as_it_is().is_none();
        let held = Arc::new(Held::new(token, issued, renewable));
        slot.held = Some(Arc::clone(&held));
        Ok(held)
    }

    /// Logs in, unless it is known what will come of it; whoever calls holds the lock, so that there
    /// is one login at a time.
    pub(super) async fn log_in_by(
        &self,
        slot: &mut Slot,
        with_catalog: bool,
        patience: &Patience,
    ) -> Result<Token, Error> {
        if let Some(refusal) = &slot.refused {
            return Err(Error::Login(refusal.clone()));
        }
        match &slot.unanswered {
            Some((at, error)) if at.elapsed() < FAILURE_SHARED => return Err(error.clone()),
            _ => {}
        }
        let authentication = &self.shared.cloud.authentication;
        let outcome = self.issue(authentication, with_catalog, patience).await;
        let error = match outcome.map_err(|error| error.made_by(&self.shared.cloud.whom())) {
            Ok(token) => {
                slot.unanswered = None;
                return Ok(token);
            }
            Err(Error::Api(refusal)) => {
                let refusal = self.shared.explained(refusal, slot.held.is_some());
                let error = Error::Login(refusal.clone());
                if !error.tells_nothing() {
                    slot.refused = Some(refusal);
                    return Err(error);
                }
                error
            }
            Err(error) => error,
        };
        // what ended by the caller's own patience says nothing to others, and neither does a limit on
        // how often somebody may call
        let own = matches!(error, Error::Stopped { .. } | Error::TimedOut { .. });
        if !own && error.login_status() != Some(429) {
            slot.unanswered = Some((Instant::now(), error.clone()));
        }
        Err(error)
    }

    pub(super) async fn issue(
        &self,
        authentication: &Authentication,
        with_catalog: bool,
        patience: &Patience,
    ) -> Result<Token, Error> {
        if let Some(token) = authentication.token_as_it_is() {
            return self.look_at(token, with_catalog, patience).await;
        }
        let Proof::Federated(federation) = &authentication.proof else {
            return self.ask(authentication, with_catalog, patience).await;
        };
        let Shared { client, auth_url, .. } = &*self.shared;
        let unscoped = federated::unscoped_token(client, auth_url, federation, patience).await?;
        match &authentication.scope {
            Scope::Unsaid => Ok(unscoped),
            scope => {
                let exchange = Authentication::exchange(&unscoped.value, scope.clone());
                self.ask(&exchange, with_catalog, patience).await
            }
        }
    }

    /// What Keystone says of a token that somebody was given.
    async fn look_at(
        &self,
        token: &SecretString,
        with_catalog: bool,
        patience: &Patience,
    ) -> Result<Token, Error> {
        let mut url = self.shared.auth_url.clone();
        extend(&mut url, &["auth", "tokens"])?;
        if !with_catalog {
            url.set_query(Some("nocatalog"));
        }
        let request = Request::new(Method::GET, url)
            .header(ACCESS_RULES, HeaderValue::from_static("1.0"))
            .secret_header(AUTH_TOKEN, token)
            .secret_header(SUBJECT_TOKEN, token);
        let answer = judge(&request, self.shared.client.send(&request, patience).await?)?;
        Token::parse(token.clone(), &answer.body, with_catalog)
            .map_err(|why| unreadable(&request, &answer, &why))
    }

    /// A token by Keystone's own methods.
    pub(super) async fn ask(
        &self,
        authentication: &Authentication,
        with_catalog: bool,
        patience: &Patience,
    ) -> Result<Token, Error> {
        let mut url = self.shared.auth_url.clone();
        extend(&mut url, &["auth", "tokens"])?;
        if !with_catalog {
            url.set_query(Some("nocatalog"));
        }
        let mut request = Request::new(Method::POST, url).repeatable();
        for secret in authentication.secrets() {
            request = request.hides(secret);
        }
        let request = request.json(&authentication.request()).map_err(|_| ConfigError {
            message: "the login cannot be written as JSON".to_owned(),
            setting: None,
        })?;
        let answer = self.shared.client.send(&request, patience).await?;
        self.shared.clock.hear(&answer.headers);
        let answer = judge(&request, answer)
            .map_err(|error| with_factors(error, &authentication.method_names()))?;
        let value = answer.headers.get(SUBJECT_TOKEN).and_then(|value| value.to_str().ok());
        Token::parse(value.unwrap_or_default().into(), &answer.body, with_catalog)
            .map_err(|why| unreadable(&request, &answer, &why))
    }
}

impl Shared {
    /// A refused login with what its status does not tell.
    fn explained(&self, mut refusal: ApiError, had_token: bool) -> ApiError {
        if let Some(why) = self.cloud.authentication.only_once()
            && (had_token || self.cloud.authentication.token_as_it_is().is_some())
            && matches!(refusal.status, 401 | 404)
            && refusal.meaning == Meaning::Status
        {
            refusal.message = format!(
                "{} (the token ended or was revoked, and {why})",
                refusal.message.trim_end_matches('.')
            );
            refusal.meaning = Meaning::Spent(why);
        }
        refusal
    }
}

/// Keystone's answer to one proof of several has no words, only the sets that it wants.
fn with_factors(mut error: Error, shown: &[&str]) -> Error {
    if let Error::Api(answer) = &mut error
        && let Meaning::MoreFactors(wanted) = &answer.meaning
    {
        let sets: Vec<_> = wanted.iter().map(|set| set.join(" and ")).collect();
        let wanted = if sets.is_empty() { "more".to_owned() } else { sets.join(", or ") };
        let shown = shown.join(" and ");
        answer.message =
            format!("the user's multi-factor rules want {wanted}; this login showed {shown}");
    }
    error
}
