//! The certificates that a server shows: a look that trusts nobody and sends nothing.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;

use tokio::time::Instant;

use super::attempt::{self, Engine};
use super::client::{Client, interrupted};
use super::signatures::provider;
use super::verify::Recorder;
use super::{Error, Method, Patience, Request, Unreachable, Url};

impl Client {
    /// Begins TLS with this server, whoever it may be, and ends it once the server has shown its certificates,
    /// its own first, and that it has the key of it. A server that is no TLS server is an error.
    pub async fn shown_certificates(
        &self,
        server: &Url,
        patience: &Patience,
    ) -> Result<Vec<CertificateDer<'static>>, Error> {
        let request = Request::new(Method::GET, server.clone());
        let what = |cause, reason: &str| Error::NoAnswer {
            request: format!("a look at the certificates of {}", super::lost::place(server)),
            cause,
            reason: reason.to_owned(),
            may_have_acted: false,
        };
        if server.scheme() != "https" {
            return Err(what(
                Unreachable::Tls,
                "its address is not https: it shows no certificates",
            ));
        }
        let recorder = Arc::new(Recorder::default());
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|_| what(Unreachable::Tls, "TLS cannot be set up"))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&recorder) as _)
            .with_no_client_auth();
        let (request, names) = self.as_sent(&request)?;
        let engine = Engine::with_tls(self.options(), self.way(server)?, names, config)?;
        let started = Instant::now();
        let attempt = Box::pin(attempt::send(&engine, &request, self.options(), 1));
        let attempt = patience.until(attempt).await;
        let attempt = attempt.map_err(|why| interrupted(why, &request, started))?;
        match (recorder.seen(), attempt) {
            (Some(chain), _) => Ok(chain),
            (None, Err(failure)) => Err(failure.error),
            (None, Ok(_)) => Err(what(Unreachable::Tls, "it shows no certificates")),
        }
    }
}
