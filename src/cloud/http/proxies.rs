//! Which proxy stands before a server, by the rules of Go's `httpproxy`, which `kubectl` follows too: what the
//! variables mean, and which servers `NO_PROXY` spares. A proxy that cannot be used is an error, never a way
//! around it. Pure: nothing is contacted.

use std::net::IpAddr;

use reqwest::Url;

use crate::cloud::Surroundings;
use crate::redaction::{ExposeSecret, SecretString};

/// The proxies of one client.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Rules);

#[derive(Clone, Debug, Default)]
enum Rules {
    #[default]
    None,
    /// What the environment says.
    Environment { http: Option<Setting>, https: Option<Setting>, spared: Vec<Spared> },
    /// This one, for every server.
    One(Setting),
}

/// A proxy as somebody wrote it down, and where.
#[derive(Clone, Debug)]
struct Setting {
    name: &'static str,
    /// May hold a password.
    text: SecretString,
}

/// A proxy that cannot be used. Names the setting and never its value, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct ProxyError {
    pub setting: &'static str,
    pub reason: String,
}

/// One entry of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Spared {
    /// `*`
    All,
    Address {
        address: IpAddr,
        port: Option<String>,
    },
    /// Begins with a dot; `itself` where the name without it is meant too.
    Domain {
        suffix: String,
        itself: bool,
        port: Option<String>,
    },
    Network {
        address: IpAddr,
        bits: u32,
    },
}

impl Proxies {
    /// As Go reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in either case.
    pub fn of(from: &Surroundings) -> Self {
        let variable =
            |names: [&'static str; 2]| names.into_iter().find_map(|name| setting(from, name));
        let http = variable(["HTTP_PROXY", "http_proxy"]);
        // In a CGI program the upper-case name is a header of whoever calls it.
        let cgi = from.environment.contains_key("REQUEST_METHOD");
        let http = if cgi { setting(from, "http_proxy") } else { http };
        let spared = ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| value(from, name));
        Self(Rules::Environment {
            http,
            https: variable(["HTTPS_PROXY", "https_proxy"]),
            spared: spared.map(spared_by).unwrap_or_default(),
        })
    }

    /// Also by `ALL_PROXY`, which Go does not know and Python's clients do.
    #[must_use]
    pub fn or_all(mut self, from: &Surroundings) -> Self {
        let all = ["ALL_PROXY", "all_proxy"].into_iter().find_map(|name| setting(from, name));
        if let (Rules::Environment { http, https, .. }, Some(all)) = (&mut self.0, all) {
            http.get_or_insert_with(|| all.clone());
            https.get_or_insert(all);
        }
        self
    }

    /// This proxy for every server, whatever the variables say. `setting` is what to name in complaints.
    pub fn one(setting: &'static str, url: &SecretString) -> Result<Self, ProxyError> {
        let one = Setting { name: setting, text: url.clone() };
        // a scheme is not guessed where somebody writes a URL
        if !url.expose_secret().contains("://") {
            return Err(one.unusable("it is no URL such as http://proxy:3128"));
        }
        one.url()?;
        Ok(Self(Rules::One(one)))
    }

    /// The proxy for this server; None: directly.
    pub fn for_url(&self, server: &Url) -> Result<Option<Url>, ProxyError> {
        let setting = match &self.0 {
            Rules::None => None,
            Rules::One(setting) => Some(setting),
            Rules::Environment { http, https, spared } => {
                let setting = if server.scheme() == "https" { https } else { http };
                setting.as_ref().filter(|_| !is_spared(server, spared))
            }
        };
        setting.map(Setting::url).transpose()
    }

    /// The one that was given for every server.
    pub fn given(&self) -> Option<&SecretString> {
        match &self.0 {
            Rules::One(setting) => Some(&setting.text),
            Rules::Environment { .. } | Rules::None => None,
        }
    }

    /// What to name where the proxy for this server is to blame.
    pub(super) fn setting_for(&self, server: &Url) -> &'static str {
        match &self.0 {
            Rules::One(setting) => setting.name,
            Rules::Environment { http, https, .. } => {
                let setting = if server.scheme() == "https" { https } else { http };
                setting.as_ref().map_or("proxy", |setting| setting.name)
            }
            Rules::None => "proxy",
        }
    }
}

