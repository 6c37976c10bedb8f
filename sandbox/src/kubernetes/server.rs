//! The port of a cluster's API server, behind TLS. What it shows there is `tls`' business.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::routing::any;
use axum::serve::{IncomingStream, Listener};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::answer;
use super::cluster::Kubernetes;
use super::site::Site;
use crate::authority::Authority;
use crate::gate::logged;
use crate::line::{Line, Wire};
use crate::neighbours::Neighbours;
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

impl Kubernetes {
    /// Starts one that ends with its last owner. It holds the workloads that a cloud's template brings.
    pub(crate) fn start(
        world: &Arc<World>,
        neighbours: &Arc<dyn Neighbours>,
        authority: &Arc<Authority>,
        version: Option<String>,
        now: Timestamp,
    ) -> io::Result<Arc<Self>> {
        let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let kubernetes = Arc::new(Self::new(address, authority, version, now)?);
        let site = Site {
            world: Arc::clone(world),
            neighbours: Arc::clone(neighbours),
            cluster: Arc::downgrade(&kubernetes),
        };
        spawn(site, listener);
        Ok(kubernetes)
    }
}

/// Serves as long as somebody owns the cluster.
fn spawn(site: Site, listener: std::net::TcpListener) {
    let routes = ROUTES
        .into_iter()
        .fold(Router::new(), |app: Router<Site>, path| app.route(path, any(answer::answer)));
    let routes = routes.fallback(answer::answer).with_state(site.clone());
    let app = logged(&site.world, Arc::clone(&site.neighbours), routes);
    let runtime = site.world.runtime.clone();
    runtime.spawn(async move {
        let Ok(listener) = TcpListener::from_std(listener) else { return };
        let Ok(address) = listener.local_addr() else { return };
        let (shaken, accepted) = mpsc::channel(16);
        let door = Door { accepted, address };
        tokio::select! {
            _ = axum::serve(door, app.into_make_service_with_connect_info::<Line>()) => {}
            () = accept(site, listener, shaken) => {}
        }
    });
}

/// Shakes hands, each on its own, so that a slow client holds up nobody.
async fn accept(site: Site, listener: TcpListener, shaken: mpsc::Sender<Shaken>) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else { continue };
        site.neighbours.catch_up(site.world.clock.now());
        let Some(cluster) = site.cluster.upgrade() else { return };
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
