//! OKE: the rotation of a cluster's credentials as its clients see it, and what it does by itself.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Answer;
use super::oke_access::{call, id_of, path};
use crate::{
    AfterFailure, Bundle, CountsFrom, ExpiryMoves, NeverRotated, OkeAnswers, OkeEvent, Refusal,
    Replay, Rule, Sandbox,
};

const START: &str = "actions/startCredentialRotation";
const COMPLETE: &str = "actions/completeCredentialRotation";

struct Scene(Sandbox);

impl Scene {
    async fn new() -> Self {
        let sandbox = Sandbox::start().await;
        sandbox.create_oke_cluster("prod");
        Self(sandbox)
    }

    async fn with(answers: OkeAnswers) -> Self {
        let scene = Self::new().await;
        scene.0.set_oke_answers(answers);
        scene
    }

    fn start(&self, delay: &str) -> Answer {
        let body = json!({ "autoCompletionDelayDuration": delay }).to_string();
        call(&self.0, "alice", &format!("POST {}", path(&self.0, START)), &[], &body)
    }

    fn complete(&self) -> Answer {
        call(&self.0, "alice", &format!("POST {}", path(&self.0, COMPLETE)), &[], "")
    }

    fn status(&self) -> Answer {
        let request = format!("GET {}", path(&self.0, "credentialRotationStatus"));
        call(&self.0, "alice", &request, &[], "")
    }

    /// `status`, `statusDetails`.
    fn told(&self) -> (Value, Value) {
        let shown = self.status().json();
        (shown["status"].clone(), shown["statusDetails"].clone())
    }

    fn cluster(&self) -> Value {
        call(&self.0, "alice", &format!("GET {}", path(&self.0, "")), &[], "").json()
    }

    fn work(&self, answer: &Answer) -> Value {
        let id = answer.header("opc-work-request-id").unwrap();
        call(&self.0, "alice", &format!("GET /20180222/workRequests/{id}"), &[], "").json()
    }

    fn pass(&self, hours: i64) {
        self.0.advance(SignedDuration::from_hours(hours));
    }

    fn phase(&self) -> &'static str {
        self.0.oke("prod").phase.unwrap_or("none")
    }

    fn happens(&self, event: &OkeEvent) {
        self.0.happen_to_oke(event);
    }

    fn node(&self, ready: bool) {
        self.happens(&OkeEvent::SetOkeNode {
            cluster: "prod".into(),
            node: 1,
            state: if ready { "ACTIVE".into() } else { "FAILING".into() },
            error: None,
            ready,
        });
    }

    fn pace(&self, accept: i64, issue: i64, retire: i64) {
        self.happens(&OkeEvent::SetOkePace { cluster: "prod".into(), accept, issue, retire });
    }

    fn fail(&self, after_effect: bool) {
        let message = "etcd did not answer".into();
        self.happens(&OkeEvent::FailOkePhase { cluster: "prod".into(), message, after_effect });
    }
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn pair(status: &str, details: &str) -> (Value, Value) {
    (status.into(), details.into())
}

#[tokio::test]
async fn a_rotation_goes_through_its_phases_and_the_old_ca_goes_with_the_last() {
    let scene = Scene::new().await;
    scene.pace(10, 3600, 3600);
    let before = scene.0.oke("prod").authorities;
    assert_eq!(scene.status().status, 404);
    let started = scene.start("P5DT5H5M");
    assert_eq!((started.status, started.text.as_str()), (202, ""));
    assert_eq!(scene.work(&started)["status"], "ACCEPTED");
    assert_eq!(scene.told(), pair("IN_PROGRESS", "ISSUING_NEW_CREDENTIALS"));
    assert_eq!(scene.cluster()["lifecycleState"], "UPDATING");
    scene.pass(1);
    let work = scene.work(&started);
    assert_eq!((&work["status"], &work["timeFinished"]), (&json!("IN_PROGRESS"), &Value::Null));
    scene.0.advance(SignedDuration::from_secs(11));
    let work = scene.work(&started);
    assert_eq!(work["status"], "SUCCEEDED");
    assert_eq!(work["resources"][0]["actionType"], "CREATED");
    assert_eq!(scene.told(), pair("WAITING", "NEW_CREDENTIALS_ISSUED"));
    let due = time(&scene.status().json()["timeAutoCompletionScheduled"]);
    let delay = due.duration_since(time(&work["timeAccepted"]));
    assert_eq!(delay, SignedDuration::from_mins((5 * 24 + 5) * 60 + 5));
    let overlap = scene.0.oke("prod").authorities;
    assert_eq!((overlap.len(), &overlap[0]), (2, &before[0]));

    let early = scene.complete();
    assert_eq!((early.status, &early.json()["code"]), (409, &json!("Conflict")));
    scene.pass(24);
    let completed = scene.complete();
    assert_eq!(completed.status, 202);
    assert_eq!(scene.told(), pair("IN_PROGRESS", "RETIRING_OLD_CREDENTIALS"));
    scene.pass(2);
    assert_eq!(scene.work(&completed)["status"], "SUCCEEDED");
    assert_eq!(scene.told(), pair("COMPLETED", "COMPLETED"));
    let cluster = scene.cluster();
    assert_eq!(cluster["lifecycleState"], "ACTIVE");
    assert_eq!(scene.0.oke("prod").authorities, overlap[1..]);
    let expires = time(&cluster["metadata"]["timeCredentialExpiration"]);
    let left = expires.duration_since(scene.0.now()).as_hours() / 24;
    assert!((1820..1826).contains(&left), "{left} days");
}

