use super::super::testing::{CLOUDS, cluster, request};
use super::super::value::Value;
use super::*;

fn check(situation: &Situation, wish: &Wish<'_>, expected: &[&str]) {
    let said: Vec<_> = refusals(situation, wish).iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
    }
}

fn failing(kind: &str, message: &str) -> Condition {
    Condition {
        kind: kind.to_owned(),
        status: "True".to_owned(),
        reason: kind.to_owned(),
        message: message.to_owned(),
        last_transition_time: "2026-11-22T08:00:00Z".parse().ok(),
    }
}

#[test]
fn a_healthy_cluster_of_each_platform_may_be_rotated() {
    for platform in Platform::ALL {
        let cluster = cluster(platform).annotated("passthrough").component("a/b").component("c/d");
        check(&cluster.situation(), &Wish::default(), &[]);
    }
    let aws = cluster(Platform::Aws).annotated("mint").minted();
    check(&aws.situation(), &Wish { route: Some(Route::Mint), ..Wish::default() }, &[]);
}

#[test]
fn what_the_operator_does_not_do_is_not_begun() {
    let wish = Wish::default();
    let of = cluster;
    check(&of(Platform::Aws).mode("Manual").situation(), &wish, &["long-term"]);
    check(
        &of(Platform::Aws).mode("Manual").issuer("https://i").situation(),
        &wish,
        &["issuer https://i"],
    );
    check(&of(Platform::Aws).on("BareMetal").situation(), &wish, &["\"BareMetal\""]);
    check(
        &of(Platform::Openstack).mode("Passthrough").legacy("true").situation(),
        &wish,
        &["says disabled"],
    );
    check(
        &of(Platform::Azure).mode("Mint").annotated("mint").situation(),
        &wish,
        &["cannot mint on azure"],
    );
    check(&of(Platform::Vsphere).mode("Mint").situation(), &wish, &["cannot mint on vsphere"]);
    check(&of(Platform::Openstack).mode("Mint").situation(), &wish, &[]);
    check(&of(Platform::Aws).annotated("").situation(), &wish, &["is missing"]);
    check(&of(Platform::Aws).annotated("insufficient").situation(), &wish, &["insufficient"]);
    let mut unconfigured = of(Platform::Openstack).situation();
    unconfigured.operator_mode = None;
    check(&unconfigured, &wish, &["no CloudCredential"]);
}

#[test]
fn another_platform_or_mode_than_expected() {
    let openstack = cluster(Platform::Openstack).component("a/b").situation();
    let aws = NewRoot::aws("AKIA1", "s");
    check(&openstack, &Wish { new_root: Some(&aws), ..Wish::default() }, &["runs on OpenStack"]);
    check(&openstack, &Wish { platform: Some(Platform::Gcp), ..Wish::default() }, &["for gcp"]);
    let mint = Wish { route: Some(Route::Mint), ..Wish::default() };
    check(&openstack, &mint, &["in mode passthrough"]);
    let removes = Wish { remove_root_after: Some(true), ..Wish::default() };
    check(&openstack, &removes, &["needs the root secret all the time"]);
}

#[test]
fn a_removed_root_is_put_back_only_where_that_is_said() {
    let gone = cluster(Platform::Aws).minted().without_root().situation();
    let new = NewRoot::aws("AKIA1", "s");
    check(&gone, &Wish::default(), &["has been removed"]);
    check(&gone, &Wish { new_root: Some(&new), ..Wish::default() }, &["has been removed"]);
    for remove in [true, false] {
        let wish =
            Wish { new_root: Some(&new), remove_root_after: Some(remove), ..Wish::default() };
        check(&gone, &wish, &[]);
    }
    let wish = Wish { remove_root_after: Some(true), ..Wish::default() };
    check(&gone, &wish, &["has been removed"]);
    let openstack = cluster(Platform::Openstack).without_root().situation();
    let new = NewRoot::openstack(CLOUDS);
    check(&openstack, &Wish { new_root: Some(&new), ..Wish::default() }, &["nothing to hand on"]);
}

#[test]
fn a_request_that_fails_already() {
    let mut situation = cluster(Platform::Openstack).component("a/b").situation();
    let new = NewRoot::openstack(CLOUDS);
    let with_new = Wish { new_root: Some(&new), ..Wish::default() };
    situation.requests[0].status.conditions =
        vec![failing("MissingTargetNamespace", "target namespace a not found")];
    for wish in [&with_new, &Wish::default()] {
        check(
            &situation,
            wish,
            &["openshift-cloud-credential-operator/a-b, for the secret a/b, fails already: \
            MissingTargetNamespace=True (MissingTargetNamespace): target namespace a not found, since 2026-11-22T08:00:00Z"],
        );
    }
    // A new root credential is the cure of this one.
    situation.requests[0].status.conditions =
        vec![failing("InsufficientCloudCreds", "cloud creds are insufficient")];
    check(&situation, &with_new, &[]);
    check(&situation, &Wish::default(), &["InsufficientCloudCreds"]);
}

