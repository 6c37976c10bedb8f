use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::provider::cluster_credential_rotation::magnum::MagnumPlatform;
use crate::provider::cluster_credential_rotation::magnum::block::Magnum;
use crate::provider::cluster_credential_rotation::services::Services;
use crate::rotation::Due;
use crate::rotation::course::First;

const UUID: &str = "91b6528b-6d0a-40c8-a9ce-2cb99e7226b9";

fn text(text: &str) -> Attr<String> {
    Attr::Known(text.to_owned())
}

fn triggers(value: Attr<String>) -> Attr<BTreeMap<String, Attr<String>>> {
    Attr::Known([("n".to_owned(), value)].into())
}

fn config(cluster: &str, credential: &str) -> ClusterRotation {
    let magnum =
        Magnum { cluster: text(cluster), credential: text(credential), ..Magnum::default() };
    ClusterRotation {
        magnum: Attr::Known(magnum),
        triggers: triggers(text("1")),
        ..ClusterRotation::default()
    }
}

/// As Terraform proposes it: what is computed comes from the state.
fn proposed(prior: &ClusterRotation, config: &ClusterRotation) -> ClusterRotation {
    ClusterRotation {
        magnum: config.magnum.clone(),
        renew_before: config.renew_before.clone(),
        rotate: config.rotate,
        rotate_on_create: config.rotate_on_create,
        rotation_period: config.rotation_period.clone(),
        timeouts: config.timeouts.clone(),
        triggers: config.triggers.clone(),
        ..prior.clone()
    }
}

fn state(config: &ClusterRotation, phase: Phase) -> ClusterRotation {
    let credential = config.magnum.known().unwrap().credential.known().unwrap().clone();
    let ca = credential == "ca_certificate";
    let of_ca = |value: &str| if ca { text(value) } else { Attr::Null };
    ClusterRotation {
        application_credential_ids: if ca { Attr::Null } else { Attr::Known(vec!["c1".into()]) },
        ca_certificate_sha256: of_ca("ab"),
        completed_at: text("2026-01-01T00:00:00Z"),
        expires_at: of_ca("2031-01-01T00:00:00Z"),
        generation: Attr::Known(3),
        id: text(&format!("{UUID}/{credential}")),
        owner_user_id: text("u1"),
        phase: text(phase.name()),
        rotation_due: rotation_due(&[]),
        rotation_due_at: Attr::Null,
        rotation_reason: Attr::Null,
        started_at: text("2026-01-01T00:00:00Z"),
        ..config.clone()
    }
}

fn private() -> Private {
    Private { memory: serde_json::json!({ "cluster_name": "prod" }), ..Private::begun() }
}

fn platform(config: &ClusterRotation) -> MagnumPlatform {
    let services = Services {
        clusters: std::sync::Arc::default(),
        kubernetes: std::sync::Arc::default(),
        oci: std::sync::Arc::default(),
        openstack: std::sync::Arc::default(),
        stand_in: None,
    };
    MagnumPlatform::new(services, config.magnum.known().cloned().unwrap_or_default())
}

fn decided(prior: &ClusterRotation, config: &ClusterRotation, private: &Private) -> Planned {
    update(&platform(config), prior, config, proposed(prior, config), private)
}

/// The rotation that is planned.
fn rotation(planned: &Planned) -> Option<u64> {
    match planned.decision.next {
        Next::Begin { generation, .. } => Some(generation),
        _ => None,
    }
}

fn resumes(planned: &Planned) -> bool {
    let first = Some(First::Resume);
    match &planned.decision.next {
        Next::Finish(first) => *first == First::Resume,
        Next::Begin { first: begun, .. } | Next::Perhaps { first: begun, .. } => *begun == first,
        Next::Rest | Next::Recover | Next::Refuse { .. } => false,
    }
}

#[test]
fn nothing_changes_where_nothing_is_asked_for() {
    for credential in ["application_credential", "ca_certificate"] {
        let config = config("prod", credential);
        let prior = state(&config, Phase::Completed);
        let decision = decided(&prior, &config, &private());
        assert_eq!(decision.state.phase, prior.phase);
        assert_eq!(decision.state.generation, prior.generation);
        assert_eq!(decision.state.completed_at, prior.completed_at);
        assert!(rotation(&decision).is_none() && !resumes(&decision));
        assert_eq!(decision.requires_replace, []);
    }
}