#[tokio::test]
async fn a_kubeconfig_of_the_overlap_has_both_cas_and_later_one() {
    let scene = Scene::new().await;
    let bundle = || {
        let request = format!("POST {}", path(&scene.0, "kubeconfig/content"));
        let answer = call(&scene.0, "alice", &request, &[], r#"{"tokenVersion":"2.0.0"}"#);
        assert_eq!(answer.header("content-type"), Some("application/x-yaml"));
        let line = answer.text.lines().find(|line| line.contains("certificate-authority-data"));
        let data = line.unwrap().rsplit(' ').next().unwrap().to_owned();
        let pems = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, data).unwrap();
        let pems = String::from_utf8(pems).unwrap();
        let place = |pem: &String| pems.find(pem.as_str());
        (
            pems.matches("BEGIN CERTIFICATE").count(),
            scene.0.oke("prod").authorities.iter().map(place).collect::<Vec<_>>(),
        )
    };
    assert_eq!(bundle(), (1, vec![Some(0)]));
    scene.start("P1D");
    let (count, places) = bundle();
    assert!(count == 2 && places[0] < places[1], "{places:?}");
    scene.0.set_oke_answers(OkeAnswers { bundle: Bundle::NewFirst, ..OkeAnswers::default() });
    let (count, places) = bundle();
    assert!(count == 2 && places[0] > places[1], "{places:?}");
    scene.pass(25);
    assert_eq!(bundle(), (1, vec![Some(0)]));
}

#[tokio::test]
async fn nobody_completes_it_so_oke_does_at_the_date() {
    let scene = Scene::new().await;
    scene.start("P14D");
    scene.pass(14 * 24 - 1);
    assert_eq!(scene.phase(), "NEW_CREDENTIALS_ISSUED");
    scene.pass(2);
    assert_eq!((scene.phase(), scene.0.oke("prod").completions), ("COMPLETED", 1));
    assert_eq!(scene.0.oke("prod").work.len(), 2);
}

#[tokio::test]
async fn ninety_days_before_expiry_oke_begins_and_three_days_before_it_completes() {
    let scene = Scene::new().await;
    // Nodes and versions do not matter to it.
    scene.node(false);
    let expires = scene.0.oke("prod").expires_at;
    let until = |days: i64| expires - SignedDuration::from_hours(24 * days);
    let go = |to: Timestamp| scene.0.advance(to.duration_since(scene.0.now()));
    go(until(91));
    assert_eq!(scene.phase(), "none");
    go(until(89));
    let seen = scene.0.oke("prod");
    assert_eq!((seen.phase, seen.starts), (Some("NEW_CREDENTIALS_ISSUED"), 1));
    assert_eq!(seen.completes_at, Some(until(3)));
    go(until(2));
    assert_eq!(scene.phase(), "COMPLETED");

    // Twenty years at once are the same as twenty years one by one.
    scene.pass(24 * 365 * 20);
    let seen = scene.0.oke("prod");
    assert_eq!((seen.starts, seen.completions), (5, 5));
    assert!(seen.expires_at > scene.0.now());
}

#[tokio::test]
async fn where_little_time_is_left_or_none_it_completes_at_once() {
    for days in [2, -1] {
        let scene = Scene::new().await;
        let (cluster, seconds) = ("prod".into(), days * 86_400);
        scene.happens(&OkeEvent::SetOkeExpiry { cluster, seconds });
        let seen = scene.0.oke("prod");
        assert_eq!((seen.phase, seen.completions), (Some("COMPLETED"), 1), "{days}");
        assert!(seen.expires_at.duration_since(scene.0.now()) > SignedDuration::from_hours(24));
    }
    let scene = Scene::new().await;
    scene.happens(&OkeEvent::SetOkeAutomatic { cluster: "prod".into(), automatic: false });
    scene.happens(&OkeEvent::SetOkeExpiry { cluster: "prod".into(), seconds: -60 });
    assert_eq!(scene.phase(), "none");
}

