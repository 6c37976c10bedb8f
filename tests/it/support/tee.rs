//! A wire to a service that writes down what clients send over it, byte for byte; nothing is changed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Sorted: their order says nothing.
    pub(crate) query: Vec<String>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What one connection has sent.
type Bytes = Arc<Mutex<Vec<u8>>>;

/// Lives as long as this value.
#[derive(Debug)]
pub(crate) struct Tee {
    pub(crate) url: String,
    connections: Arc<Mutex<Vec<Bytes>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Tee {
    pub(crate) async fn before(service: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections: Arc<Mutex<Vec<Bytes>>> = Arc::default();
        let all = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let bytes = Bytes::default();
                all.lock().unwrap().push(Arc::clone(&bytes));
                tokio::spawn(carry(client, service, bytes));
            }
        });
        Self { url, connections, task }
    }

    /// Every request so far; of several connections those of the first one first. They are forgotten.
    pub(crate) fn take(&self) -> Vec<Sent> {
        // A connection may be used again.
        let connections = self.connections.lock().unwrap();
        let sent = connections.iter().map(|bytes| std::mem::take(&mut *bytes.lock().unwrap()));
        sent.flat_map(|bytes| requests(&bytes)).collect()
    }
}

impl Drop for Tee {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(client: TcpStream, service: SocketAddr, bytes: Bytes) {
    let Ok(server) = TcpStream::connect(service).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            bytes.lock().unwrap().extend_from_slice(&buffer[..read]);
            if to_server.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
        let _ = to_server.shutdown().await;
    };
    let back = async {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
        let _ = to_client.shutdown().await;
    };
    tokio::join!(there, back);
}

/// The requests of one connection; each has a length or no body.
fn requests(bytes: &[u8]) -> Vec<Sent> {
    let mut text = std::str::from_utf8(bytes).unwrap();
    let mut all = Vec::new();
    while let Some((head, rest)) = text.split_once("\r\n\r\n") {
        let mut lines = head.lines();
        let mut first = lines.next().unwrap().split(' ');
        let (method, target) = (first.next().unwrap(), first.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<_> = lines
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap();
                (name.to_ascii_lowercase(), value.trim().to_owned())
            })
            .collect();
        let mut query: Vec<_> =
            query.split('&').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        query.sort();
        let mut sent = Sent {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            headers,
            body: String::new(),
        };
        let length = sent.header("content-length").map_or(0, |length| length.parse().unwrap());
        rest[..length].clone_into(&mut sent.body);
        text = &rest[length..];
        all.push(sent);
    }
    all
}