#[test]
fn what_calls_for_a_rotation_says_why() {
    let before = config("prod", "application_credential");
    let due = Due::parse("rotation_period", "2026-04-01T00:00:00Z".parse().ok()).unwrap();
    let mut overdue = state(&before, Phase::Completed);
    overdue.rotation_period = text("P90D");
    overdue.rotation_due = rotation_due(&[due]);
    let scheduled = ClusterRotation { rotation_period: text("P90D"), ..before.clone() };
    let other_trigger = ClusterRotation { triggers: triggers(text("2")), ..before.clone() };
    let no_trigger = ClusterRotation { triggers: Attr::Null, ..before.clone() };
    let held = ClusterRotation { rotate: Attr::Known(false), ..scheduled.clone() };
    let quiet = state(&before, Phase::Completed);
    let cases = [
        (&quiet, &other_trigger, Some("triggers")),
        (&quiet, &no_trigger, Some("triggers")),
        (&overdue, &scheduled, Some("rotation_period")),
        (&overdue, &held, None),
        // A schedule that is new only stores itself.
        (&quiet, &scheduled, None),
    ];
    for (prior, config, reason) in cases {
        let decision = decided(prior, config, &private());
        let planned = &decision.state;
        let Some(reason) = reason else {
            assert!(rotation(&decision).is_none(), "{planned:?}");
            assert_eq!(planned.generation, prior.generation);
            continue;
        };
        let told = planned.rotation_reason.known().unwrap();
        assert!(told.starts_with("generation 4: ") && told.contains(reason), "{told}");
        assert_eq!(planned.generation, Attr::Known(4));
        assert_eq!(planned.phase, text(Phase::Completed.name()));
        assert!(planned.application_credential_ids.is_unknown());
        assert!(planned.ca_certificate_sha256.is_null());
    }
}

#[test]
fn a_trigger_that_is_not_known_leaves_open_whether_there_is_a_rotation() {
    let before = config("prod", "application_credential");
    let prior = state(&before, Phase::Completed);
    let unknown = ClusterRotation { triggers: triggers(Attr::Unknown), ..before };
    let planned = decided(&prior, &unknown, &private()).state;
    assert!(planned.generation.is_unknown() && planned.phase.is_unknown());
    assert!(planned.rotation_reason.is_unknown() && planned.rotation_due.is_unknown());
}

#[test]
fn what_is_unfinished_is_taken_up_and_no_generation_of_its_own() {
    let config = config("prod", "application_credential");
    for phase in [Phase::Rotating, Phase::Verifying, Phase::Restarting] {
        let prior = state(&config, phase);
        let decision = decided(&prior, &config, &private());
        assert!(resumes(&decision) && rotation(&decision).is_none());
        assert_eq!(decision.state.phase, text(Phase::Completed.name()));
        assert_eq!(decision.state.generation, prior.generation);
        // One that left no trace is sent again.
        let sending = phase == Phase::Rotating;
        assert_eq!(decision.state.started_at.is_unknown(), sending);
        assert!(decision.state.completed_at.is_unknown());
    }
}

#[test]
fn another_cluster_or_credential_is_another_resource_and_another_name_is_not() {
    let before = config("prod", "application_credential");
    let prior = state(&before, Phase::Completed);
    let replaced = |cluster: &str, credential: &str| {
        let decision = decided(&prior, &config(cluster, credential), &private());
        assert_eq!(decision.state.id.is_unknown(), !decision.requires_replace.is_empty());
        decision.requires_replace.len()
    };
    assert_eq!(replaced("prod", "application_credential"), 0);
    assert_eq!(replaced(UUID, "application_credential"), 0);
    assert_eq!(replaced("test", "application_credential"), 1);
    assert_eq!(replaced("prod", "ca_certificate"), 1);
    assert_eq!(replaced("test", "ca_certificate"), 2);
    // The default is the same as what it stands for.
    let mut unsaid = before.clone();
    unsaid.magnum = Attr::Known(Magnum { cluster: text("prod"), ..Magnum::default() });
    assert_eq!(decided(&prior, &unsaid, &private()).requires_replace, []);
}

#[test]
fn an_import_records_triggers_once_known_or_not() {
    let config = config("prod", "application_credential");
    let mut prior = state(&config, Phase::None);
    prior.triggers = Attr::Null;
    prior.generation = Attr::Known(0);
    let imported = Private { imported: true, ..private() };
    let decision = decided(&prior, &config, &imported);
    assert!(rotation(&decision).is_none());
    assert_eq!(decision.state.triggers, config.triggers);
    let unknown = ClusterRotation { triggers: triggers(Attr::Unknown), ..config.clone() };
    assert_eq!(decided(&prior, &unknown, &imported).decision.next, Next::Rest);
    assert_eq!(decision.state.phase, text(Phase::None.name()));
    assert!(rotation(&decided(&prior, &config, &private())).is_some());
}

