//! The certificates that an API server really shows: which of two CAs its consumers have to know. Looks without
//! trusting and sends no login.

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName};

use super::certificate::{self, Certificate, CertificateError, Verdict, judge};
use super::client::Client;
use super::error::Error;
use crate::cloud::http::{self as transport, Patience};

/// The chain that a server showed, its own certificate first.
#[derive(Clone, Debug)]
pub struct ServedChain {
    name: String,
    chain: Vec<CertificateDer<'static>>,
}

impl ServedChain {
    /// What a client makes of it that trusts these certificates (PEM) at this time.
    pub fn verify(&self, ca: &str, now: Timestamp) -> Verdict {
        let roots = match certificate::roots(ca) {
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
        let look = transport::Client::new(self.options(None));
        let chain = look.shown_certificates(&access.server, patience).await;
        let chain = chain.map_err(|error| Error::from_transport(error, &self.server()))?;
        let host = access.server.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let name = access.server_name.clone().unwrap_or_else(|| host.to_owned());
        Ok(ServedChain { name, chain })
    }
}

#[cfg(test)]
mod tests;
