//! What tests and programs do with OKE through [`Sandbox`].

use axum::extract::FromRef;
use jiff::SignedDuration;

use super::Sandbox;
use crate::oke::{self, OciLogin, Oke, OkeAnswers, OkeEvent, OkeSeen, UnknownOke};

impl Sandbox {
    /// `alice` may manage clusters, `rita` may look, `carol` may nothing.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn oci(&self, user: &str) -> OciLogin {
        let found = self.clouds.oke().login(user, self.oci_endpoint());
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
        let mut oke = self.clouds.oke();
        let Oke { people, ids, .. } = &mut *oke;
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
        match self.clouds.oke().seen(id, now) {
            Ok(seen) => seen,
            Err(unknown) => panic!("{unknown}"),
        }
    }

    /// Lets something happen to a cluster of OKE.
    pub fn apply_to_oke(&self, event: &OkeEvent) -> Result<(), UnknownOke> {
        event.happen(&oke::Site::from_ref(&self.clouds))
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
        self.clouds.oke().answers = answers;
    }
}
