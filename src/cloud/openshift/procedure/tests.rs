use proptest::prelude::*;

use super::super::objects::{Condition, MODE, Secret};
use super::super::testing::{CLOUDS, Cluster, cluster, component, copied, key, operator};
use super::super::value::{Salt, Value};
use super::*;

const CANARY: &str = "openshift-cloud-credential-operator/cloud-credential-operator-iam-ro-creds";

/// A cluster with an operator that does what it is let do, and everything that was done to it.
#[derive(Debug)]
struct World {
    situation: Situation,
    now: Timestamp,
    version: u32,
    made: u32,
    /// What the operator will make of the root credential.
    verdict: &'static str,
    alive: bool,
    /// The cloud refuses new keys.
    refuses: bool,
    new_root: Option<NewRoot>,
    remove_root_after: bool,
    /// Effective deletions of component secrets, in their order.
    deletions: Vec<Name>,
    root_writes: u32,
    pokes: u32,
}

impl World {
    fn new(cluster: &Cluster) -> Self {
        let situation = cluster.situation();
        let verdict = match annotation(&situation) {
            Some("mint") => "mint",
            _ => "passthrough",
        };
        Self {
            situation,
            now: "2026-11-22T08:00:00Z".parse().unwrap(),
            version: 1,
            made: 0,
            verdict,
            alive: true,
            refuses: false,
            new_root: None,
            remove_root_after: false,
            deletions: Vec::new(),
            root_writes: 0,
            pokes: 0,
        }
    }

    fn mint() -> Self {
        let cluster = cluster(Platform::Aws).component("a/a").component("b/b").component(CANARY);
        let mut world = Self::new(&cluster.minted().annotated("mint"));
        world.new_root = Some(NewRoot::aws("AKIANEW", "new"));
        world
    }

    fn passthrough(platform: Platform) -> Self {
        Self::new(&cluster(platform).component("a/a").component("b/b").annotated("passthrough"))
    }

    fn begin(&self) -> Flight {
        self.begins().expect("the operator has judged the root credential")
    }

    /// None: it is refused, for nobody knows yet what the root credential is good for.
    fn begins(&self) -> Option<Flight> {
        let route = super::super::refusal::Route::of(&self.situation, self.new_root.is_some())?;
        let platform = self.situation.platform.unwrap();
        let changes = self.new_root.as_ref().map(|new| new.changes(self.situation.root.as_ref()));
        let changes_root = changes.is_some_and(|changes| !changes.is_empty());
        let salt = Salt::random().unwrap();
        Some(Flight::begin(platform, route, &self.situation, salt, changes_root, self.now))
    }

    fn next(&self, flight: &mut Flight) -> Action {
        let task = Task {
            platform: self.situation.platform.unwrap(),
            new_root: self.new_root.as_ref(),
            remove_root_after: self.remove_root_after,
            limits: Limits::default(),
        };
        next(&task, &self.situation, flight, self.now)
    }