#[test]
fn a_create_that_does_not_rotate_knows_what_it_will_be() {
    let mut config = config("prod", "application_credential");
    config.rotate_on_create = Attr::Known(false);
    let planned = create(Some(&platform(&config)), &config, config.clone());
    assert_eq!(planned.generation, Attr::Known(0));
    assert_eq!(planned.phase, text(Phase::None.name()));
    assert!(planned.started_at.is_null() && planned.completed_at.is_null());
    config.rotate_on_create = Attr::Null;
    let planned = create(Some(&platform(&config)), &config, config.clone());
    assert_eq!(planned.generation, Attr::Known(1));
    assert!(planned.phase.is_unknown() && planned.started_at.is_unknown());
    assert!(planned.expires_at.is_null());
}

fn phases() -> impl Strategy<Value = Phase> {
    prop::sample::select(vec![
        Phase::None,
        Phase::Rotating,
        Phase::Verifying,
        Phase::Restarting,
        Phase::Completed,
    ])
}

proptest! {
    #[test]
    fn a_plan_never_rotates_unasked_and_stays_as_it_was_when_made_again(
        phase in phases(),
        ca in any::<bool>(),
        before in prop::option::of("[12]"),
        after in prop::option::of("[12]"),
        due in any::<bool>(),
        rotate in prop::option::of(any::<bool>()),
        period in any::<bool>(),
        imported in any::<bool>(),
    ) {
        let credential = if ca { "ca_certificate" } else { "application_credential" };
        let some = |value: &Option<String>| {
            value.as_ref().map_or(Attr::Null, |value| triggers(text(value)))
        };
        let mut config = config("prod", credential);
        config.triggers = some(&after);
        config.rotate = rotate.into();
        config.rotation_period = if period { text("P90D") } else { Attr::Null };
        let mut prior = state(&config, phase);
        prior.triggers = some(&before);
        let deadline = "2026-04-01T00:00:00Z".parse().ok();
        let is_due = due && period;
        if is_due {
            prior.rotation_due = rotation_due(&[Due::parse("rotation_period", deadline).unwrap()]);
        }
        let private = Private { imported, ..private() };
        let decision = decided(&prior, &config, &private);

        let recorded = imported && before.is_none();
        let asked = before != after && !recorded || is_due && rotate != Some(false) && !phase.is_under_way();
        prop_assert_eq!(rotation(&decision).is_some(), asked);
        prop_assert_eq!(resumes(&decision), phase.is_under_way());
        prop_assert_eq!(decision.state.counted(), prior.counted() + u64::from(asked));
        // Terraform asks again in apply.
        let again = decided(&prior, &config, &private);
        prop_assert_eq!(format!("{again:?}"), format!("{decision:?}"));
        // What is not rotated is not said to become another.
        if !asked && !phase.is_under_way() {
            prop_assert_eq!(&decision.state.application_credential_ids, &prior.application_credential_ids);
            prop_assert_eq!(&decision.state.ca_certificate_sha256, &prior.ca_certificate_sha256);
            prop_assert_eq!(&decision.state.phase, &prior.phase);
        }
    }
}

#[test]
fn a_cluster_whose_name_is_not_known_yet_is_not_replaced_on_a_guess() {
    let before = config("prod", "application_credential");
    let prior = state(&before, Phase::Completed);
    let mut unknown = before.clone();
    let block = Magnum { cluster: Attr::Unknown, ..before.magnum.known().cloned().unwrap() };
    unknown.magnum = Attr::Known(block);
    let decision = decided(&prior, &unknown, &private());
    assert_eq!(decision.requires_replace, []);
    assert_eq!(decision.decision.next, Next::Rest);
}

#[test]
fn a_schedule_counts_from_the_sending() {
    let mut config = config("prod", "application_credential");
    config.rotation_period = text("P30D");
    let mut prior = state(&config, Phase::Completed);
    prior.started_at = text("2026-01-01T00:00:00Z");
    prior.completed_at = text("2026-01-20T00:00:00Z");
    assert_eq!(next_due(&config, &prior, &private()), text("2026-01-31T00:00:00Z"));
    // One from outside, or an import, that is later.
    let later = Private { since: "2026-01-10T00:00:00Z".parse().ok(), ..private() };
    assert_eq!(next_due(&config, &prior, &later), text("2026-02-09T00:00:00Z"));
}
