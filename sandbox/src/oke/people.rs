//! Who is there: users with their API keys and sessions, and what they may do. That a message was signed with a key
//! is `signature`'s business.

use axum::extract::Query;
use axum::http::{Method, Uri};
use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::json;

use super::keys::Key;
use super::ocid::{REGION, ocid};
use super::signature::{Claim, Unproven};
use crate::authority::Subject;
use crate::http::Ask;
use crate::ids::Ids;

/// What a user's policies give, of everything in the one compartment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    Nothing,
    Read,
    Manage,
}

/// A tenancy with a compartment, and its users.
#[derive(Debug)]
pub(crate) struct People {
    pub(crate) tenancy: String,
    pub(crate) compartment: String,
    all: Vec<Person>,
    sessions: Vec<Session>,
}

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) ocid: String,
    pub(crate) access: Access,
    keys: Vec<Key>,
    /// Which a test may sign with.
    pub(crate) private_key: &'static str,
}

#[derive(Clone, Debug)]
struct Session {
    token: String,
    ocid: String,
    key: Key,
    ends_at: Timestamp,
}

impl People {
    /// alice may do everything, rita may look, carol may nothing. The names are those of Keystone's people; they have
    /// nothing in common but that.
    pub(crate) fn new(ids: &mut Ids) -> Self {
        let mut person = |name: &str, access, private_key: &'static str| Person {
            name: name.to_owned(),
            ocid: ocid("user", "", ids),
            access,
            keys: Key::of_private(private_key).into_iter().collect(),
            private_key,
        };
        Self {
            all: vec![
                person("alice", Access::Manage, include_str!("keys/alice.pem")),
                person("carol", Access::Nothing, include_str!("keys/carol.pem")),
                person("rita", Access::Read, include_str!("keys/rita.pem")),
            ],
            tenancy: ocid("tenancy", "", ids),
            compartment: ocid("compartment", "", ids),
            sessions: Vec::new(),
        }
    }

    /// By name or id.
    pub(crate) fn find(&self, name: &str) -> Option<&Person> {
        self.all.iter().find(|person| person.name == name || person.ocid == name)
    }

    /// Gives a user one more API key, from the PEM of a public key; its fingerprint.
    pub(crate) fn upload(&mut self, name: &str, public: &str) -> Option<String> {
        let key = Key::of_public(public)?;
        let fingerprint = key.fingerprint.clone();
        let person = self.all.iter_mut().find(|person| person.name == name)?;
        person.keys.push(key);
        Some(fingerprint)
    }

    /// Takes all API keys of a user away.
    pub(crate) fn forget_keys(&mut self, name: &str) -> Option<()> {
        self.all.iter_mut().find(|person| person.name == name)?.keys.clear();
        Some(())
    }

    /// What `oci session authenticate` would keep for a user: a token for the user's own key, good until then.
    pub(crate) fn open_session(
        &mut self,
        name: &str,
        now: Timestamp,
        ends_at: Timestamp,
        ids: &mut Ids,
    ) -> Option<String> {
        let person = self.find(name)?.clone();
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!(
            "{}.{}.{}",
            part(json!({ "alg": "RS256", "kid": "asw" })),
            part(json!({
                "sub": person.ocid,
                "tenant": self.tenancy,
                "iat": now.as_second(),
                "exp": ends_at.as_second(),
                "jti": ids.uuid(),
            })),
            // of whole bytes, as a signature is
            BASE64_URL_SAFE_NO_PAD.encode(ids.url_safe(64))
        );
        let key = Key::of_private(person.private_key)?;
        self.sessions.push(Session { token: token.clone(), ocid: person.ocid, key, ends_at });
        Some(token)
    }

    /// Who signed this request.
    pub(crate) fn sender(&self, ask: &Ask) -> Result<Person, Unproven> {
        let header = ask.header("authorization").ok_or(Unproven::Incomplete)?;
        let claim = Claim::parse(header)?;
        let (person, key) = self.claimed(&claim.key_id, ask.now).ok_or(Unproven::Wrong)?;
        claim.holds_for(ask, key.public())?;
        Ok(person.clone())
    }

    /// The name of whoever a request claims to be from, for the log.
    pub(crate) fn name_in(&self, authorization: &str) -> Option<String> {
        let claim = Claim::parse(authorization).ok()?;
        self.claimed(&claim.key_id, Timestamp::MIN).map(|(person, _)| person.name.clone())
    }

    fn claimed(&self, key_id: &str, now: Timestamp) -> Option<(&Person, &Key)> {
        if let Some(token) = key_id.strip_prefix("ST$") {
            let session = self.sessions.iter().find(|session| session.token == token)?;
            let person = self.find(&session.ocid)?;
            return (now < session.ends_at).then_some((person, &session.key));
        }
        let mut parts = key_id.splitn(3, '/');
        let tenancy = parts.next()?;
        let person = self.find(parts.next()?).filter(|_| tenancy == self.tenancy)?;
        let fingerprint = parts.next()?;
        person.keys.iter().find(|key| key.fingerprint == fingerprint).map(|key| (person, key))
    }

    /// Whom a bearer token of that cluster is for: a signed request, as `oci ce cluster generate-token` makes it.
    pub(crate) fn bearer(&self, token: &str, cluster: &str, now: Timestamp) -> Option<Subject> {
        let url = String::from_utf8(BASE64_URL_SAFE.decode(token).ok()?).ok()?;
        let host = format!("containerengine.{REGION}.oraclecloud.com");
        let path = format!("/cluster_request/{cluster}");
        let query = url.strip_prefix(&format!("https://{host}{path}?"))?;
        let pairs: Vec<(String, String)> =
            Query::try_from_uri(&format!("{path}?{query}").parse::<Uri>().ok()?).ok()?.0;
        let get =
            |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let claim = Claim::parse(&get("authorization")?).ok()?;
        let (person, key) = self.claimed(&claim.key_id, now)?;
        let header = |name: &str| if name == "host" { Some(host.clone()) } else { get(name) };
        claim.holds(&Method::GET, &path, header, key.public(), now).ok()?;
        // Whoever may manage a cluster in Oracle's cloud may do everything in it.
        let groups = match person.access {
            Access::Manage => vec!["system:masters".to_owned()],
            Access::Read | Access::Nothing => Vec::new(),
        };
        Some(Subject { user: person.ocid.clone(), groups })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Of alice's key, by `openssl`.
    const FINGERPRINT: &str = "d7:71:be:56:65:35:ad:3b:0e:0c:6e:a1:85:43:59:73";

    #[test]
    fn a_public_key_has_the_fingerprint_of_its_private_one() {
        let mut people = People::new(&mut Ids::seeded(1));
        assert_eq!(people.find("alice").unwrap().keys[0].fingerprint, FINGERPRINT);
        people.forget_keys("alice").unwrap();
        let uploaded = people.upload("alice", include_str!("keys/alice.pub.pem"));
        assert_eq!(uploaded.as_deref(), Some(FINGERPRINT));
        assert_eq!(people.upload("alice", "no key"), None);
        assert_eq!(people.upload("nobody", include_str!("keys/alice.pub.pem")), None);
    }

    #[test]
    fn a_session_ends() {
        let (mut ids, now) = (Ids::seeded(1), Timestamp::UNIX_EPOCH);
        let mut people = People::new(&mut ids);
        let end = now + jiff::SignedDuration::from_hours(1);
        let token = people.open_session("alice", now, end, &mut ids).unwrap();
        let key_id = format!("ST${token}");
        assert_eq!(people.claimed(&key_id, now).unwrap().0.name, "alice");
        assert!(people.claimed(&key_id, end).is_none());
    }
}
