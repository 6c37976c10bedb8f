//! A user of Oracle's cloud as a client knows it: how it signs, and the configuration file that says so.

use std::fmt;
use std::path::Path;

use jiff::Timestamp;

use super::keys::{Key, sha256, sign};
use super::model::Oke;
use super::ocid::REGION;

/// A user of Oracle's cloud, and how it signs.
#[derive(Clone, PartialEq, Eq)]
pub struct OciLogin {
    pub tenancy: String,
    pub compartment: String,
    pub user: String,
    pub fingerprint: String,
    /// PKCS#8, PEM; a throwaway that is published with the sandbox.
    pub private_key: &'static str,
    pub region: &'static str,
    /// Where the container engine is; clients append the version of the API.
    pub endpoint: String,
}

impl OciLogin {
    /// A configuration file for `oci` and its SDKs.
    pub fn config_file(&self, key_file: &Path) -> String {
        format!(
            "[DEFAULT]\nuser={}\nfingerprint={}\ntenancy={}\nregion={}\nkey_file={}\n",
            self.user,
            self.fingerprint,
            self.tenancy,
            self.region,
            key_file.display()
        )
    }

    /// The headers of a request of this user's, signed at that time. By a hand of the sandbox's own: for tests that
    /// look at the service, not at a client.
    pub fn signed(
        &self,
        request: &str,
        host: &str,
        body: &str,
        at: Timestamp,
    ) -> Vec<(&'static str, String)> {
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let (method, target) = request.split_once(' ').unwrap_or((request, "/"));
        let mut headers = vec![("date", date), ("host", host.to_owned())];
        if method != "GET" {
            headers.push(("content-length", body.len().to_string()));
            headers.push(("content-type", "application/json".to_owned()));
            headers.push(("x-content-sha256", sha256(body)));
        }
        let target = format!("(request-target): {} {target}", method.to_ascii_lowercase());
        let lines = headers.iter().map(|(name, value)| format!("{name}: {value}"));
        let text = std::iter::once(target).chain(lines).collect::<Vec<_>>().join("\n");
        let names = headers.iter().map(|(name, _)| *name);
        let names = std::iter::once("(request-target)").chain(names).collect::<Vec<_>>().join(" ");
        let key_id = format!("{}/{}/{}", self.tenancy, self.user, self.fingerprint);
        let signature = sign(self.private_key, &text).unwrap_or_default();
        let authorization = format!(
            r#"Signature version="1",keyId="{key_id}",algorithm="rsa-sha256",headers="{names}",signature="{signature}""#
        );
        headers.push(("authorization", authorization));
        headers
    }
}

// The key is published, but a user of this type may not know that.
impl fmt::Debug for OciLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OciLogin").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Oke {
    /// How that user logs in, by name or id, where the container engine is at that address.
    pub(crate) fn login(&self, user: &str, endpoint: String) -> Option<OciLogin> {
        let person = self.people.find(user)?;
        Some(OciLogin {
            tenancy: self.people.tenancy.clone(),
            compartment: self.people.compartment.clone(),
            user: person.ocid.clone(),
            fingerprint: Key::of_private(person.private_key)?.fingerprint,
            private_key: person.private_key,
            region: REGION,
            endpoint,
        })
    }
}