impl Setting {
    /// `socks5` resolves at the proxy, as Go has it.
    fn url(&self) -> Result<Url, ProxyError> {
        let text = self.text.expose_secret().trim();
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&whole)
            .ok()
            .filter(Url::has_host)
            .ok_or_else(|| self.unusable("it is no URL such as http://proxy:3128"))?;
        match url.scheme() {
            "http" | "https" => Ok(url),
            "socks5" | "socks5h" => self.socks(&url),
            scheme => Err(self.unusable(&format!(
                "the scheme {scheme} is none of a proxy that can be used: http, https or socks5"
            ))),
        }
    }

    fn socks(&self, url: &Url) -> Result<Url, ProxyError> {
        let (_, rest) = url.as_str().split_once(':').unwrap_or_default();
        let mut named = Url::parse(&format!("socks5h:{rest}"))
            .map_err(|_| self.unusable("it is no URL such as socks5://proxy:1080"))?;
        // refused for what has no host only, and this has one
        let _ = named.set_port(Some(named.port().unwrap_or(1080)));
        Ok(named)
    }

    fn unusable(&self, reason: &str) -> ProxyError {
        ProxyError { setting: self.name, reason: super::one_line(reason) }
    }
}

fn value<'s>(from: &'s Surroundings, name: &str) -> Option<&'s str> {
    from.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

fn setting(from: &Surroundings, name: &'static str) -> Option<Setting> {
    value(from, name).map(|text| Setting { name, text: text.into() })
}

/// The entries of a `NO_PROXY`; what is malformed is passed over, as Go does it.
fn spared_by(text: &str) -> Vec<Spared> {
    let entries = text.split(',').map(|entry| entry.trim().to_lowercase());
    let mut all = Vec::new();
    for entry in entries.filter(|entry| !entry.is_empty()) {
        if entry == "*" {
            return vec![Spared::All];
        }
        if let Some(network) = network(&entry) {
            all.push(network);
            continue;
        }
        let (host, port) = match split_port(&entry) {
            Some((host, port)) => {
                let port = Some(port).filter(|port| !port.is_empty());
                (host.trim_start_matches('[').trim_end_matches(']'), port.map(str::to_owned))
            }
            None => (entry.as_str(), None),
        };
        if let Ok(address) = host.parse() {
            all.push(Spared::Address { address, port });
            continue;
        }
        let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        if host.is_empty() {
            continue;
        }
        let itself = !host.starts_with('.');
        let name = ascii(host.trim_start_matches('.'));
        all.push(Spared::Domain { suffix: format!(".{name}"), itself, port });
    }
    all
}

/// As `net.SplitHostPort`: one colon, or brackets around the host.
fn split_port(entry: &str) -> Option<(&str, &str)> {
    let (host, port) = entry.rsplit_once(':')?;
    let bracketed = host.starts_with('[') && host.ends_with(']');
    (bracketed || !host.contains(':')).then_some((host, port))
}

fn network(entry: &str) -> Option<Spared> {
    let (address, bits) = entry.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits = bits.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some(Spared::Network { address, bits })
}

/// A name as it stands in a parsed URL. What is more than a name spares nobody: it stays as it is.
fn ascii(name: &str) -> String {
    let more = name.contains(['/', '\\', '?', '#', '@', ':']);
    let url = Url::parse(&format!("https://{name}/")).ok().filter(|_| !more);
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| name.to_owned())
}

fn is_spared(server: &Url, spared: &[Spared]) -> bool {
    let host = server.host_str().unwrap_or_default().trim_matches(['[', ']']).to_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let port = server.port_or_known_default().unwrap_or_default().to_string();
    let port_fits = |wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| *wanted == port);
    spared.iter().any(|entry| match entry {
        Spared::All => true,
        Spared::Address { address: spared, port } => {
            address.is_some_and(|address| canonical(address) == canonical(*spared))
                && port_fits(port)
        }
        Spared::Domain { suffix, itself, port } => {
            let named = host.ends_with(suffix) || (*itself && host == suffix[1..]);
            // an address is in no domain, whatever it ends with
            named && address.is_none() && port_fits(port)
        }
        Spared::Network { address: network, bits } => {
            address.is_some_and(|address| within(address, *network, *bits))
        }
    })
}

/// An IPv4 address is the same where it is written as IPv6.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (canonical(address), network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
