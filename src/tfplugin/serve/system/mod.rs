//! What differs from one operating system to another: where a host finds this process, and what ends it.
//! Nothing else in the provider asks on which system it runs.

// Compiled for the tests too, which try it where they run: see build.rs.
#[cfg(serves_tcp)]
mod deserted;
#[cfg(serves_tcp)]
mod tcp;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(unix)]
use self::unix as this;
#[cfg(windows)]
use self::windows as this;
use super::handshake::Host;

pub(super) use self::this::{Folder, Outside};

/// Where hosts connect.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) listener: Listener,
    /// As the handshake names it: `unix` or `tcp`.
    pub(super) network: &'static str,
    pub(super) address: String,
    /// What lies on disk for it, until it is dropped.
    pub(super) folder: Option<Folder>,
}

/// Why there is no place to connect to.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlaceError {
    #[cfg(unix)]
    #[error(transparent)]
    Socket(#[from] unix::SocketError),
    #[cfg(windows)]
    #[error(
        "For a debugger there is no TLS, and on this system the port would be open to everybody: -debug works elsewhere"
    )]
    Debugger,
    #[cfg(serves_tcp)]
    #[error(transparent)]
    Tcp(#[from] tcp::TcpError),
}

/// Listens where a host on this system looks.
pub(super) fn listen(host: &Host, provider: &str) -> Result<Place, PlaceError> {
    this::listen(host, provider)
}

/// Listens where whoever has a debugger is told to look: there is no host yet, and so no TLS.
pub(super) fn listen_in_debugger(provider: &str) -> Result<Place, PlaceError> {
    this::listen_in_debugger(provider)
}

impl Place {
    /// What removes, when it is called, what killed processes of the same user left behind where this one listens.
    pub(super) fn sweeper(&self) -> impl FnOnce() + Send + use<> {
        let sweeper = self.folder.as_ref().map(Folder::sweeper);
        move || {
            if let Some(sweep) = sweeper {
                sweep();
            }
        }
    }
}

/// Takes connections.
#[derive(Debug)]
pub(super) enum Listener {
    #[cfg(serves_tcp)]
    Tcp(tokio::net::TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
}

impl Listener {
    pub(super) async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            #[cfg(serves_tcp)]
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            #[cfg(unix)]
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
        })
    }
}

/// Bytes both ways, over whatever there is.
pub(super) trait Stream:
    AsyncRead + AsyncWrite + std::fmt::Debug + Send + Unpin + 'static
{
}

impl<T: AsyncRead + AsyncWrite + std::fmt::Debug + Send + Unpin + 'static> Stream for T {}