    fn bump(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    /// What an action does to the cluster.
    fn carry_out(&mut self, action: &Action) {
        match action {
            Action::WriteRoot { data, version } => {
                assert_eq!(version.as_deref(), self.situation.root_version(), "a version is named");
                self.root_writes += 1;
                let next = self.bump();
                let root = self.situation.root.get_or_insert_with(Secret::default);
                root.data.extend(data.clone());
                root.metadata.annotations.remove(MODE);
                root.metadata.resource_version = next;
                root.metadata.uid = "root-uid".to_owned();
            }
            Action::Delete { secret, uid } => {
                let there = &self.situation.components[secret].metadata.uid;
                assert_eq!(there, uid, "a deletion names the uid that is there");
                assert_eq!(
                    annotation(&self.situation),
                    Some("mint"),
                    "{secret} is deleted without a verdict"
                );
                self.situation.components.remove(secret);
                self.deletions.push(secret.clone());
            }
            Action::Mark { request, mark } => self.annotate(request, Some(mark)),
            Action::Unmark { request } => self.annotate(request, None),
            Action::Poke { .. } => self.pokes += 1,
            Action::RemoveRoot { uid } => {
                let root = self.situation.root.take().unwrap();
                assert_eq!(root.metadata.uid, *uid);
            }
            Action::Redeploy { reason } => {
                let manager = self.situation.kube_controller_manager.as_mut().unwrap();
                manager.spec.force_redeployment_reason.clone_from(reason);
            }
            Action::Wait { .. } | Action::Stop(_) | Action::Done(_) => {}
        }
    }

    fn annotate(&mut self, name: &Name, mark: Option<&str>) {
        let request =
            self.situation.requests.iter_mut().find(|request| request.name().as_ref() == Ok(name));
        let annotations = &mut request.unwrap().metadata.annotations;
        match mark {
            Some(mark) => drop(annotations.insert(MARK.to_owned(), mark.to_owned())),
            None => drop(annotations.remove(MARK)),
        }
    }

    /// Time passes, and the operator does its work where it is alive.
    fn tick(&mut self) {
        self.now += SignedDuration::from_secs(10);
        if !self.alive {
            return;
        }
        let platform = self.situation.platform.unwrap();
        if platform.is_judged()
            && let Some(root) = &mut self.situation.root
            && root.metadata.annotation(MODE) != Some(self.verdict)
        {
            self.version += 1;
            root.metadata.annotations.insert(MODE.to_owned(), self.verdict.to_owned());
            root.metadata.resource_version = self.version.to_string();
        }
        let Some(root) = self.situation.root.clone() else { return };
        for request in &mut self.situation.requests {
            let name = request.secret().unwrap();
            let missing = !self.situation.components.contains_key(&name);
            request.status.conditions.clear();
            if self.verdict == "mint" && missing && self.refuses {
                request.status.conditions = failing();
                continue;
            }
            request.status.root_version.clone_from(&root.metadata.resource_version);
            if self.verdict == "insufficient" {
                continue;
            }
            let copies = self.verdict == "passthrough";
            if copies || missing {
                self.made += 1;
                let id = format!("of-{name}-{}", self.made);
                let data = if copies { copied(platform, &root.data) } else { key(platform, &id) };
                let before =
                    self.situation.components.get(&name).map(|secret| secret.metadata.uid.clone());
                let secret = component(&name, &request.called(), &before.unwrap_or(id), data);
                self.situation.components.insert(name, secret);
            }
        }
    }

    /// Until it is done or stops. What is asked for on the way.
    fn run(&mut self, flight: &mut Flight) -> Result<Outcome, Box<Stopped>> {
        for _ in 0..400 {
            let action = self.next(flight);
            flight.did(&action, &self.situation);
            self.carry_out(&action);
            match action {
                Action::Done(outcome) => return Ok(outcome),
                Action::Stop(stopped) => return Err(stopped),
                _ => self.tick(),
            }
        }
        panic!("it neither ends nor stops: {flight:?}");
    }

    fn stops(&mut self, flight: &mut Flight, expected: &str) -> Box<Stopped> {
        let stopped = self.run(flight).unwrap_err();
        let said = format!("{}: {stopped}", stopped.trouble.summary());
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
        assert!(!said.contains("root-secret") && !said.contains("AKIA"), "{said}");
        stopped
    }
}

fn failing() -> Vec<Condition> {
    vec![Condition {
        kind: "CredentialsProvisionFailure".to_owned(),
        status: "True".to_owned(),
        reason: "CredentialsProvisionFailure".to_owned(),
        message: "failed to grant creds: the cloud refuses".to_owned(),
        last_transition_time: "2026-11-22T08:00:30Z".parse().ok(),
    }]
}

fn names(names: &[Name]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn in_mint_mode_one_after_the_other_the_canary_first() {
    let mut world = World::mint();
    let mut flight = world.begin();
    let done = world.run(&mut flight).unwrap();
    assert_eq!(names(&world.deletions), [CANARY, "a/a", "b/b"]);
    assert_eq!(names(&done.components), [CANARY, "a/a", "b/b"]);
    assert_eq!((world.root_writes, world.pokes), (1, 0));
    assert!(Flight::marked(&world.situation).is_none(), "the mark is gone");
}

#[test]
fn a_root_that_stays_is_judged_anew_before_anything_is_deleted() {
    let mut world = World::mint();
    world.new_root = None;
    world.verdict = "insufficient";
    let mut flight = world.begin();
    world.stops(&mut flight, "insufficient");
    assert!(world.deletions.is_empty() && world.root_writes == 1);
    // Better again: the next run goes on from there.
    world.verdict = "mint";
    world.run(&mut flight.resumed()).unwrap();
    assert_eq!(world.deletions.len(), 3);
}

#[test]
fn the_first_that_is_not_made_again_stops_it() {
    let mut world = World::mint();
    world.refuses = true;
    let mut flight = world.begin();
    let stopped = world.stops(&mut flight, "secret openshift-cloud-credential-operator/cloud-credential-operator-iam-ro-creds: \
        there is no such secret; CredentialsProvisionFailure=True (CredentialsProvisionFailure): failed to grant creds: the cloud \
        refuses, since 2026-11-22T08:00:30Z");
    assert_eq!((world.deletions.len(), world.pokes), (1, 1));
    assert_eq!(names(&stopped.untouched), ["a/a", "b/b"]);
    world.refuses = false;
    world.run(&mut flight.resumed()).unwrap();
    assert_eq!(names(&world.deletions), [CANARY, "a/a", "b/b"]);
}

#[test]
fn with_a_silent_operator_nothing_is_deleted() {
    let mut world = World::mint();
    world.alive = false;
    let mut flight = world.begin();
    world.stops(&mut flight, "has not said what it makes of it");
    assert!(world.deletions.is_empty());
}

#[test]
fn turning_to_passthrough_stops_before_the_next_deletion() {
    let mut world = World::mint();
    let mut flight = world.begin();
    while world.deletions.len() < 2 {
        let action = world.next(&mut flight);
        flight.did(&action, &world.situation);
        world.carry_out(&action);
        world.tick();
    }
    world.verdict = "passthrough";
    world.tick();
    let stopped = world.stops(&mut flight, "no further one is deleted");
    assert_eq!(names(&stopped.untouched), ["b/b"]);
    assert!(stopped.trouble.advice().contains("that may create users and keys"));
    assert_eq!(world.deletions.len(), 2);
}

#[test]
fn a_root_that_can_mint_stops_passthrough_and_the_way_on_is_told_and_taken() {
    let mut world = World::passthrough(Platform::Aws);
    world.new_root = Some(NewRoot::aws("AKIANEW", "new"));
    let mut flight = world.begin();
    world.verdict = "mint";
    let stopped = world.stops(&mut flight, "the one from before is in the cluster no more");
    let advice = stopped.trouble.advice();
    assert!(advice.contains("spec.credentialsMode") && advice.contains("that may not"), "{advice}");
    world.situation.operator_mode = Some("Passthrough".to_owned());
    world.verdict = "passthrough";
    world.tick();
    world.run(&mut flight.resumed()).unwrap();
    assert!(world.deletions.is_empty());
}

#[test]
fn a_secret_that_comes_back_as_it_was_or_as_anothers_is_no_success() {
    for (expected, change) in [
        (
            "holds the key from before",
            (|secret, before| secret.data = before) as fn(&mut Secret, Data),
        ),
        ("did not write it", |secret, _| secret.metadata.annotations.clear()),
    ] {
        let mut world = World::mint();
        let before = world.situation.components[&CANARY.parse().unwrap()].data.clone();
        let mut flight = world.begin();
        while world.deletions.is_empty() || world.situation.components.len() < 3 {
            let action = world.next(&mut flight);
            flight.did(&action, &world.situation);
            world.carry_out(&action);
            world.tick();
        }
        change(world.situation.components.get_mut(&CANARY.parse().unwrap()).unwrap(), before);
        world.stops(&mut flight, expected);
        assert_eq!(world.deletions.len(), 1);
    }
}

#[test]
fn a_root_is_put_back_for_the_rotation_and_removed_again() {
    let mut world = World::mint();
    world.situation.root = None;
    world.remove_root_after = true;
    let mut flight = world.begin();
    world.run(&mut flight).unwrap();
    assert_eq!(world.deletions.len(), 3);
    assert!(world.situation.root.is_none());
}

#[test]
fn passthrough_is_done_when_every_component_has_the_copy() {
    for platform in Platform::ALL {
        let mut world = World::passthrough(platform);
        world.new_root = match platform {
            Platform::Openstack => Some(NewRoot::openstack(&CLOUDS.replace("root-secret", "next"))),
            Platform::Aws => Some(NewRoot::aws("AKIANEW", "new")),
            Platform::Gcp => Some(NewRoot::gcp(r#"{"private_key_id":"next"}"#)),
            Platform::Azure => Some(NewRoot::azure(&super::super::root::Azure {
                client_secret: Some("next"),
                ..Default::default()
            })),
            Platform::Vsphere => Some(NewRoot::vsphere(&[super::super::root::Vcenter {
                name: "vc",
                username: "u",
                password: "next",
            }])),
        };
        let mut flight = world.begin();
        let done = world.run(&mut flight).unwrap();
        assert_eq!(
            (names(&done.components), world.root_writes),
            (vec!["a/a".into(), "b/b".into()], 1)
        );
        // Once more: nothing is written where all is equal.
        let mut flight = world.begin();
        world.run(&mut flight).unwrap();
        assert_eq!(world.root_writes, 1, "{platform}");
        assert!(world.deletions.is_empty());
    }
}

#[test]
fn passthrough_waits_for_the_operator_and_says_what_is_missing() {
    let mut world = World::passthrough(Platform::Openstack);
    world.new_root = Some(NewRoot::openstack(&CLOUDS.replace("root-secret", "next")));
    world.alive = false;
    world.situation.operator = Some(operator("o", false, false, false));
    let mut flight = world.begin();
    let stopped = world
        .stops(&mut flight, "secret a/a: clouds.yaml has another value than in the root secret");
    assert_eq!(stopped.root_replaced, Some(Platform::Openstack));
    assert_eq!(world.pokes, 2, "each request is touched once");
    world.alive = true;
    world.run(&mut flight.resumed()).unwrap();
}

#[test]
fn the_cluster_operators_must_be_well_and_stay_so() {
    let mut world = World::passthrough(Platform::Openstack);
    world.new_root = Some(NewRoot::openstack(&CLOUDS.replace("root-secret", "next")));
    world.situation.operators.push(operator("bad-before", true, false, true));
    let mut flight = world.begin();
    world.situation.operators.push(operator("storage", true, true, false));
    world.stops(&mut flight, "storage: Progressing=True (Because)");
    world.situation.operators.pop();
    let done = world.run(&mut flight.resumed()).unwrap();
    assert_eq!(done.unwell, ["bad-before"], "it is told and not waited for");
    // Where nothing is written it may be the end of a rotation that a killed run began: nobody is excused.
    let mut flight = world.begin();
    world.stops(&mut flight, "bad-before: Degraded=True");
}

#[test]
fn vsphere_has_the_kube_controller_manager_redeployed_once() {
    let mut world = World::passthrough(Platform::Vsphere);
    let manager = |newest: i64, current: i64| {
        serde_json::from_value(serde_json::json!({ "status": {
            "latestAvailableRevision": newest, "nodeStatuses": [{ "nodeName": "n", "currentRevision": current }],
        } }))
        .unwrap()
    };
    world.situation.kube_controller_manager = Some(manager(6, 6));
    let mut flight = world.begin();
    world.stops(&mut flight, "no revision after 6 yet");
    let (reason, before) = flight.redeployment.clone().unwrap();
    assert!(reason.starts_with("rekey: root credential") && before == 6, "{reason}");
    let mut done = world.situation.kube_controller_manager.clone().unwrap();
    done.status = manager(7, 7).status;
    world.situation.kube_controller_manager = Some(done);
    let mut flight = flight.resumed();
    world.run(&mut flight).unwrap();
    // Another root credential since: it is redeployed for that one too.
    flight.did(&Action::WriteRoot { data: Data::new(), version: None }, &world.situation);
    assert_eq!(flight.redeployment, None);
    // A CSI driver with an operator follows the secret by itself.
    let mut world = World::passthrough(Platform::Vsphere);
    world.situation.kube_controller_manager = Some(manager(6, 6));
    world.situation.has_csi_operator = true;
    let mut flight = world.begin();
    world.run(&mut flight).unwrap();
    assert_eq!(flight.redeployment, None);
}

#[test]
fn a_root_that_somebody_else_changes_meanwhile_is_not_fought_over() {
    let mut world = World::passthrough(Platform::Openstack);
    world.new_root = Some(NewRoot::openstack(&CLOUDS.replace("root-secret", "next")));
    let mut flight = world.begin();
    let action = world.next(&mut flight);
    flight.did(&action, &world.situation);
    world.carry_out(&action);
    let root = world.situation.root.as_mut().unwrap();
    root.data.insert("clouds.yaml".to_owned(), Value::new(CLOUDS));
    let stopped = world.stops(
        &mut flight,
        "somebody else changed clouds.yaml in kube-system/openstack-credentials",
    );
    assert_eq!(stopped.root_replaced, None);
    // The next run is asked for it again, and writes it.
    world.run(&mut flight.resumed()).unwrap();
}

#[test]
fn a_mode_that_is_changed_meanwhile_stops_it() {
    let mut world = World::passthrough(Platform::Openstack);
    let mut flight = world.begin();
    world.situation.operator_mode = Some("Manual".to_owned());
    world.stops(&mut flight, "in mode manual_long_term");
}

#[test]
fn what_is_kept_of_a_flight_tells_no_key() {
    let world = World::mint();
    let flight = world.begin();
    let kept = flight.mark();
    assert_eq!(serde_json::from_str::<Flight>(&kept).unwrap(), flight);
    assert!(!kept.contains("of-a/a") && !kept.contains("AKIA"), "{kept}");
}

/// What goes wrong before a step.
#[derive(Clone, Debug)]
enum Fault {
    None,
    /// The process dies, and with it what it remembered; another one begins.
    Kill,
    /// As Kill, once the step has been carried out.
    LostAnswer,
    Dead,
    Alive,
    Refuses,
    Grants,
    Insufficient,
    Sufficient,
    /// Somebody deletes a secret.
    Hand(usize),
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        8 => Just(Fault::None),
        2 => Just(Fault::Kill),
        2 => Just(Fault::LostAnswer),
        1 => Just(Fault::Dead),
        2 => Just(Fault::Alive),
        1 => Just(Fault::Refuses),
        2 => Just(Fault::Grants),
        1 => Just(Fault::Insufficient),
        2 => Just(Fault::Sufficient),
        1 => (0..3_usize).prop_map(Fault::Hand),
    ]
}

/// What a process that knows nothing goes on from. None: it refuses, and somebody has to run it again.
fn found(world: &World) -> Option<Flight> {
    Flight::marked(&world.situation).map(Flight::resumed).or_else(|| world.begins())
}

proptest! {
    #[test]
    fn whatever_happens_no_secret_is_deleted_twice(faults in proptest::collection::vec(fault(), 0..60)) {
        let mut world = World::mint();
        let mut begun = Some(world.begin());
        let mut by_hand = 0;
        for fault in faults {
            match fault {
                Fault::Kill => begun = found(&world),
                Fault::Dead => world.alive = false,
                Fault::Alive => world.alive = true,
                Fault::Refuses => world.refuses = true,
                Fault::Grants => world.refuses = false,
                Fault::Insufficient => world.verdict = "insufficient",
                Fault::Sufficient => world.verdict = "mint",
                Fault::Hand(index) => {
                    let name = world.situation.components.keys().nth(index).cloned();
                    by_hand += usize::from(name.is_some_and(|name| world.situation.components.remove(&name).is_some()));
                }
                Fault::None | Fault::LostAnswer => {}
            }
            let Some(flight) = &mut begun else {
                begun = found(&world);
                world.tick();
                continue;
            };
            let action = world.next(flight);
            match &action {
                Action::Done(_) => break,
                // The operator applies again.
                Action::Stop(_) => *flight = flight.clone().resumed(),
                _ => {}
            }
            if let Action::Delete { .. } = action {
                let missing = 3 - world.situation.components.len();
                prop_assert!(missing <= by_hand, "one at a time");
            }
            flight.did(&action, &world.situation);
            world.carry_out(&action);
            if let Action::Unmark { .. } = action {
                // All has been done: a process that does not know asks the course, which compares with what was before.
                break;
            }
            if matches!(fault, Fault::LostAnswer) {
                begun = found(&world);
            }
            world.tick();
        }
        let mut unique = world.deletions.clone();
        unique.sort();
        unique.dedup();
        prop_assert_eq!(unique.len(), world.deletions.len(), "{:?}", world.deletions);
        // Once nothing goes wrong any more every history comes to its end.
        (world.alive, world.refuses, world.verdict) = (true, false, "mint");
        world.tick();
        if world.deletions.len() == 3 && Flight::marked(&world.situation).is_none() {
            return Ok(());
        }
        let mut flight = found(&world).expect("the operator has judged it by now");
        let before = world.deletions.len();
        let outcome = world.run(&mut flight);
        prop_assert!(outcome.is_ok(), "{:?}", outcome);
        prop_assert!(Flight::marked(&world.situation).is_none());
        prop_assert!(world.deletions.len() <= before + 3);
    }
}
