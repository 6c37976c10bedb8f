//! Where a name leads. The system's resolver answers, off the runtime's thread; one name may stand in for
//! another host, for a server that is asked for by its certificate's name.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The name has no address.
#[derive(Debug, thiserror::Error)]
#[error("{host} has no address: {reason}")]
pub(super) struct Unknown {
    host: String,
    reason: String,
    /// Nobody could be asked, which may pass.
    pub(super) passes: bool,
}

/// The resolver of one client.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// A name, and the host that is meant by it.
    stand_in: Option<Arc<(String, String)>>,
    #[cfg(test)]
    known: Option<Arc<(String, Vec<SocketAddr>)>>,
}

impl Names {
    /// `name` leads to where `host` is.
    pub(super) fn standing_in(name: &str, host: &str) -> Self {
        Self {
            stand_in: Some(Arc::new((name.to_ascii_lowercase(), host.to_owned()))),
            #[cfg(test)]
            known: None,
        }
    }

    #[cfg(test)]
    pub(super) fn leading_to(name: &str, addresses: Vec<SocketAddr>) -> Self {
        Self { known: Some(Arc::new((name.to_owned(), addresses))), ..Self::default() }
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let asked = name.as_str().to_owned();
        let host = match self.stand_in.as_deref() {
            Some((name, host)) if name.eq_ignore_ascii_case(&asked) => host.clone(),
            _ => asked,
        };
        #[cfg(test)]
        if let Some((_, addresses)) = self.known.as_deref().filter(|(name, _)| *name == host) {
            let addresses = addresses.clone();
            return Box::pin(async { Ok(Box::new(addresses.into_iter()) as Addrs) });
        }
        Box::pin(async move {
            let unknown = |reason: String, passes| Unknown { host: host.clone(), reason, passes };
            let found = tokio::net::lookup_host((host.as_str(), 0)).await.map_err(|error| {
                let text = error.to_string();
                // of the resolver's codes only the words come through
                let passes = text.contains("emporary");
                unknown(text, passes)
            })?;
            let found: Vec<SocketAddr> = found.collect();
            if found.is_empty() {
                return Err(unknown("the answer is empty".to_owned(), false).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
