//! Addresses as configured, and the paths below them.

use super::Error;
use super::config::ConfigError;
use crate::cloud::http::Url;

/// A configured address.
pub(super) fn address(text: &str, setting: &'static str) -> Result<Url, Error> {
    // A password may stand before the @.
    let shown = if text.contains('@') { String::new() } else { format!(" {text:?}") };
    let complaint = |what: &str| {
        let message = format!("{setting}{shown} {what}");
        Error::Config(ConfigError { message, setting: Some(setting) })
    };
    let mut url =
        Url::parse(text).map_err(|error| complaint(&format!("is no address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(complaint("must begin with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(complaint("must not hold a user name or password"));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// Keystone's address with its version.
pub(super) fn versioned(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/');
    let path = if path.ends_with("/v3") { path.to_owned() } else { format!("{path}/v3") };
    url.set_path(&path);
    url
}

/// Appends segments, encoded. One that an address cannot hold (empty, `.`, `..`) would silently
/// name another resource.
pub(super) fn extend(url: &mut Url, path: &[&str]) -> Result<(), Error> {
    if let Some(odd) = path.iter().find(|part| matches!(**part, "" | "." | "..")) {
        let message = format!("\"{odd}\" cannot be an id");
        return Err(Error::Config(ConfigError { message, setting: None }));
    }
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    Ok(())
}
