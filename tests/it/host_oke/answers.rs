//! Whatever the service answers where nobody has seen it: the rotation is started once, ends in its overlap, is
//! completed once, and every run comes to rest.

use std::collections::BTreeMap;

use rekey_sandbox::{
    AfterFailure, Bundle, CountsFrom, Etag, ExpiryMoves, NeverRotated, OkeAnswers, OkeEvent,
    Refusal, Replay, Rule,
};
use serde_json::json;

use super::{Bed, OKE, rests, trigger};
use crate::host::trouble::survive_each;
use crate::support::tools::figure;

/// Mostly waiting.
const WORKERS: usize = 8;

/// Each answer but the usual ones, with its name.
fn all() -> Vec<(String, OkeAnswers)> {
    let mut all = Vec::new();
    let mut add = |name: String, change: &dyn Fn(&mut OkeAnswers)| {
        let mut answers = OkeAnswers::default();
        change(&mut answers);
        all.push((name, answers));
    };
    add("as documented".to_owned(), &|_| {});
    for status in [200, 204] {
        add(format!("accepted with {status}"), &|a| a.accepted = status);
    }
    add("no work request is named".to_owned(), &|a| a.names_work_request = false);
    add("work requests are forgotten".to_owned(), &|a| a.keeps_work_requests = false);
    for never in [NeverRotated::Completed, NeverRotated::Nulls] {
        add(format!("{never:?}"), &|a| a.never_rotated = never);
    }
    for after in [AfterFailure::Back, AfterFailure::Failed] {
        add(format!("{after:?}"), &|a| a.after_failure = after);
    }
    for rule in [Rule::InTheWorkRequest, Rule::Nowhere] {
        add(format!("the day {rule:?}"), &|a| a.day_rule = rule);
    }
    for rule in [Rule::AtTheCall, Rule::Nowhere] {
        add(format!("nodes {rule:?}"), &|a| a.node_rule = rule);
    }
    add("counted from the issue".to_owned(), &|a| a.counts_from = CountsFrom::Issue);
    for refusal in
        [Refusal::IncorrectState, Refusal::InvalidParameter, Refusal::UnprocessableEntity]
    {
        add(format!("{refusal:?}"), &|a| a.refusal = refusal);
    }
    add("expiry moves at the issue".to_owned(), &|a| a.expiry_moves = ExpiryMoves::AtIssue);
    add("odd operation".to_owned(), &|a| "CREDENTIAL_ROTATION".clone_into(&mut a.operation_type));
    add("nothing is named as changed".to_owned(), &|a| a.action_type = None);
    add("never updating".to_owned(), &|a| a.updating = false);
    add("the status' etag".to_owned(), &|a| a.etag = Etag::Status);
    for replay in [Replay::InvalidatedRetryToken, Replay::Anew] {
        add(format!("{replay:?}"), &|a| a.replay = replay);
    }
    add("new CA first".to_owned(), &|a| a.bundle = Bundle::NewFirst);
    add("the status lags behind".to_owned(), &|a| a.status_lag = 2);
    add("no retry-after".to_owned(), &|a| a.retry_after = None);
    add("pages of one".to_owned(), &|a| a.page_size = 1);
    for (known, odd) in
        [("IN_PROGRESS", "PAUSED"), ("WAITING", "RESTING"), ("UPDATING", "ROTATING")]
    {
        add(format!("{odd} for {known}"), &|a| {
            a.instead = BTreeMap::from([(known.to_owned(), odd.to_owned())]);
        });
    }
    all
}

#[test]
fn every_answer_ends_well() {
    let all = all();
    survive_each(&all, WORKERS, async |(name, answers)| lives(name, answers).await);
    figure(&format!("OKE: {} answers that nobody has seen", all.len()));
}

/// One rotation, completed when it may be; a second one that OKE completes.
async fn lives(name: &str, answers: &OkeAnswers) {
    let bed = Bed::with(answers.clone()).await;
    let mut ws = bed.workspace(json!({}));
    assert!(rests(&mut ws, 4).await, "{name}: {:#?}", ws.plan().await.told);
    assert_eq!((bed.prod().starts, bed.prod().authorities.len()), (1, 2), "{name}");
    assert_eq!(ws.attribute(OKE, "phase"), json!("overlap"), "{name}");
    assert!(ws.attribute(OKE, "auto_completes_at").is_string(), "{name}");
    assert_eq!(ws.attribute(OKE, "ca_certificate_sha256s").as_array().unwrap().len(), 2, "{name}");

    bed.pass_hours(26);
    ws.change(OKE, json!({ "complete_generation": 1 }));
    assert!(rests(&mut ws, 4).await, "{name}: {:#?}", ws.plan().await.told);
    assert_eq!((bed.prod().completions, bed.prod().authorities.len()), (1, 1), "{name}");
    assert_eq!(ws.attribute(OKE, "phase"), json!("completed"), "{name}");

    ws.change(OKE, trigger("2"));
    assert!(rests(&mut ws, 4).await, "{name}: {:#?}", ws.plan().await.told);
    bed.pass_hours(24 * 15);
    assert!(rests(&mut ws, 4).await, "{name}: {:#?}", ws.plan().await.told);
    ws.refresh().await;
    assert_eq!((bed.prod().starts, bed.prod().completions), (2, 2), "{name}");
    assert_eq!(ws.attribute(OKE, "phase"), json!("completed"), "{name}");
    assert_eq!(ws.attribute(OKE, "generation"), json!(2), "{name}");
}

