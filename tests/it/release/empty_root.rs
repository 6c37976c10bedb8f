//! A root directory in which there is nothing but the CLI and the archive: no libc, no roots of trust, no /proc, no
//! shell. As in an image that is made `FROM scratch`, or one with another libc, such as Alpine's.
//!
//! Names are looked up in /etc/hosts and by a DNS server of the test's own, which must be at port 53. Whoever is not
//! root becomes it in a user namespace with a network of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rekey::provider::address;
use rekey_sandbox::Sandbox;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;

use super::archive;
use crate::support::openstack::unique;
use crate::support::terraform::REQUIRED;
use crate::support::tools::Cli;

const NAME: &str = "keystone.rekey.test";
const INSIDE: &str = "REKEY_TEST_IS_ROOT";

#[tokio::test]
async fn the_archive_and_a_cli_are_all_it_takes() {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt as _;
        own.uid() == 0
    });
    if is_root || std::env::var_os(INSIDE).is_some() {
        for cli in Cli::all() {
            Stage::new(cli).await.play().await;
        }
    } else {
        again_as_root().await;
    }
}

/// The same test in a user namespace, whose network has nothing but a loopback that is down.
async fn again_as_root() {
    const UP: &str = "import fcntl, os, socket, struct, sys\n\
        fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 1))\n\
        os.execv(sys.argv[1], sys.argv[1:])";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net"])
        .arg(crate::support::tools::python())
        .args(["-c", UP])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "release::empty_root::the_archive_and_a_cli_are_all_it_takes"])
        .env(INSIDE, "1")
        .output()
        .await
        .unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() && out.contains("1 passed"),
        "As an ordinary user this test needs a user namespace (unshare -Urn): {out}{err}"
    );
}

struct Stage {
    root: TempDir,
    sandbox: Sandbox,
    asked: Arc<AtomicUsize>,
    nameserver: Ipv4Addr,
}

impl Stage {
    async fn new(cli: &Cli) -> Self {
        let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = |name: &str| root.path().join(name);
        let sandbox = Sandbox::start().await;
        let password = unique("password");
        sandbox.change_password("alice", &password);

        for folder in ["etc", "home", "tmp", "conf", "dev"] {
            std::fs::create_dir(path(folder)).unwrap();
        }
        // Go opens it for a child that is to read nothing.
        std::fs::write(path("dev/null"), "").unwrap();
        std::fs::copy(&cli.path, path("cli")).unwrap();
        // As README says: the archive as it is, where the CLI looks for plugins.
        for name in address::full() {
            let folder = path("home/.terraform.d/plugins").join(name);
            std::fs::create_dir_all(&folder).unwrap();
            let zip = archive::zip();
            std::fs::copy(&zip, folder.join(zip.file_name().unwrap())).unwrap();
        }

        let (port, certificate) = secure(sandbox.address()).await;
        std::fs::write(path("conf/ca.pem"), certificate).unwrap();
        std::fs::write(
            path("conf/clouds.yaml"),
            format!(
                "clouds:\n  mycloud:\n    cacert: /conf/ca.pem\n    auth:\n      \
                 auth_url: https://{NAME}:{port}/v3\n      username: alice\n      password: {password}\n      \
                 project_name: demo\n      user_domain_name: Default\n      project_domain_name: Default\n"
            ),
        )
        .unwrap();
        std::fs::write(
            path("conf/main.tf"),
            format!(
                "{REQUIRED}\nprovider \"rekey\" {{\n  openstack = {{ cloud = \"mycloud\" }}\n}}\n\n\
                 resource \"rekey_application_credential\" \"ci\" {{\n  name_prefix = \"ci-\"\n}}\n"
            ),
        )
        .unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let nameserver = nameserver(Arc::clone(&asked)).await;
        Self { root, sandbox, asked, nameserver }
    }

    async fn play(self) {
        self.run(&["init", "-input=false"]).await;
        // By DNS.
        std::fs::write(self.path("etc/resolv.conf"), format!("nameserver {}\n", self.nameserver))
            .unwrap();
        self.run(&["apply", "-auto-approve", "-input=false"]).await;
        assert_eq!(self.sandbox.credentials("alice").len(), 1);
        let asked = self.asked.load(Ordering::SeqCst);
        assert!(asked > 0);
        // By file, without any DNS.
        std::fs::remove_file(self.path("etc/resolv.conf")).unwrap();
        std::fs::write(self.path("etc/hosts"), format!("127.0.0.1 {NAME}\n")).unwrap();
        self.run(&["plan", "-detailed-exitcode", "-input=false"]).await;
        // With the usual order of a distribution whose libraries are not there.
        std::fs::write(
            self.path("etc/nsswitch.conf"),
            "hosts: mymachines resolve [!UNAVAIL=return] files myhostname mdns4_minimal [NOTFOUND=return] dns\n",
        )
        .unwrap();
        self.run(&["destroy", "-auto-approve", "-input=false"]).await;
        assert_eq!(self.sandbox.credentials("alice").len(), 0);
        assert_eq!(self.asked.load(Ordering::SeqCst), asked, "the file is enough");
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.root.path().join(name)
    }

    async fn run(&self, arguments: &[&str]) {
        // The only thing that is not inside is what leads there.
        let output = Command::new("chroot")
            .arg(self.root.path())
            .args(["/cli", "-chdir=/conf"])
            .args(arguments)
            .arg("-no-color")
            .env_clear()
            .env("CHECKPOINT_DISABLE", "1")
            .env("HOME", "/home")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{err}");
    }
}

/// Answers every question for an address with loopback, as the server of some network does.
async fn nameserver(asked: Arc<AtomicUsize>) -> Ipv4Addr {
    // Any address of this network is loopback; one that nobody else's server is likely to have.
    let random = u16::try_from(std::process::id() % 60_000).unwrap().to_be_bytes();
    let address = Ipv4Addr::new(127, 77, random[0], random[1]);
    let socket = UdpSocket::bind((address, 53)).await.expect("port 53 of a loopback address");
    tokio::spawn(async move {
        let mut packet = [0; 1500];
        loop {
            let (length, from) = socket.recv_from(&mut packet).await.unwrap();
            asked.fetch_add(1, Ordering::SeqCst);
            let answer = answer(&packet[..length]);
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    address
}

/// RFC 1035: the header and the question again, and one address where IPv4 is asked for.
fn answer(query: &[u8]) -> Vec<u8> {
    let name = query[12..].iter().position(|byte| *byte == 0).unwrap() + 13;
    let question = &query[12..name + 4];
    let is_ipv4 = query[name..name + 2] == [0, 1];
    let mut answer = vec![query[0], query[1], 0x81, 0x80, 0, 1, 0, u8::from(is_ipv4), 0, 0, 0, 0];
    answer.extend(question);
    if is_ipv4 {
        // The name of the question, an address of the internet, for a minute.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    answer
}

/// A port that speaks TLS for a service that does not, and the root to trust for it.
async fn secure(service: SocketAddr) -> (u16, String) {
    let (authority, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&authority).unwrap().pem();
    let issuer = Issuer::new(params, authority);
    let certificate = CertificateParams::new([NAME.to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                let mut inner = TcpStream::connect(service).await?;
                let mut outer = tls.accept(stream).await?;
                tokio::io::copy_bidirectional(&mut outer, &mut inner).await
            });
        }
    });
    (port, root)
}
