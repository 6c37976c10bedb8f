//! A TCP port on loopback, for systems without unix sockets. Every user of the machine can connect to it, so that it is
//! the certificates alone that tell the host from others: without them there is no such port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

use tokio::net::TcpListener;

use super::super::handshake::Host;

/// Why there is no port.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum TcpError {
    #[error("No port from {first} to {last} of 127.0.0.1 is free for the provider: {source}")]
    NoneFree { first: u16, last: u16, source: io::Error },
    #[error("{variable} is {value:?}, which is no port")]
    NoPort { variable: &'static str, value: String },
    #[error("PLUGIN_MIN_PORT is {0} and PLUGIN_MAX_PORT {1}: no port lies between them")]
    NoRange(u16, u16),
    #[error(
        "On this system a provider listens on a TCP port, which every user of the machine can connect to. Without TLS \
         anybody could have the credentials: unset TF_DISABLE_PLUGIN_TLS"
    )]
    Unprotected,
}

/// The first port that is free in the host's range, as go-plugin looks for it.
pub(super) fn listen(host: &Host) -> Result<(TcpListener, SocketAddr), TcpError> {
    if host.certificate.is_none() {
        return Err(TcpError::Unprotected);
    }
    let ports = range(host)?;
    let (first, last) = (*ports.start(), *ports.end());
    let mut refused = None;
    for port in ports {
        match bind(port) {
            Ok(listening) => return Ok(listening),
            Err(error) => refused = Some(error),
        }
    }
    let source = refused.unwrap_or_else(|| io::ErrorKind::AddrInUse.into());
    Err(TcpError::NoneFree { first, last, source })
}

fn bind(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

/// Without a range any port will do, which is asked for as 0.
fn range(host: &Host) -> Result<RangeInclusive<u16>, TcpError> {
    let port = |variable, value: &Option<String>| match value {
        None => Ok(0),
        Some(text) => text.parse().map_err(|_| TcpError::NoPort { variable, value: text.clone() }),
    };
    let first = port("PLUGIN_MIN_PORT", &host.min_port)?;
    let last = port("PLUGIN_MAX_PORT", &host.max_port)?;
    if first > last { Err(TcpError::NoRange(first, last)) } else { Ok(first..=last) }
}

#[cfg(test)]
mod tests;