#[tokio::test]
async fn a_node_that_is_not_ready_pauses_a_phase_for_a_day_at_most() {
    let scene = Scene::new().await;
    scene.pace(0, 3600, 0);
    let started = scene.start("P5D");
    scene.node(false);
    scene.pass(20);
    assert_eq!(scene.work(&started)["status"], "IN_PROGRESS");
    scene.node(true);
    scene.pass(2);
    assert_eq!(scene.work(&started)["status"], "SUCCEEDED");
    let logs = scene.0.oke("prod").work[0].logs.join("\n");
    assert!(logs.contains("Paused") && logs.contains("going on"), "{logs}");

    let scene = Scene::new().await;
    scene.node(false);
    let started = scene.start("P5D");
    scene.pass(25);
    assert_eq!(scene.work(&started)["status"], "FAILED");
    assert_eq!(scene.0.oke("prod").authorities.len(), 1);
    let id = started.header("opc-work-request-id").unwrap();
    let of = scene.0.oci("alice").compartment;
    let request = format!("GET /20180222/workRequests/{id}/errors?compartmentId={of}");
    let errors = call(&scene.0, "alice", &request, &[], "").json();
    assert!(errors[0]["message"].as_str().unwrap().contains("READY for 24 hours"), "{errors}");
}

#[tokio::test]
async fn each_call_that_does_not_suit_is_refused_in_each_way() {
    for (refusal, status, code) in [
        (Refusal::Conflict, 409, "Conflict"),
        (Refusal::IncorrectState, 409, "IncorrectState"),
        (Refusal::InvalidParameter, 400, "InvalidParameter"),
        (Refusal::UnprocessableEntity, 422, "UnprocessableEntity"),
    ] {
        let node_rule = Rule::AtTheCall;
        let scene = Scene::with(OkeAnswers { node_rule, refusal, ..OkeAnswers::default() }).await;
        let is_refused = |answer: Answer| {
            assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)));
        };
        is_refused(scene.complete());
        scene.node(false);
        is_refused(scene.start("P5D"));
        scene.node(true);
        assert_eq!(scene.start("P5D").status, 202);
        is_refused(scene.start("P5D"));
        is_refused(scene.complete());
    }
    for (version, virtual_nodes) in [("v1.19.7", false), ("v1.33.1", true)] {
        let scene = Scene::new().await;
        scene.happens(&OkeEvent::CreateOkeCluster {
            name: "other".into(),
            kubernetes_version: Some(version.into()),
            nodes: None,
            virtual_nodes,
        });
        let id = id_of(&scene.0, "other");
        let request = format!("POST /20180222/clusters/{id}/{START}");
        let body = json!({ "autoCompletionDelayDuration": "P5D" }).to_string();
        assert_eq!(call(&scene.0, "alice", &request, &[], &body).status, 409);
    }
}

#[tokio::test]
async fn a_delay_is_from_one_day_to_ninety() {
    let scene = Scene::new().await;
    for delay in ["P0D", "PT23H", "P90DT1M", "P91D", "P2W", "P1M", "14d", "", "-P5D"] {
        let answer = scene.start(delay);
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (400, Some("InvalidParameter")),
            "{delay}"
        );
    }
    assert_eq!(scene.start("PT24H").status, 202);
}

#[tokio::test]
async fn a_cluster_bears_one_work_request_at_a_time() {
    let scene = Scene::new().await;
    scene.happens(&OkeEvent::BeginOkeWork { cluster: "prod".into(), seconds: 60 });
    let refused = scene.start("P5D");
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("Conflict")));
    scene.pass(1);
    assert_eq!(scene.start("P5D").status, 202);
    scene.happens(&OkeEvent::SetOkeState {
        cluster: "prod".into(),
        state: "FAILED".into(),
        details: None,
    });
    assert_eq!(scene.start("P5D").status, 409);
}

