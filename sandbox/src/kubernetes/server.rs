//! The TLS port of a cluster's API server. Like the real one, it takes any client certificate, and judges it when a
//! request comes.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use axum::extract::connect_info::Connected;
use axum::routing::any;
use axum::serve::{IncomingStream, Listener};
use axum::{Extension, Router};
use jiff::Timestamp;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::{Kubernetes, answer};
use crate::authority::{Authority, Broken, provider};
use crate::gate::logged;
use crate::line::{Line, Wire};
use crate::world::World;

/// The routes, so that the log of calls can name them; `answer` reads the path itself.
const ROUTES: [&str; 32] = [
    "/version",
    "/healthz",
    "/livez",
    "/readyz",
    "/api",
    "/apis",
    "/apis/{group}",
    "/apis/{group}/{version}",
    "/api/v1",
    "/api/v1/namespaces",
    "/api/v1/namespaces/{namespace}",
    "/api/v1/{resource}",
    "/api/v1/namespaces/{namespace}/pods",
    "/api/v1/namespaces/{namespace}/pods/{name}",
    "/api/v1/namespaces/{namespace}/events",
    "/api/v1/namespaces/{namespace}/configmaps",
    "/api/v1/namespaces/{namespace}/configmaps/{name}",
    "/api/v1/namespaces/{namespace}/secrets",
    "/api/v1/namespaces/{namespace}/secrets/{name}",
    "/apis/apps/v1/{resource}",
    "/apis/apps/v1/namespaces/{namespace}/{resource}",
    "/apis/apps/v1/namespaces/{namespace}/{resource}/{name}",
    "/apis/cloudcredential.openshift.io/v1/credentialsrequests",
    "/apis/cloudcredential.openshift.io/v1/namespaces/{namespace}/credentialsrequests",
    "/apis/cloudcredential.openshift.io/v1/namespaces/{namespace}/credentialsrequests/{name}",
    "/apis/cloudcredential.openshift.io/v1/namespaces/{namespace}/credentialsrequests/{name}/status",
    "/apis/config.openshift.io/v1/{resource}",
    "/apis/config.openshift.io/v1/{resource}/{name}",
    "/apis/operator.openshift.io/v1/{resource}",
    "/apis/operator.openshift.io/v1/{resource}/{name}",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
];

/// Serves as long as somebody owns the cluster.
pub(super) fn spawn(
    world: &Arc<World>,
    listener: std::net::TcpListener,
    cluster: Weak<Kubernetes>,
) {
    let routes = ROUTES
        .into_iter()
        .fold(Router::new(), |app: Router<Arc<World>>, path| app.route(path, any(answer::answer)));
    let app =
        logged(world, routes.fallback(answer::answer)).layer(Extension(Weak::clone(&cluster)));
    let of = Arc::clone(world);
    world.runtime.spawn(async move {
        let Ok(listener) = TcpListener::from_std(listener) else { return };
        let Ok(address) = listener.local_addr() else { return };
        let (shaken, accepted) = mpsc::channel(16);
        let door = Door { accepted, address };
        tokio::select! {
            _ = axum::serve(door, app.into_make_service_with_connect_info::<Line>()) => {}
            () = accept(of, listener, cluster, shaken) => {}
        }
    });
}

/// Shakes hands, each on its own, so that a slow client holds up nobody.
async fn accept(
    world: Arc<World>,
    listener: TcpListener,
    cluster: Weak<Kubernetes>,
    shaken: mpsc::Sender<Shaken>,
) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else { continue };
        world.catch_up(world.clock.now());
        let Some(cluster) = cluster.upgrade() else { return };
        let _ = stream.set_nodelay(true);
        let (acceptor, shaken) = (TlsAcceptor::from(cluster.tls()), shaken.clone());
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let chain = stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
                let _ = shaken.send((Wire::secured(stream, chain), peer)).await;
            }
        });
    }
}

type Shaken = (Wire, SocketAddr);

/// What `axum` accepts connections from: those whose handshake is done.
struct Door {
    accepted: mpsc::Receiver<Shaken>,
    address: SocketAddr,
}

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Shaken {
        match self.accepted.recv().await {
            Some(shaken) => shaken,
            // Nobody accepts any more: the task is about to end.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, Door>> for Line {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().line()
    }
}

/// What it shows, and that it wants to see certificates.
pub(super) fn config(authority: &Authority, now: Timestamp) -> Result<ServerConfig, Broken> {
    let (certificate, key) = authority.server(now)?;
    let anybody = Arc::new(Anybody(provider()));
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(anybody)
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Takes every certificate whose key the client has.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
