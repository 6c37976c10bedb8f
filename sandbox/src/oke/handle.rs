//! What tests and programs do with this cloud through [`Sandbox`].

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::answers::OkeAnswers;
use super::events::{OkeEvent, UnknownOke};
use super::people::{Key, REGION, sha256, sign};
use crate::Sandbox;

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

/// A cluster as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OkeSeen {
    pub id: String,
    pub name: String,
    pub compartment: String,
    /// `statusDetails` as it truly is; none where it was never rotated.
    pub phase: Option<&'static str>,
    pub started_at: Option<Timestamp>,
    pub completes_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    /// What the cluster trusts (PEM), the old one first.
    pub authorities: Vec<String>,
    pub api_address: String,
    /// Rotations that were begun, by whomever, and those that were completed.
    pub starts: usize,
    pub completions: usize,
    /// How often each workload, by its name, was restarted: `web` and `node-agent` in the namespace `apps`.
    pub restarts: BTreeMap<String, i64>,
    /// Of this cluster, in their order.
    pub work: Vec<OkeWork>,
}

/// A work request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OkeWork {
    pub id: String,
    pub status: &'static str,
    pub logs: Vec<String>,
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
}

impl OciLogin {
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
impl std::fmt::Debug for OciLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OciLogin").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// `alice` may manage clusters, `rita` may look, `carol` may nothing.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn oci(&self, user: &str) -> OciLogin {
        let oke = self.world.oke();
        let found = oke.people.find(user).and_then(|person| {
            Some(OciLogin {
                tenancy: oke.people.tenancy.clone(),
                compartment: oke.people.compartment.clone(),
                user: person.ocid.clone(),
                fingerprint: Key::of_private(person.private_key)?.fingerprint,
                private_key: person.private_key,
                region: REGION,
                endpoint: self.oci_endpoint(),
            })
        });
        match found {
            Some(login) => login,
            None => panic!("OKE has no user `{user}`"),
        }
    }

    /// Where the container engine is.
    pub fn oci_endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The token of a session of that user, good for so long; requests are signed with the user's own key.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn oci_session(&self, user: &str, good_for: SignedDuration) -> String {
        let now = self.now();
        let mut oke = self.world.oke();
        let super::model::Oke { people, ids, .. } = &mut *oke;
        let ends_at = now.saturating_add(good_for).unwrap_or(now);
        match people.open_session(user, now, ends_at, ids) {
            Some(token) => token,
            None => panic!("OKE has no user `{user}`"),
        }
    }

    /// Makes a cluster with two nodes.
    ///
    /// # Panics
    /// When the machine lets nobody listen on loopback.
    pub fn create_oke_cluster(&self, name: &str) -> OkeSeen {
        self.happen_to_oke(&OkeEvent::CreateOkeCluster {
            name: name.to_owned(),
            kubernetes_version: None,
            nodes: None,
            virtual_nodes: false,
        });
        self.oke(name)
    }

    /// By name or id; the newest where several have the name.
    ///
    /// # Panics
    /// When there is no such cluster.
    pub fn oke(&self, id: &str) -> OkeSeen {
        let now = self.now();
        let mut oke = self.world.oke();
        oke.sync(now);
        let answers = oke.answers.clone();
        let seen = match oke.known(id) {
            Ok(cluster) => OkeSeen {
                id: cluster.id.clone(),
                name: cluster.name.clone(),
                compartment: cluster.compartment.clone(),
                phase: cluster.shown(&answers).map(|shown| shown.details),
                started_at: cluster.rotation.as_ref().map(|rotation| rotation.started_at),
                completes_at: cluster.shown(&answers).and_then(|shown| shown.completes_at),
                expires_at: cluster.expires_at,
                authorities: cluster.authorities().iter().map(|ca| ca.pem().to_owned()).collect(),
                api_address: cluster.kubernetes.address(),
                starts: cluster.starts,
                completions: cluster.completions,
                restarts: cluster.kubernetes.restarts(now),
                work: Vec::new(),
            },
            Err(unknown) => panic!("{unknown}"),
        };
        let of_cluster = oke.requests.iter().filter(|request| request.cluster == seen.id);
        let work = of_cluster.map(|request| OkeWork {
            id: request.id.clone(),
            status: request.status(now),
            logs: request.logs.iter().map(|(message, _)| message.clone()).collect(),
        });
        OkeSeen { work: work.collect(), ..seen }
    }

    /// Lets something happen to a cluster of OKE.
    pub fn apply_to_oke(&self, event: &OkeEvent) -> Result<(), UnknownOke> {
        event.happen(&self.world)
    }

    /// Lets something happen to a cluster of OKE.
    ///
    /// # Panics
    /// When there is no such cluster.
    pub fn happen_to_oke(&self, event: &OkeEvent) {
        if let Err(unknown) = self.apply_to_oke(event) {
            panic!("{unknown}");
        }
    }

    /// How OKE answers from now on where nobody has seen it.
    pub fn set_oke_answers(&self, answers: OkeAnswers) {
        self.world.oke().answers = answers;
    }
}
