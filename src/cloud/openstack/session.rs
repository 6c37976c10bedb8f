//! One login, one scope: a token that all calls share, renewed before it ends. A login that is a token
//! and asks for no scope is that token.
//!
//! Rules of renewal. A login that Keystone refuses is never tried again: accounts get locked. A
//! token that a service refuses is renewed once where it was accepted before. A token refused
//! within two seconds of its issue is renewed once a second later: Keystone revokes by whole
//! seconds, so a token issued in the second of a password change is dead at birth.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::address::{address, extend, versioned};
use super::answer::{judge, refuses_token, unreadable};
use super::clock::CloudClock;
use super::config::{Authentication, Cloud, Scope};
use super::token::{Token, parsed};
use super::{ApiError, Error, catalog};
use crate::cloud::http::{
    Client, Idempotency, Interruption, Method, Options, Patience, Request, Response, Url,
};
use crate::redaction::SecretString;

mod login;

#[cfg(test)]
mod tests;

/// How long before its end a token is renewed.
pub const RENEWAL_MARGIN: Duration = Duration::from_mins(1);

/// How long a login that got no answer is not tried again: what waits behind it shares the failure
/// instead of trying in turn, which could take hours.
const FAILURE_SHARED: Duration = Duration::from_secs(30);

/// Keystone's granularity of revocation, and a little more.
const REVOCATION_SECOND: Duration = Duration::from_millis(1100);

/// How long refusals are passed on as they are, once renewing was of no use.
const FUTILE_FOR: Duration = Duration::from_mins(1);

/// For one call: one after a success, one for a token that was dead at birth.
const MOST_RENEWALS: u32 = 2;

const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const ACCESS_RULES: HeaderName = HeaderName::from_static("openstack-identity-access-rules");
pub(super) const SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");

/// Whoever logs in with this gets a token of its own, outside the session's.
#[derive(Clone, Debug)]
pub struct Login {
    pub application_credential_id: String,
    pub secret: SecretString,
}

/// A login to one cloud. Cheap to clone; contacts nobody before the first call.
#[derive(Clone, Debug)]
pub struct Session {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    cloud: Cloud,
    /// Ends in `/v3`.
    auth_url: Url,
    /// Where Keystone's API is called: the login's address, or `identity_endpoint_override`.
    identity: Url,
    client: Client,
    clock: CloudClock,
    slot: Mutex<Slot>,
}

/// The token in use, and what has been learned of the login.
#[derive(Debug, Default)]
struct Slot {
    held: Option<Arc<Held>>,
    /// Of a refusal, for good.
    refused: Option<ApiError>,
    unanswered: Option<(Instant, Error)>,
    futile_until: Option<Instant>,
    /// A refusal right after a login was taken for the revocation of its second, once.
    doubted: bool,
}

/// An issued token and how it fared.
#[derive(Debug)]
struct Held {
    token: Token,
    issued: Instant,
    renew_at: Instant,
    /// A service has taken it.
    accepted: AtomicBool,
}

impl Held {
    fn new(token: Token, issued: Instant, renewable: bool) -> Self {
        // by Keystone's own clock: ours may be wrong, and a wrong one would log in for every call
        let life = token.expires_at.duration_since(token.issued_at);
        let life = Duration::try_from(life).unwrap_or_default();
        let used_for =
            if renewable { life.saturating_sub(RENEWAL_MARGIN).max(life / 2) } else { life };
        let renew_at = issued + used_for;
        Self { token, issued, renew_at, accepted: AtomicBool::new(false) }
    }

    fn serves(&self, with_catalog: bool) -> bool {
        Instant::now() < self.renew_at && (!with_catalog || self.token.catalog.is_some())
    }
}

impl Session {
    pub fn new(cloud: Cloud) -> Result<Self, Error> {
        let options =
            Options { trust: cloud.trust.clone(), timeout: cloud.timeout, ..Options::default() };
        Self::with_options(cloud, options)
    }

    /// With other retries, limits or trust than the cloud's own.
    pub fn with_options(cloud: Cloud, options: Options) -> Result<Self, Error> {
        let auth_url = address(&cloud.auth_url, "auth_url")?;
        // not the catalog's: what the login has reached is reachable, and need not be looked up;
        // clouds whose catalog is of use only inside are common
        let identity = match cloud.endpoint_override("identity") {
            Some(text) => versioned(address(text, "identity_endpoint_override")?),
            None => auth_url.clone(),
        };
        let client = Client::new(options);
        let slot = Mutex::default();
        let clock = CloudClock::default();
        Ok(Self { shared: Arc::new(Shared { cloud, auth_url, identity, client, clock, slot }) })
    }

    pub fn cloud(&self) -> &Cloud {
        &self.shared.cloud
    }