#[tokio::test]
async fn a_phase_that_fails_leaves_the_old_credentials_and_a_status_of_either_kind() {
    for (after_failure, issuing, retiring) in [
        (AfterFailure::Stuck, "ISSUING_NEW_CREDENTIALS", "RETIRING_OLD_CREDENTIALS"),
        (AfterFailure::Back, "none", "NEW_CREDENTIALS_ISSUED"),
        (AfterFailure::Failed, "FAILED", "FAILED"),
    ] {
        let scene = Scene::with(OkeAnswers { after_failure, ..OkeAnswers::default() }).await;
        let before = scene.0.oke("prod").authorities;
        scene.fail(false);
        let started = scene.start("P5D");
        assert_eq!(scene.work(&started)["status"], "FAILED");
        assert_eq!((scene.phase(), scene.0.oke("prod").authorities), (issuing, before));
        assert_eq!(scene.start("P5D").status, 202);
        scene.pass(25);
        scene.fail(false);
        let completed = scene.complete();
        assert_eq!(scene.work(&completed)["status"], "FAILED");
        assert_eq!((scene.phase(), scene.0.oke("prod").authorities.len()), (retiring, 2));
        assert_eq!(scene.complete().status, 202);
        assert_eq!((scene.phase(), scene.0.oke("prod").authorities.len()), ("COMPLETED", 1));
    }
    // Late: the effect is there, and the work request says that it failed.
    let scene = Scene::new().await;
    scene.fail(true);
    let started = scene.start("P5D");
    assert_eq!(scene.work(&started)["status"], "FAILED");
    assert_eq!(scene.phase(), "NEW_CREDENTIALS_ISSUED");
}

#[tokio::test]
async fn a_retry_token_is_answered_in_each_way() {
    for (replay, status, starts) in
        [(Replay::Same, 202, 1), (Replay::InvalidatedRetryToken, 409, 1), (Replay::Anew, 409, 1)]
    {
        let scene = Scene::with(OkeAnswers { replay, ..OkeAnswers::default() }).await;
        let request = format!("POST {}", path(&scene.0, START));
        let body = json!({ "autoCompletionDelayDuration": "P5D" }).to_string();
        let send = || call(&scene.0, "alice", &request, &[("opc-retry-token", "t")], &body);
        let (first, second) = (send(), send());
        assert_eq!((first.status, second.status), (202, status), "{replay:?}");
        if replay == Replay::Same {
            let id = |answer: &Answer| answer.header("opc-work-request-id").map(str::to_owned);
            assert_eq!(id(&first), id(&second));
        }
        assert_eq!(scene.0.oke("prod").starts, starts);
    }
}

#[tokio::test]
async fn what_nobody_has_seen_can_be_told_in_each_way() {
    let with = |change: fn(&mut OkeAnswers)| {
        let mut answers = OkeAnswers::default();
        change(&mut answers);
        Scene::with(answers)
    };
    let scene = with(|a| a.never_rotated = NeverRotated::Completed).await;
    assert_eq!(scene.told(), pair("COMPLETED", "COMPLETED"));
    let scene = with(|a| a.never_rotated = NeverRotated::Nulls).await;
    assert_eq!(scene.told(), (Value::Null, Value::Null));

    let scene = with(|a| (a.accepted, a.names_work_request) = (204, false)).await;
    let started = scene.start("P5D");
    assert_eq!((started.status, started.header("opc-work-request-id")), (204, None));

    let scene = with(|a| a.status_lag = 2).await;
    scene.start("P5D");
    scene.pass(1);
    for _ in 0..2 {
        assert_eq!(scene.told(), pair("IN_PROGRESS", "ISSUING_NEW_CREDENTIALS"));
    }
    assert_eq!(scene.told(), pair("WAITING", "NEW_CREDENTIALS_ISSUED"));

    let scene = with(|a| drop(a.instead.insert("WAITING".into(), "RESTING".into()))).await;
    scene.start("P5D");
    assert_eq!(scene.told(), pair("RESTING", "NEW_CREDENTIALS_ISSUED"));

    let scene = with(|a| a.expiry_moves = ExpiryMoves::AtIssue).await;
    let before = scene.cluster()["metadata"]["timeCredentialExpiration"].clone();
    scene.pass(24);
    scene.start("P5D");
    assert_ne!(scene.cluster()["metadata"]["timeCredentialExpiration"], before);

    let scene = with(|a| a.counts_from = CountsFrom::Issue).await;
    scene.pace(0, 3600 * 20, 0);
    scene.start("P5D");
    scene.pass(25);
    assert_eq!(scene.complete().status, 409);
    scene.pass(20);
    assert_eq!(scene.complete().status, 202);

    let scene = with(|a| a.day_rule = Rule::InTheWorkRequest).await;
    scene.start("P5D");
    let completed = scene.complete();
    assert_eq!((completed.status, &scene.work(&completed)["status"]), (202, &json!("FAILED")));
    let scene = with(|a| a.day_rule = Rule::Nowhere).await;
    scene.start("P5D");
    scene.complete();
    assert_eq!(scene.phase(), "COMPLETED");

    let scene = with(|a| a.keeps_work_requests = false).await;
    let started = scene.start("P5D");
    assert_eq!(scene.work(&started)["code"], "NotAuthorizedOrNotFound");
}
