//! Where the host gets a provider from: a fresh one for each walk, as Terraform starts a process for
//! each.

use async_trait::async_trait;
use tonic::transport::Channel;

/// Starts providers.
#[async_trait]
pub trait Launch: Send + Sync + 'static {
    /// Starts one. What goes wrong fails the test.
    async fn launch(&self) -> Link;
}

/// A running provider.
pub struct Link {
    channel: Channel,
    may_die: bool,
    life: Box<dyn Life>,
}

/// What keeps a provider running, and ends it.
#[async_trait]
pub trait Life: Send + Sync {
    /// Ends it as go-plugin does.
    async fn end(self: Box<Self>);
}

impl Link {
    pub fn new(channel: Channel, life: Box<dyn Life>) -> Self {
        Self { channel, may_die: false, life }
    }

    /// Calls that die become errors, as Terraform words them, instead of failing the test.
    #[must_use]
    pub fn that_may_die(self) -> Self {
        Self { may_die: true, ..self }
    }

    pub(super) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(super) fn may_die(&self) -> bool {
        self.may_die
    }

    pub(super) async fn close(self) {
        drop(self.channel);
        self.life.end().await;
    }
}