    /// The present time by the cloud's clock, as its answers tell it; this machine's before the first one.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// How far the cloud's clock is ahead of this machine's; None where they agree, or nothing is known.
    pub fn clock_ahead(&self) -> Option<SignedDuration> {
        self.shared.clock.ahead()
    }

    /// The session's token: issued on first use, shared, renewed [`RENEWAL_MARGIN`] before its end.
    pub async fn token(&self, patience: &Patience) -> Result<Token, Error> {
        Ok(self.held(false, patience).await?.token.clone())
    }

    /// Where a service is: what an `…_endpoint_override` says, else what the catalog says for the
    /// cloud's interface and region. `service` is a type or one of its aliases.
    pub async fn endpoint(&self, service: &str, patience: &Patience) -> Result<Url, Error> {
        let cloud = &self.shared.cloud;
        for kind in catalog::known_types(service) {
            if let Some(text) = cloud.endpoint_override(kind) {
                return address(text, "endpoint_override");
            }
        }
        let held = self.held(true, patience).await?;
        let nothing = catalog::Catalog::default();
        let catalog = held.token.catalog.as_ref().unwrap_or(&nothing);
        let encrypted = self.shared.auth_url.scheme() == "https";
        catalog.find(service, &cloud.interfaces, cloud.region_name.as_deref(), encrypted)
    }

    /// Logs in with an application credential, against the same cloud with the same trust. A
    /// refusal is [`Error::Api`].
    pub async fn log_in(&self, login: &Login, patience: &Patience) -> Result<Token, Error> {
        let id = &login.application_credential_id;
        let authentication = Authentication::application_credential(id, &login.secret);
        self.issue(&authentication, false, patience).await
    }

    /// A token of its own by the session's login, for whoever will revoke it. A one-time passcode
    /// cannot be used for it; Keystone then refuses.
    pub async fn new_token(&self, patience: &Patience) -> Result<Token, Error> {
        if let Some(given) = self.shared.cloud.authentication.token_as_it_is() {
            // not the one that was given: it is not ours to revoke
            let project = self.token(patience).await?.project;
            let scope = project.map_or(Scope::Unsaid, |project| Scope::ProjectId(project.id));
            return self.ask(&Authentication::exchange(given, scope), false, patience).await;
        }
        // in line with all other logins: one that was refused is not sent once more
        let mut slot = self.locked(patience).await?;
        self.log_in_by(&mut slot, false, patience).await
    }

