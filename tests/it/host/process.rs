//! The built provider as a process, started and spoken to as go-plugin does: magic cookie, handshake
//! line, mutual TLS pinned to both certificates, HTTP/2 on a unix socket or a TCP port, Shutdown at the end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper_util::rt::TokioIo;
use rekey::tfplugin::proto::plugin;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};

use super::certificate::ClientCertificate;
use super::launch::{Launch, Life, Link};
use crate::support::tools;

const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
/// For a process to end by itself. go-plugin kills after two seconds, but how fast a busy machine is, is not
/// what is tested.
const LAST_BREATH: Duration = Duration::from_mins(1);
const START: Duration = Duration::from_mins(1);

/// Starts the built provider for each walk.
#[derive(Clone, Debug)]
pub struct Process {
    binary: PathBuf,
    environment: BTreeMap<String, String>,
    tls: bool,
    may_die: bool,
    heard: Arc<Mutex<Vec<String>>>,
    listening: Arc<Mutex<Vec<JoinHandle<()>>>>,
    pids: Arc<Mutex<Vec<u32>>>,
}

impl Process {
    /// The provider under test. Nothing of the caller's environment reaches it.
    pub fn new() -> Self {
        Self::of(tools::provider())
    }

    /// Another build of it.
    pub fn of(binary: &Path) -> Self {
        Self {
            binary: binary.to_owned(),
            environment: BTreeMap::new(),
            tls: true,
            may_die: false,
            heard: Arc::default(),
            listening: Arc::default(),
            pids: Arc::default(),
        }
    }

    /// Sets a variable of the process.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// As under `TF_DISABLE_PLUGIN_TLS`.
    #[must_use]
    pub fn without_tls(self) -> Self {
        Self { tls: false, ..self }
    }

    /// A process that dies is an error that the operator sees, not the test's failure.
    #[must_use]
    pub fn that_may_die(self) -> Self {
        Self { may_die: true, ..self }
    }

    /// Everything that the processes have written to stderr so far.
    pub fn log(&self) -> String {
        self.heard.lock().unwrap().join("\n")
    }

    /// The same once all processes have ended: nothing is missing.
    pub async fn whole_log(&self) -> String {
        let listening = std::mem::take(&mut *self.listening.lock().unwrap());
        for listener in listening {
            listener.await.unwrap();
        }
        self.log()
    }

    /// The process that was started last.
    pub fn last_pid(&self) -> u32 {
        *self.pids.lock().unwrap().last().expect("a process was started")
    }

    /// Starts a process and reads its line, without connecting.
    pub async fn start(&self) -> Started {
        self.start_for(ClientCertificate::new()).await
    }

    /// The same for a host whose certificate is there already.
    pub async fn start_for(&self, certificate: ClientCertificate) -> Started {
        let mut command = Command::new(&self.binary);
        command
            .env_clear()
            .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .env("PLUGIN_MIN_PORT", "10000")
            .env("PLUGIN_MAX_PORT", "25000")
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if self.tls {
            command.env("PLUGIN_CLIENT_CERT", certificate.pem());
        }
        let mut child = command.spawn().expect("the built provider starts");
        self.pids.lock().unwrap().push(child.id().expect("it runs"));
        let heard = Arc::clone(&self.heard);
        let listener = tokio::spawn(listen(child.stderr.take().unwrap(), heard));
        self.listening.lock().unwrap().push(listener);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let read = tokio::time::timeout(START, stdout.read_line(&mut line)).await;
        read.expect("a handshake line in time").expect("a readable stdout");
        let handshake = Handshake::parse(line.trim_end())
            .unwrap_or_else(|fault| panic!("{fault}: {line:?}; stderr: {}", self.log()));
        Started { child, stdout, handshake, certificate }
    }
}

#[async_trait]
impl Launch for Process {
    async fn launch(&self) -> Link {
        let started = self.start().await;
        let channel = started.connect().await;
        let link = Link::new(
            channel.clone(),
            Box::new(Running { started, may_die: self.may_die, channel }),
        );
        if self.may_die { link.that_may_die() } else { link }
    }
}

/// A process that has said where it listens.
pub struct Started {
    pub child: Child,
    stdout: BufReader<ChildStdout>,
    pub handshake: Handshake,
    pub certificate: ClientCertificate,
}

/// The line: `1|6|unix|PATH|grpc|CERTIFICATE`, or `tcp` and an address.
#[derive(Clone, Debug)]
pub struct Handshake {
    pub place: Place,
    /// DER; none without TLS.
    pub certificate: Option<Vec<u8>>,
}

