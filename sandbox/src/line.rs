//! A connection: what a call knows of it, and how it ends where a fault cuts it. Which fault strikes is `gate`'s
//! business; who accepts connections is each server's own.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::world::locked;

/// What a call knows of the connection it came on.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    cut: Arc<AtomicBool>,
    /// Once set, so many bytes of the next answer's body pass before the line is cut.
    body_bytes_left: Arc<Mutex<Option<usize>>>,
    /// The certificates that the client showed.
    chain: Arc<[CertificateDer<'static>]>,
}

impl Default for Line {
    fn default() -> Self {
        Self { cut: Arc::default(), body_bytes_left: Arc::default(), chain: Arc::new([]) }
    }
}

impl Line {
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// From now on nothing is read or written any more, and the connection is reset.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// The next answer's head and so many bytes of its body still pass.
    pub(crate) fn cut_after_body_bytes(&self, bytes: usize) {
        *locked(&self.body_bytes_left) = Some(bytes);
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }

    /// How much of a message that begins so may pass.
    fn allowance(&self, message: &[u8]) -> Option<usize> {
        let bytes = locked(&self.body_bytes_left).take()?;
        let head = message.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        Some((head + bytes).min(message.len()))
    }
}

/// A connection that ends in a reset (RST, not an orderly end) once its line is cut.
pub(crate) struct Wire {
    stream: Stream,
    line: Line,
}

enum Stream {
    Plain(TcpStream),
    Secured(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub(crate) fn plain(stream: TcpStream) -> Self {
        Self { stream: Stream::Plain(stream), line: Line::default() }
    }

    /// Under TLS, with the certificates that the client showed.
    pub(crate) fn secured(
        stream: TlsStream<TcpStream>,
        chain: Vec<CertificateDer<'static>>,
    ) -> Self {
        let line = Line { chain: chain.into(), ..Line::default() };
        Self { stream: Stream::Secured(Box::new(stream)), line }
    }

    pub(crate) fn line(&self) -> Line {
        self.line.clone()
    }

    fn check(&self) -> io::Result<()> {
        if self.line.is_cut() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.line.is_cut() {
            // Without it the peer would see an orderly end.
            let _ = match &self.stream {
                Stream::Plain(stream) => stream.set_zero_linger(),
                Stream::Secured(stream) => stream.get_ref().0.set_zero_linger(),
            };
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Secured(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let allowance = self.line.allowance(bytes);
        let bytes = &bytes[..allowance.unwrap_or(bytes.len())];
        let written = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Secured(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        if allowance.is_some() {
            // Under TLS what was written may not have left yet.
            if let Stream::Secured(stream) = &mut self.stream {
                let _ = Pin::new(stream).poll_flush(context);
            }
            self.line.cut();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Secured(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.line.is_cut() {
            return Poll::Ready(Ok(()));
        }
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Secured(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