#[test]
fn what_is_insufficient_can_be_mended_by_a_new_root() {
    let new = NewRoot::aws("AKIA1", "s");
    let wish = Wish { new_root: Some(&new), ..Wish::default() };
    let minted = cluster(Platform::Aws).minted().annotated("insufficient").situation();
    check(&minted, &wish, &[]);
    assert_eq!(Route::of(&minted, true), Some(Route::Mint));
    let copied = cluster(Platform::Aws).component("a/b").annotated("insufficient").situation();
    assert_eq!(Route::of(&copied, true), Some(Route::Passthrough));
}

#[test]
fn secrets_that_are_not_the_operators() {
    let healthy = cluster(Platform::Openstack).component("a/b").component("c/d").situation();
    let change = |change: &dyn Fn(&mut super::super::objects::Secret)| {
        let mut situation = healthy.clone();
        change(situation.components.get_mut(&"a/b".parse().unwrap()).unwrap());
        situation
    };
    check(&change(&|secret| secret.metadata.labels.clear()), &Wish::default(), &["has no label"]);
    check(
        &change(&|secret| secret.metadata.annotations.clear()),
        &Wish::default(),
        &["has no annotation"],
    );
    let mut shared = healthy.clone();
    let mut second = request(Platform::Openstack, "a/b");
    second.metadata.name = "second".to_owned();
    shared.requests.push(second);
    check(&shared, &Wish::default(), &["claimed by 2 CredentialsRequests"]);
    let mut nameless = healthy.clone();
    nameless.requests[0].spec.secret_ref.name = "../x".to_owned();
    check(&nameless, &Wish::default(), &["cannot exist"]);
}

#[test]
fn a_component_that_was_minted_before_passthrough() {
    let mut situation =
        cluster(Platform::Aws).mode("Passthrough").minted().annotated("passthrough").situation();
    check(&situation, &Wish::default(), &["was minted a credential (minted-user)"]);
    // Deleted once since, it holds the root's.
    let root = situation.root.clone().unwrap().data;
    for component in situation.components.values_mut() {
        component.data = super::super::testing::copied(Platform::Aws, &root);
    }
    check(&situation, &Wish::default(), &[]);
}

/// The operator turned to passthrough by itself, for want of rights: a better root credential turns it back.
#[test]
fn what_was_minted_is_minted_again_where_the_operator_judges_by_the_root() {
    let turned = cluster(Platform::Aws).minted().annotated("passthrough").situation();
    assert_eq!(Route::of(&turned, true), Some(Route::Mint));
    let new = NewRoot::aws("AKIA1", "secret");
    check(&turned, &Wish { new_root: Some(&new), ..Wish::default() }, &[]);
    check(&turned, &Wish::default(), &["was minted a credential (minted-user)"]);
    let configured =
        cluster(Platform::Aws).mode("Passthrough").minted().annotated("passthrough").situation();
    assert_eq!(Route::of(&configured, true), Some(Route::Passthrough));
}

#[test]
fn an_operator_that_does_not_run_is_given_nothing() {
    let mut situation = cluster(Platform::Openstack).component("a/b").situation();
    let gone = serde_json::json!({ "status": { "conditions": [{
        "type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
    }] } });
    situation.operator = Some(serde_json::from_value(gone).unwrap());
    check(&situation, &Wish::default(), &["MinimumReplicasUnavailable"]);
}

#[test]
fn a_clouds_yaml_that_forgets_the_ca_is_refused() {
    let mut situation = cluster(Platform::Openstack).component("a/b").situation();
    let with_ca = CLOUDS.replace("auth:", "cacert: /etc/ca.pem, auth:");
    let old = situation.root.as_mut().unwrap();
    old.data.insert("clouds.yaml".to_owned(), Value::new(&*with_ca));
    for (yaml, expected) in
        [(CLOUDS, &["names a CA (cacert), and this one none"][..]), (&with_ca, &[])]
    {
        let new = NewRoot::openstack(yaml);
        check(&situation, &Wish { new_root: Some(&new), ..Wish::default() }, expected);
    }
}

#[test]
fn half_a_root_is_refused_and_nothing_of_it_is_told() {
    let situation = cluster(Platform::Aws).component("a/b").annotated("passthrough").situation();
    let half = NewRoot::aws("AKIA1", "");
    check(
        &situation,
        &Wish { new_root: Some(&half), ..Wish::default() },
        &["aws_secret_access_key is empty"],
    );
    let mut azure = cluster(Platform::Azure).component("a/b").situation();
    azure.root.as_mut().unwrap().data.insert("azure_region".to_owned(), Value::new(""));
    let new = NewRoot::azure(&super::super::root::Azure {
        client_secret: Some("very-secret"),
        ..Default::default()
    });
    check(
        &azure,
        &Wish { new_root: Some(&new), ..Wish::default() },
        &["azure_region is neither given"],
    );
}

#[test]
fn every_refusal_says_what_to_do_instead() {
    let gone = cluster(Platform::Aws).minted().without_root().situation();
    let manual = cluster(Platform::Aws).mode("Manual").situation();
    for situation in [gone, manual] {
        for refusal in refusals(&situation, &Wish::default()) {
            assert!(
                refusal.advice().ends_with('.') && !refusal.summary().ends_with('.'),
                "{refusal:?}"
            );
        }
    }
}