impl Handshake {
    fn parse(line: &str) -> Result<Self, String> {
        let fields: Vec<_> = line.split('|').collect();
        let ["1", "6", network, address, "grpc", certificate] = fields.as_slice() else {
            return Err("not a handshake line of six fields".to_owned());
        };
        let place = match *network {
            "unix" => Place::Unix(PathBuf::from(*address)),
            "tcp" => Place::Tcp(
                address.parse::<SocketAddr>().map_err(|error| format!("{address}: {error}"))?,
            ),
            other => return Err(format!("a network that hosts do not know: {other}")),
        };
        let certificate = (!certificate.is_empty())
            .then(|| STANDARD_NO_PAD.decode(certificate))
            .transpose()
            .map_err(|error| format!("the certificate is no unpadded base64: {error}"))?;
        Ok(Self { place, certificate })
    }

    /// Of a provider that listens on one.
    pub fn socket(&self) -> &Path {
        let Place::Unix(socket) = &self.place else { panic!("{:?} is no socket", self.place) };
        socket
    }
}

/// Where a provider listens.
#[derive(Clone, Debug)]
pub enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Place {
    async fn reach(&self) -> std::io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(address) => Box::new(TcpStream::connect(address).await?),
            Self::Unix(socket) => Box::new(UnixStream::connect(socket).await?),
        })
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Started {
    /// Connects with the host's own certificate.
    pub async fn connect(&self) -> Channel {
        let identity = Some(self.certificate.clone());
        let channel = connect(&self.handshake, identity).await.expect("the provider lets us in");
        // go-plugin asks for the streams right away, and leaves them open.
        let mut stdio = plugin::grpc_stdio_client::GrpcStdioClient::new(channel.clone());
        let silence = stdio.stream_stdio(()).await.expect("GRPCStdio is served").into_inner();
        tokio::spawn(async move {
            let mut silence = silence;
            let data = silence.message().await;
            assert!(!matches!(data, Ok(Some(_))), "unexpected data on GRPCStdio: {data:?}");
        });
        channel
    }

    /// Waits for the end that go-plugin would wait for; gives the rest of stdout.
    pub async fn ended(&mut self) -> String {
        let status = tokio::time::timeout(LAST_BREATH, self.child.wait()).await;
        let status = status.expect("the provider ends by itself").unwrap();
        assert!(status.success(), "the provider ended with {status}");
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).await.unwrap();
        rest
    }
}

/// Connects to a provider, with or without a certificate.
pub async fn connect(
    handshake: &Handshake,
    identity: Option<ClientCertificate>,
) -> Result<Channel, String> {
    let endpoint = Endpoint::from_static("http://localhost");
    let place = handshake.place.clone();
    let failed = |error: &dyn std::error::Error| format!("{error:?}");
    let Some(server) = &handshake.certificate else {
        let connector = tower::service_fn(move |_| {
            let place = place.clone();
            async move { place.reach().await.map(TokioIo::new) }
        });
        return endpoint.connect_with_connector(connector).await.map_err(|error| failed(&error));
    };
    let tls = Arc::new(tls_config(server, identity)?);
    let connector = tower::service_fn(move |_| {
        let (place, tls) = (place.clone(), Arc::clone(&tls));
        async move { secure(&place, tls).await.map(TokioIo::new) }
    });
    endpoint.connect_with_connector(connector).await.map_err(|error| failed(&error))
}

async fn secure(
    place: &Place,
    tls: Arc<ClientConfig>,
) -> std::io::Result<TlsStream<Box<dyn Stream>>> {
    let stream = place.reach().await?;
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(tls).connect(name, stream).await?;
    let (_, session) = stream.get_ref();
    assert_eq!(session.alpn_protocol(), Some(&b"h2"[..]), "newer hosts insist on ALPN h2");
    assert_eq!(session.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    Ok(stream)
}

/// As go-plugin's: the certificate of the line is the only root, and the name is `localhost`.
fn tls_config(server: &[u8], identity: Option<ClientCertificate>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(server.to_vec())).map_err(|error| error.to_string())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let mut config = match identity {
        Some(identity) => config.with_client_cert_resolver(Arc::new(identity)),
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

struct Running {
    started: Started,
    may_die: bool,
    channel: Channel,
}

#[async_trait]
impl Life for Running {
    async fn end(mut self: Box<Self>) {
        let mut controller =
            plugin::grpc_controller_client::GrpcControllerClient::new(self.channel.clone());
        // The answer does not matter: the process may be quicker than it.
        let _ = controller.shutdown(plugin::Empty {}).await;
        drop((controller, self.channel));
        let ended = tokio::time::timeout(LAST_BREATH, self.started.child.wait()).await;
        let status = ended.expect("the provider ends by itself after Shutdown").unwrap();
        if !status.success() {
            assert!(self.may_die, "the provider ended with {status}");
            return;
        }
        if let Place::Unix(socket) = &self.started.handshake.place {
            let directory = socket.parent().unwrap();
            assert!(!directory.exists(), "{} was left behind", directory.display());
        }
    }
}

async fn listen(stderr: ChildStderr, heard: Arc<Mutex<Vec<String>>>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        heard.lock().unwrap().push(line);
    }
}
