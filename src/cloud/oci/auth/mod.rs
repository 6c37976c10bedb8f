//! Who signs: a user's key for good, or a token that ends and is renewed.
//!
//! The identities of an instance, a resource and a pod follow Oracle's SDK for Python and have been used
//! against stand-ins only, never in Oracle's cloud.

mod instance;
mod token;
mod workload;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::redaction::{ExposeSecret as _, SecretString};
use jiff::Timestamp;
use tokio::sync::{Mutex, OnceCell};

use super::config::{Account, ConfigError, Login, Source, login::key};
use super::signer::Signatory;
use super::{Error, Key, Patience, Region, Regions};
use crate::clock;
use crate::cloud::http::{Client, Interruption, Options, Pem, Response, Trust};

/// One login, and the token that it has now.
#[derive(Debug)]
pub(super) struct Auth {
    login: Login,
    whose: String,
    configured: Option<Region>,
    regions: Regions,
    client: Client,
    region: OnceCell<Region>,
    held: Mutex<Option<Held>>,
}

/// A signatory, and when to look for another one.
#[derive(Clone, Debug)]
struct Held {
    signatory: Signatory,
    renew_at: Option<Timestamp>,
}

impl Auth {
    pub(super) fn new(account: &Account, options: &Options) -> Self {
        let trust = match &account.login {
            Login::OkeWorkloadIdentity { ca, .. } => {
                Trust { cacert: Some(Pem::File(ca.clone())), ..Trust::default() }
            }
            _ => options.trust.clone(),
        };
        // Those who give tokens are near; who is not there is not there.
        let timeout = options.timeout.min(Duration::from_secs(20));
        let client = Client::new(Options { trust, timeout, ..options.clone() });
        Self {
            login: account.login.clone(),
            whose: account.whose.clone(),
            configured: account.region.clone(),
            regions: account.regions.clone(),
            client,
            region: OnceCell::new(),
            held: Mutex::default(),
        }
    }

    /// The region of the machine that this runs on.
    pub(super) async fn region(&self, patience: &Patience) -> Result<Region, Error> {
        if let Some(region) = &self.configured {
            return Ok(region.clone());
        }
        let ask = || async {
            let name = instance::region(&self.client, &self.login, patience).await?;
            Ok(self.regions.find(&name)?)
        };
        self.region.get_or_try_init(ask).await.cloned()
    }

    /// Who signs now: what is held, unless it is about to end.
    pub(super) async fn signatory(&self, patience: &Patience) -> Result<Signatory, Error> {
        if let Login::ApiKey(signatory) = &self.login {
            return Ok(signatory.clone());
        }
        let mut held = self.locked(patience).await?;
        let now = clock::now();
        if let Some(held) = &*held
            && held.renew_at.is_none_or(|at| now < at)
        {
            return Ok(held.signatory.clone());
        }
        let fresh = self.obtain(patience).await?;
        Ok(held.insert(fresh).signatory.clone())
    }

    /// Another than the one that was refused, if there is another.
    pub(super) async fn renewed(
        &self,
        refused: &Signatory,
        patience: &Patience,
    ) -> Result<Option<Signatory>, Error> {
        if matches!(self.login, Login::ApiKey(_)) {
            return Ok(None);
        }
        let same = |other: &Signatory| {
            other.key_id.expose_secret() == refused.key_id.expose_secret()
                && other.key.fingerprint() == refused.key.fingerprint()
        };
        let mut held = self.locked(patience).await?;
        // Somebody else has renewed it in the meantime.
        if let Some(held) = held.as_ref().filter(|held| !same(&held.signatory)) {
            return Ok(Some(held.signatory.clone()));
        }
        let fresh = self.obtain(patience).await?;
        let fresh = held.insert(fresh).signatory.clone();
        Ok(Some(fresh).filter(|fresh| !same(fresh)))
    }

    async fn locked(
        &self,
        patience: &Patience,
    ) -> Result<tokio::sync::MutexGuard<'_, Option<Held>>, Error> {
        let request = "the login to OCI".to_owned();
        patience.until(self.held.lock()).await.map_err(|why| match why {
            Interruption::Cancelled => Error::Stopped { request },
            Interruption::OutOfTime => {
                Error::TimedOut { request, after: Duration::ZERO, may_have_acted: false }
            }
        })
    }

    async fn obtain(&self, patience: &Patience) -> Result<Held, Error> {
        match &self.login {
            Login::ApiKey(signatory) => Ok(Held { signatory: signatory.clone(), renew_at: None }),
            Login::InstancePrincipal { metadata, federation } => {
                let region = match federation {
                    Some(_) => None,
                    None => Some(self.region(patience).await?),
                };
                let places = instance::Places::of(metadata.as_ref(), federation.as_ref(), region)?;
                instance::login(&self.client, &places, patience).await
            }
            Login::OkeWorkloadIdentity { address, token, .. } => {
                workload::login(&self.client, address, token, patience).await
            }
            Login::ResourcePrincipal { token, key, passphrase } => {
                let passphrase = passphrase.as_ref().map(|source| source.read("auth"));
                self.stored(token, key, passphrase.transpose()?.as_ref())
            }
            Login::SecurityToken { token, key, passphrase } => {
                self.stored(token, key, passphrase.as_ref())
            }
        }
    }

    /// Token and key that somebody else renews where they stand.
    fn stored(
        &self,
        token: &Source,
        key_source: &Source,
        passphrase: Option<&SecretString>,
    ) -> Result<Held, Error> {
        let key = key(key_source, passphrase)?;
        let text = token.read("profile")?;
        let now = clock::now();
        let claims = token::Claims::of(&text);
        if let Some(end) = claims.expires_at.filter(|end| *end <= now) {
            let way_out = match self.login {
                Login::SecurityToken { .. } => {
                    "; renew it with `oci session refresh` or `oci session authenticate`"
                }
                _ => "",
            };
            let trouble = format!("{} ended at {end} ({}){way_out}", self.whose, token.name());
            return Err(Error::Login { trouble, status: None, request_id: None });
        }
        // Read again before its end: it may have been renewed by then.
        Ok(Held { signatory: signatory(&text, key), renew_at: claims.renew_at(now) })
    }
}

/// Who signs with a token.
fn signatory(token: &SecretString, key: Key) -> Signatory {
    let key_id = format!("ST${}", token.expose_secret()).into();
    Signatory { key_id, key: Arc::new(key) }
}

/// A login that came to nothing; `what` completes "could not …".
fn trouble(what: &str, said: &str, hint: &str, answer: Option<&Response>) -> Error {
    let hint = if hint.is_empty() { String::new() } else { format!(" {hint}") };
    Error::Login {
        trouble: format!("could not {what}: {said}.{hint}"),
        status: answer.map(|answer| answer.status.as_u16()),
        request_id: answer.and_then(Response::request_id),
    }
}

fn unmade(why: &super::KeyError) -> Error {
    ConfigError::new("auth", format!("the key of the session {why}")).into()
}