    /// Revokes a token that [`Session::log_in`] gave (or any other of the user's). One that is dead
    /// already is a success; one that is bound by access rules is [`Error::NotRevocable`].
    pub async fn revoke(&self, token: &SecretString, patience: &Patience) -> Result<(), Error> {
        let about = |method: Method| {
            let path = self.shared.path(&["auth", "tokens"])?;
            Ok::<_, Error>(Request::new(method, path).secret_header(SUBJECT_TOKEN, token))
        };
        let gone = Error::is_not_found;
        let by_itself = about(Method::DELETE)?.secret_header(AUTH_TOKEN, token);
        match judge(&by_itself, self.shared.client.send(&by_itself, patience).await?) {
            Ok(_) => return Ok(()),
            Err(error) if gone(&error) => return Ok(()),
            // dead already, or bound by access rules that do not allow it this call: ask as
            // ourselves
            Err(Error::Api(answer)) if matches!(answer.status, 401 | 403) => {}
            Err(error) => return Err(error),
        }
        match self.send(about(Method::DELETE)?, patience).await {
            Ok(_) => return Ok(()),
            Err(error) if gone(&error) => {}
            Err(error) => return Err(error),
        }
        // a 404 too for what lives but has access rules: only who says to know of those is told
        let knowing = (ACCESS_RULES, HeaderValue::from_static("1.0"));
        match self.send(about(Method::GET)?.header(knowing.0, knowing.1), patience).await {
            Ok(_) => Err(Error::NotRevocable { request: by_itself.label() }),
            Err(error) if gone(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sends with the session's token; only a success is an `Ok`.
    pub async fn send(&self, request: Request, patience: &Patience) -> Result<Response, Error> {
        let mut held = self.held(false, patience).await?;
        let mut renewals = 0;
        loop {
            let authorised = request.clone().secret_header(AUTH_TOKEN, &held.token.value);
            let answer = self.shared.client.send(&authorised, patience).await?;
            self.shared.clock.hear(&answer.headers);
            let outcome = judge(&authorised, answer);
            let Err(Error::Api(refusal)) = &outcome else {
                held.accepted.store(true, Ordering::Relaxed);
                return outcome;
            };
            if !refuses_token(refusal, &held.token) {
                held.accepted.store(true, Ordering::Relaxed);
                return outcome;
            }
            match self.renew(&held, patience).await? {
                Some(next) if renewals < MOST_RENEWALS => held = next,
                _ => return outcome,
            }
            renewals += 1;
        }
    }

    /// Like [`Session::send`], for an answer that is JSON. One that cannot be read is asked for once
    /// more if that does no harm.
    pub async fn json<T: DeserializeOwned>(
        &self,
        request: Request,
        patience: &Patience,
    ) -> Result<T, Error> {
        Ok(self.json_of_size(request, patience).await?.0)
    }

    /// The same, and how many bytes it was: for whoever reads many of them.
    pub(super) async fn json_of_size<T: DeserializeOwned>(
        &self,
        request: Request,
        patience: &Patience,
    ) -> Result<(T, usize), Error> {
        let again = request.idempotency == Idempotency::Idempotent;
        match self.json_once(&request, patience).await {
            Err(Error::Unreadable { .. }) if again && patience.check().is_ok() => {
                self.json_once(&request, patience).await
            }
            outcome => outcome,
        }
    }

    async fn json_once<T: DeserializeOwned>(
        &self,
        request: &Request,
        patience: &Patience,
    ) -> Result<(T, usize), Error> {
        let answer = self.send(request.clone(), patience).await?;
        let value = parsed(&answer.body).map_err(|why| unreadable(request, &answer, &why))?;
        Ok((value, answer.body.len()))
    }

    /// Like [`Session::send`], for what is answered without a body. A page in its place, of a proxy
    /// say, is not the service's answer: nothing is known to be done.
    pub async fn done(&self, request: Request, patience: &Patience) -> Result<(), Error> {
        let again = request.idempotency == Idempotency::Idempotent;
        match self.done_once(&request, patience).await {
            Err(Error::Unreadable { .. }) if again && patience.check().is_ok() => {
                self.done_once(&request, patience).await
            }
            outcome => outcome,
        }
    }

    async fn done_once(&self, request: &Request, patience: &Patience) -> Result<(), Error> {
        let answer = self.send(request.clone(), patience).await?;
        if answer.body.is_empty() {
            return Ok(());
        }
        Err(unreadable(request, &answer, "it should have no body"))
    }

    /// An address under Keystone's `/v3`.
    pub(super) fn identity_url(&self, path: &[&str]) -> Result<Url, Error> {
        self.shared.path(path)
    }

    /// The token to use now, issued if there is none that serves.
    async fn held(&self, with_catalog: bool, patience: &Patience) -> Result<Arc<Held>, Error> {
        let mut slot = self.locked(patience).await?;
        match &slot.held {
            Some(held) if held.serves(with_catalog) => Ok(Arc::clone(held)),
            _ => self.refill(&mut slot, with_catalog, patience).await,
        }
    }

    /// After a refusal of `spent`: another token, or None where the refusal is to be believed.
    async fn renew(
        &self,
        spent: &Arc<Held>,
        patience: &Patience,
    ) -> Result<Option<Arc<Held>>, Error> {
        let mut slot = self.locked(patience).await?;
        if let Some(held) = slot.held.as_ref().filter(|held| !Arc::ptr_eq(held, spent)) {
            // somebody else has renewed it meanwhile
            return Ok(Some(Arc::clone(held)));
        }
        let now = Instant::now();
        if slot.futile_until.is_some_and(|until| now < until) {
            return Ok(None);
        }
        if spent.accepted.load(Ordering::Relaxed) {
            slot.doubted = false;
        } else {
            let at_birth = spent.issued.elapsed() < 2 * REVOCATION_SECOND;
            if slot.doubted || !at_birth {
                slot.futile_until = Some(now + FUTILE_FOR);
                return Ok(None);
            }
            slot.doubted = true;
            let rest = REVOCATION_SECOND.saturating_sub(spent.issued.elapsed());
            if patience.sleep(rest).await.is_err() {
                return Ok(None);
            }
        }
        if self.shared.cloud.authentication.only_once().is_some() {
            return Ok(None);
        }
        let with_catalog = spent.token.catalog.is_some();
        self.refill(&mut slot, with_catalog, patience).await.map(Some)
    }

    async fn locked(
        &self,
        patience: &Patience,
    ) -> Result<tokio::sync::MutexGuard<'_, Slot>, Error> {
        let started = Instant::now();
        patience.until(self.shared.slot.lock()).await.map_err(|why| {
            let request = "waiting for the login".to_owned();
            match why {
                Interruption::Cancelled => Error::Stopped { request },
                Interruption::OutOfTime => {
                    Error::TimedOut { request, after: started.elapsed(), may_have_acted: false }
                }
            }
        })
    }
}

impl Shared {
    fn path(&self, path: &[&str]) -> Result<Url, Error> {
        let mut url = self.identity.clone();
        extend(&mut url, path)?;
        Ok(url)
    }
}
