//! Windows: a TCP port with mutual TLS, console events, and a host that is known by its connections alone.

use std::io;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};
use tokio::sync::watch;

use super::super::handshake::Host;
use super::deserted::deserted;
use super::tcp;
use super::{Listener, Place, PlaceError};

pub(super) fn listen(host: &Host, _provider: &str) -> Result<Place, PlaceError> {
    let (listener, address) = tcp::listen(host)?;
    let (listener, address) = (Listener::Tcp(listener), address.to_string());
    Ok(Place { listener, network: "tcp", address, folder: None })
}

pub(super) fn listen_in_debugger(_provider: &str) -> Result<Place, PlaceError> {
    Err(PlaceError::Debugger)
}

/// There is none: a port leaves nothing on disk.
#[derive(Debug)]
pub(in super::super) enum Folder {}

impl Folder {
    pub(super) fn sweeper(&self) -> fn() {
        match *self {}
    }
}

/// What the world outside tells a provider: console events, and whether its host still has a connection.
#[derive(Debug)]
pub(in super::super) struct Outside {
    interrupt: CtrlC,
    break_off: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Outside {
    /// From now on no event of the console kills the process.
    pub(in super::super) fn watch() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            break_off: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Comes back when the operator ends a process in debug mode.
    pub(in super::super) async fn operator_ends(mut self) {
        self.signalled(true).await;
    }

    /// Comes back when somebody ends a plugin, or its host is gone. Ctrl-C and Ctrl-Break in the host's console are the
    /// host's own affair: it says by `StopProvider` what becomes of them.
    pub(in super::super) async fn host_ends(mut self, open: watch::Receiver<usize>) {
        tokio::select! {
            () = self.signalled(false) => {}
            () = deserted(open) => tracing::warn!("the host is gone: ending"),
        }
    }

    /// The console closes or the system shuts down, and an interrupt if it counts.
    async fn signalled(&mut self, interrupts_count: bool) {
        loop {
            tokio::select! {
                _ = self.close.recv() => return,
                _ = self.shutdown.recv() => return,
                _ = self.interrupt.recv() => if interrupts_count { return },
                _ = self.break_off.recv() => if interrupts_count { return },
            }
        }
    }
}
