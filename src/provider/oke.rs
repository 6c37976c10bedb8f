//! What a kubeconfig of OKE's says, for the resource and for the ephemeral one: the way in, and the CAs: one, or in an
//! overlap the old and the new one in one bundle.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::cloud::kubernetes::{self, Certificate};

/// Where the cluster's API server is, and whom to trust there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrance {
    pub server: String,
    /// PEM, as the kubeconfig has it.
    pub bundle: String,
    pub cas: Vec<Certificate>,
}

/// Of the current context, or of the only cluster; None where it holds no CA.
pub fn entrance(kubeconfig: &str) -> Option<Entrance> {
    let parsed = kubernetes::document(kubeconfig.as_bytes()).ok()?;
    let named = |list: &str, name: &str| {
        let all = parsed[list].as_array()?;
        all.iter().find(|one| one["name"].as_str() == Some(name)).or_else(|| all.first()).cloned()
    };
    let context = named("contexts", parsed["current-context"].as_str().unwrap_or_default());
    let cluster = context.as_ref().and_then(|context| context["context"]["cluster"].as_str());
    let cluster = named("clusters", cluster.unwrap_or_default())?;
    let cluster = &cluster["cluster"];
    let data = cluster["certificate-authority-data"].as_str()?;
    let compact: String = data.split_whitespace().collect();
    let bundle = String::from_utf8(BASE64_STANDARD.decode(compact).ok()?).ok()?;
    let cas = Certificate::parse(&bundle).ok()?;
    let server = cluster["server"].as_str().unwrap_or_default().to_owned();
    Some(Entrance { server, bundle, cas })
}

impl Entrance {
    /// The fingerprints, the oldest first.
    pub fn fingerprints(&self) -> Vec<String> {
        let mut cas: Vec<_> = self.cas.iter().collect();
        cas.sort_by(|one, other| {
            (one.not_before, &one.sha256).cmp(&(other.not_before, &other.sha256))
        });
        let mut prints: Vec<String> = cas.into_iter().map(|ca| ca.sha256.clone()).collect();
        prints.dedup();
        prints
    }

    /// When the newest one was made.
    pub fn issued_at(&self) -> Option<jiff::Timestamp> {
        self.cas.iter().map(|ca| ca.not_before).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ca(name: &str, year: i32) -> String {
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        parameters.not_before = rcgen::date_time_ymd(year, 1, 1);
        parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
    }

    fn kubeconfig(bundle: &str) -> String {
        let data = BASE64_STANDARD.encode(bundle);
        format!(
            "---\napiVersion: v1\nkind: \"\"\nclusters:\n- name: cluster-abc\n  cluster:\n    server: https://192.0.2.1:6443\n    \
             certificate-authority-data: {data}\nusers: []\ncontexts:\n- name: context-abc\n  context:\n    cluster: \
             cluster-abc\n    user: user-abc\ncurrent-context: context-abc\n"
        )
    }

    #[test]
    fn the_bundle_of_an_overlap_has_two_whatever_their_order() {
        let (old, new) = (ca("kubernetes", 2024), ca("kubernetes", 2026));
        let prints = |bundle: &str| entrance(&kubeconfig(bundle)).unwrap().fingerprints();
        let one = prints(&old);
        assert_eq!(one.len(), 1);
        let two = prints(&format!("{old}{new}"));
        assert_eq!(two, prints(&format!("{new}{old}")));
        assert_eq!(two.len(), 2);
        assert_eq!(two[0], one[0]);
        let found = entrance(&kubeconfig(&new)).unwrap();
        assert_eq!(found.server, "https://192.0.2.1:6443");
        assert_eq!(found.issued_at().unwrap().to_string(), "2026-01-01T00:00:00Z");
    }

    #[test]
    fn what_holds_no_ca_is_no_failure() {
        for text in ["", "{}", "clusters: []", "clusters: [{cluster: {}}]", "[", "a: b: c"] {
            assert_eq!(entrance(text), None, "{text}");
        }
        assert_eq!(entrance(&kubeconfig("no PEM")), None);
    }
}
