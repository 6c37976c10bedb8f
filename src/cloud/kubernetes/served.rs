//! The certificates that an API server really shows: which of two CAs its consumers have to know. Looks without
//! trusting and sends no login.

use std::sync::PoisonError;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::time::Instant;

use super::certificate::{Certificate, CertificateError, Verdict, judge};
use super::client::within;
use super::connection::Connector;
use super::error::{Error, Unreachable};
use super::{Client, tls};
use crate::cloud::http::Patience;

/// The chain that a server showed, its own certificate first.
#[derive(Clone, Debug)]
pub struct ServedChain {
    name: String,
    chain: Vec<CertificateDer<'static>>,
}

impl ServedChain {
    /// What a client makes of it that trusts these certificates (PEM) at this time.
    pub fn verify(&self, ca: &str, now: Timestamp) -> Verdict {
        let roots = match tls::roots(ca) {
            Ok(roots) => roots,
            Err(why) => return Verdict::Refused(why),
        };
        match ServerName::try_from(&*self.name) {
            Ok(name) => judge(&self.chain, &name, &roots, now),
            Err(_) => Verdict::WrongName,
        }
    }

    /// What the certificates say.
    pub fn certificates(&self) -> Result<Vec<Certificate>, CertificateError> {
        self.chain.iter().map(|der| Certificate::from_der(der)).collect()
    }
}

impl Client {
    /// Opens one TLS connection, whomever it may be to, and reads what certificates are shown.
    pub async fn served_chain(&self, patience: &Patience) -> Result<ServedChain, Error> {
        let access = self.access();
        let server = access.server.clone();
        let failure = |cause, reason| Error::Unreachable {
            server: self.server(),
            cause,
            reason,
            may_have_acted: false,
        };
        if server.scheme_str() != Some("https") {
            let reason = "its address is not https: it shows no certificates".to_owned();
            return Err(failure(Unreachable::Tls, reason));
        }
        let (config, seen) =
            tls::recording_config().map_err(|reason| failure(Unreachable::Tls, reason))?;
        let connector = Connector::new(access, config, self.limits().connect);
        let name = connector.server_name(&server).to_owned();
        let what = format!("looking at the certificates of {}", self.server());
        let opening = connector.open(server);
        let opened = within(patience, &what, Instant::now(), opening).await?;
        let chain = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        match opened {
            // Where a server hangs up on a client without certificate, it has shown its own by then.
            Err(error) if chain.is_empty() => Err(failure(error.cause, error.reason)),
            _ => Ok(ServedChain { name, chain }),
        }
    }
}

#[cfg(test)]
mod tests;