#[test]
fn a_phase_that_fails_is_told_and_tried_again_whatever_the_status_is_then() {
    let mut all = Vec::new();
    for after_failure in [AfterFailure::Stuck, AfterFailure::Back, AfterFailure::Failed] {
        for late in [false, true] {
            for completing in [false, true] {
                all.push((after_failure, late, completing));
            }
        }
    }
    survive_each(&all, WORKERS, async |(after_failure, late, completing)| {
        fails(*after_failure, *late, *completing).await;
    });
}

/// What stays in a configuration over a replacement names a rotation of the former resource.
#[tokio::test]
async fn a_generation_that_the_resource_is_created_with_completes_nothing() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "complete_generation": 1 }));
    let plan = ws.plan().await;
    plan.told.only("complete_generation has no effect yet");
    ws.apply(&plan).await.told.assert_success();
    bed.pass_hours(26);
    assert!(ws.plan().await.is_empty());
    assert_eq!((bed.prod().completions, ws.attribute(OKE, "phase")), (0, json!("overlap")));
    // Taken away and written again it is meant.
    ws.change(OKE, json!({ "complete_generation": null }));
    ws.up_well().await;
    ws.change(OKE, json!({ "complete_generation": 1 }));
    let plan = ws.plan().await;
    plan.told.only("The overlap ends with this apply");
    ws.apply(&plan).await.told.assert_success();
    assert_eq!((bed.prod().completions, ws.attribute(OKE, "phase")), (1, json!("completed")));
}

/// The apply that started it has ended when it fails: the next one says so, and the one after it starts another.
#[tokio::test]
async fn a_start_that_fails_later_is_told_and_started_again() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "rotate_on_create": false }));
    ws.up_well().await;
    let pace = |issue| OkeEvent::SetOkePace { cluster: "prod".into(), accept: 0, issue, retire: 0 };
    bed.happens(&pace(3_600));
    let short = json!({ "timeouts": { "update": "PT2S" } });
    ws.change(OKE, trigger("2")).change(OKE, short);
    let plan = ws.plan().await;
    ws.apply(&plan).await;
    assert_eq!(ws.attribute(OKE, "phase"), json!("issuing"));
    bed.happens(&OkeEvent::FailOkePhase {
        cluster: "prod".into(),
        message: "etcd did not answer".into(),
        after_effect: false,
    });
    bed.pass_hours(2);
    bed.happens(&pace(0));
    let plan = ws.plan().await;
    let told = format!("{:?}", ws.apply(&plan).await.told);
    assert!(told.contains("etcd did not answer"), "{told}");
    assert!(rests(&mut ws, 2).await, "{:#?}", ws.plan().await.told);
    assert_eq!((bed.prod().starts, ws.attribute(OKE, "phase")), (2, json!("overlap")));
    assert_eq!(ws.attribute(OKE, "generation"), json!(1));
}

async fn fails(after_failure: AfterFailure, late: bool, completing: bool) {
    let what = format!("{after_failure:?}, late: {late}, completing: {completing}");
    let bed = Bed::with(OkeAnswers { after_failure, ..OkeAnswers::default() }).await;
    let mut ws = bed.workspace(json!({ "rotate_on_create": false }));
    ws.up_well().await;
    ws.change(OKE, trigger("2"));
    let failure = || OkeEvent::FailOkePhase {
        cluster: "prod".into(),
        message: "etcd did not answer".into(),
        after_effect: late,
    };
    if completing {
        ws.up_well().await;
        bed.pass_hours(26);
        ws.change(OKE, json!({ "complete_generation": 1 }));
    }
    bed.happens(&failure());
    let plan = ws.plan().await;
    let told = ws.apply(&plan).await.told;
    if !late {
        let words = format!("{told:?}");
        assert!(words.contains("etcd did not answer"), "{what}: {words}");
    }
    assert!(rests(&mut ws, 4).await, "{what}: {:#?}", ws.plan().await.told);
    let prod = bed.prod();
    let again = usize::from(!late);
    let (starts, completions) = if completing { (1, 1) } else { (1 + again, 0) };
    assert_eq!((prod.starts, prod.completions), (starts, completions), "{what}");
    let phase = if completing { "completed" } else { "overlap" };
    assert_eq!(ws.attribute(OKE, "phase"), json!(phase), "{what}");
}
