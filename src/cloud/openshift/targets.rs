//! Which component secrets a rotation reaches, and in which order.

use super::mode::Mode;
use super::name::Name;
use super::objects::CredentialsRequest;
use super::situation::Situation;

/// A component's secret and the request that it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Target<'s> {
    pub request: &'s CredentialsRequest,
}

impl Target<'_> {
    /// None where the request's `secretRef` cannot be the name of a secret: then it never gets one.
    pub fn secret(&self) -> Option<Name> {
        self.request.secret().ok()
    }
}

/// The requests that the operator serves on this platform; those that are not for it, that nobody needs any more
/// and that are being deleted are left out. In the order in which secrets are made again: first the operator's own
/// read-only one, on which nothing runs, then by their names.
pub fn targets(situation: &Situation) -> Vec<Target<'_>> {
    let Some(platform) = situation.platform else { return Vec::new() };
    let canary = platform.canary();
    let mut targets: Vec<_> = situation
        .requests
        .iter()
        .filter(|request| request.spec.provider_spec.kind == platform.provider_spec())
        .filter(|request| request.metadata.deletion_timestamp.is_none())
        .filter(|request| {
            ["Ignored", "StaleCredentials"].iter().all(|kind| request.condition(kind).is_none())
        })
        .map(|request| Target { request })
        .collect();
    targets.sort_by_key(|target| {
        let secret = target.secret();
        (secret.is_none() || secret != canary, secret, target.request.called())
    });
    targets
}

/// One line of how a rotation would go through them, for people.
pub fn order(situation: &Situation, mode: Mode) -> Vec<String> {
    let targets = targets(situation);
    let names = targets.iter().map(|target| {
        target.secret().map_or_else(|| target.request.called(), |secret| secret.to_string())
    });
    let mut names: Vec<_> = names.collect();
    if !mode.mints() {
        // All at once, by the operator itself.
        names.sort();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::platform::Platform;
    use super::super::testing::cluster;
    use super::*;

    #[test]
    fn the_read_only_secret_comes_first() {
        let situation = cluster(Platform::Aws)
            .component("a-namespace/first")
            .component("openshift-cloud-credential-operator/cloud-credential-operator-iam-ro-creds")
            .component("z/last")
            .situation();
        assert_eq!(
            order(&situation, Mode::Mint),
            [
                "openshift-cloud-credential-operator/cloud-credential-operator-iam-ro-creds",
                "a-namespace/first",
                "z/last"
            ]
        );
        assert_eq!(order(&situation, Mode::Passthrough)[0], "a-namespace/first");
    }

    #[test]
    fn what_the_operator_does_not_serve_is_left_out() {
        let mut cluster = cluster(Platform::Openstack);
        for secret in ["a/a", "b/b", "c/c", "d/d", "e/e"] {
            cluster = cluster.component(secret);
        }
        let mut situation = cluster.situation();
        let condition = |kind: &str, status: &str| super::super::objects::Condition {
            kind: kind.to_owned(),
            status: status.to_owned(),
            ..Default::default()
        };
        situation.requests[0].spec.provider_spec.kind = "AWSProviderSpec".to_owned();
        situation.requests[1].status.conditions = vec![condition("Ignored", "True")];
        situation.requests[2].metadata.deletion_timestamp = Some(jiff::Timestamp::UNIX_EPOCH);
        situation.requests[3].status.conditions =
            vec![condition("StaleCredentials", "True"), condition("Ignored", "False")];
        assert_eq!(order(&situation, Mode::Passthrough), ["e/e"]);
    }
}
