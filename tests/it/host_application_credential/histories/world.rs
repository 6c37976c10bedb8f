//! What happens in a history, and what must hold whatever does.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rekey_sandbox::{Fault, FaultRule};
use serde_json::{Value as Json, json};

use super::super::{Bed, CI};
use crate::host::trouble;
use crate::host::{Action, Host, Plan, PlanOptions, State, Workspace};

/// None of what must hold is broken.
pub(super) type Checked = Result<(), String>;

macro_rules! ensure {
    ($holds:expr, $($told:tt)*) => {
        if !$holds {
            return Err(format!($($told)*));
        }
    };
}

#[derive(Clone, Debug)]
pub(super) enum Event {
    /// In one go, with what goes wrong at which call.
    Apply(Vec<(u64, Fault)>),
    /// The same with `-refresh=false`.
    ApplyBlind(Vec<(u64, Fault)>),
    /// The provider dies at that call, before or after its effect.
    ApplyKilled(u64, Fault),
    /// The saved plan, where the state is still the one that it was made of.
    ApplySaved(Vec<(u64, Fault)>),
    /// Somebody deletes the current credential.
    ByHand,
    /// `create_before_destroy`
    CreateFirst(bool),
    ExpiresIn(Option<i64>),
    Overlap(Option<i64>),
    Period(Option<i64>),
    Plan,
    /// By somebody who may neither see nor change the owner's credentials.
    PlanAsBob,
    RefreshOnly,
    /// A backup of the state, counted from the newest.
    Restore(usize),
    Roles(bool),
    Rotate(bool),
    Save,
    Taint,
    Trigger,
    Wait(i64),
}

/// An apply, and how things stood before it.
struct Begun {
    before: Json,
    creates: bool,
    replaces: bool,
}

/// What a consumer holds, and until when it must open.
#[derive(Clone, Debug)]
struct Held {
    id: Json,
    secret: Json,
    until: Option<Timestamp>,
}

/// What calls for a next generation since the last apply that went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Calls {
    Nothing,
    /// Time, a policy, an apply that failed: perhaps.
    Perhaps,
    /// A change of the user's, for certain.
    Certainly,
}

pub(super) struct World {
    bed: Bed,
    ws: Workspace,
    saved: Option<Plan>,
    trigger: u64,
    overlap: Option<i64>,
    calls: Calls,
    /// A policy changed: what is due by it is judged by the Read after the apply that stores it.
    moved: bool,
    /// As the last apply that went well handed it out.
    current: Option<Held>,
    /// Of those that have not been told of the next one yet.
    lagging: Vec<Held>,
    /// The last that was deleted by hand: an apply without a refresh does not see that it is gone.
    deleted: Option<String>,
    /// A create or a replacement failed: what it made may be in no state.
    untold: bool,
    /// Each with the number of creates by then: what another one makes has another mark in its name.
    backups: Vec<(State, usize)>,
    lives: usize,
    pub(super) tally: BTreeMap<&'static str, usize>,
}

fn login(bed: &Bed) -> Json {
    let mut login = bed.login("alice");
    login["openstack"]["timeout"] = json!("PT1S");
    login
}

impl World {
    pub(super) async fn new() -> Self {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "roles": ["member"],
            "triggers": { "v": "0" } }));
        ws.provider(login(&bed));
        Self {
            bed,
            ws,
            saved: None,
            trigger: 0,
            overlap: None,
            calls: Calls::Certainly,
            moved: false,
            current: None,
            lagging: Vec::new(),
            deleted: None,
            untold: false,
            backups: Vec::new(),
            lives: 0,
            tally: BTreeMap::new(),
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    fn perhaps(&mut self) {
        self.calls = self.calls.max(Calls::Perhaps);
    }

    fn exists(&self) -> bool {
        self.ws.state.object(CI).is_some()
    }

    pub(super) async fn happen(&mut self, event: &Event) -> Checked {
        let days = |days: &Option<i64>| days.map_or(Json::Null, |days| json!(format!("{days}d")));
        match event {
            Event::Apply(faults) => {
                let plan = self.planned(PlanOptions::default()).await?;
                self.apply(&plan, faults).await?;
            }
            Event::ApplyBlind(faults) => {
                let options = PlanOptions { refresh: false, ..PlanOptions::default() };
                let plan = self.planned(options).await?;
                // What is due waits for somebody who looks.
                self.moved = true;
                self.count("applies without a refresh");
                self.apply(&plan, faults).await?;
            }
            Event::ApplyKilled(call, held) => {
                let plan = self.planned(PlanOptions::default()).await?;
                Box::pin(self.apply_killed(&plan, *call, held)).await?;
            }
            Event::ApplySaved(faults) => {
                let saved = self.saved.take();
                if let Some(plan) = saved.filter(|plan| plan.serial == self.ws.state.serial) {
                    self.count("saved plans applied");
                    self.apply(&plan, faults).await?;
                }
            }
            Event::ByHand => {
                let id = self.ws.attributes(CI)["id"].as_str().map(str::to_owned);
                if let Some(id) = id.filter(|id| self.bed.ids().contains(id)) {
                    self.bed.cloud.delete_credential(&id);
                    self.current = None;
                    self.lagging.retain(|held| held.id != id.as_str());
                    self.deleted = Some(id);
                    self.perhaps();
                    self.count("deletions by hand");
                }
            }
            Event::CreateFirst(first) => drop(self.ws.create_before_destroy(CI, *first)),
            Event::ExpiresIn(length) => {
                self.change("expires_in", days(length));
                self.moved = true;
                self.perhaps();
            }
            Event::Overlap(length) => {
                self.overlap = *length;
                self.change("overlap", days(length));
                self.moved = true;
                self.perhaps();
                // What was kept for longer may end sooner now.
                self.lagging.clear();
            }
            Event::Period(length) => {
                self.change("rotation_period", days(length));
                self.moved = true;
                self.perhaps();
            }
            Event::Plan => drop(self.planned(PlanOptions::default()).await?),
            Event::PlanAsBob => self.plan_as_bob().await?,
            Event::RefreshOnly => {
                let options = PlanOptions { refresh_only: true, ..PlanOptions::default() };
                let plan = self.planned(options).await?;
                self.ws.apply(&plan).await;
            }
            Event::Restore(back) => self.restore(*back),
            Event::Roles(both) => {
                // Not `reader`, which `member` implies: nothing would have to be issued for it.
                let roles = if *both { json!(["_member_", "member"]) } else { json!(["member"]) };
                if self.ws.attributes(CI)["roles"] != roles {
                    self.calls = Calls::Certainly;
                }
                self.change("roles", roles);
            }
            Event::Rotate(rotate) => {
                self.change("rotate", json!(rotate));
                self.moved = true;
                self.perhaps();
            }
            Event::Save => self.saved = Some(self.ws.plan().await).filter(|it| !it.told.failed()),
            Event::Taint => {
                if self.exists() {
                    self.ws.taint(CI);
                    self.perhaps();
                    // A taint is a replacement, and ends all at once.
                    (self.current, self.lagging) = (None, Vec::new());
                }
            }
            Event::Trigger => {
                self.trigger += 1;
                self.change("triggers", json!({ "v": self.trigger.to_string() }));
                self.calls = Calls::Certainly;
                self.count("triggers");
            }
            Event::Wait(hours) => {
                self.bed.pass(SignedDuration::from_hours(*hours));
                self.perhaps();
            }
        }
        self.check().await
    }

    async fn planned(&mut self, options: PlanOptions) -> Result<Plan, String> {
        let plan = self.ws.plan_with(options).await;
        ensure!(!plan.told.failed(), "a plan fails: {:?}", plan.told);
        Ok(plan)
    }

    async fn plan_as_bob(&mut self) -> Checked {
        let (before, effects) = (self.ws.state.serial, self.bed.effects().len());
        self.ws.provider(self.bed.login("bob"));
        self.ws.plan().await;
        self.ws.provider(login(&self.bed));
        ensure!(self.ws.state.serial == before, "a plan changes the state");
        ensure!(self.bed.effects().len() == effects, "a plan changes the cloud");
        self.count("plans under a weaker login");
        Ok(())
    }

    fn restore(&mut self, back: usize) {
        let backup = self.backups.iter().rev().nth(back).cloned();
        let Some((state, lives)) = backup else { return };
        self.ws.state = State { serial: self.ws.state.serial + 1, ..state };
        self.untold |= lives != self.lives || !self.exists();
        // Who holds what is for whoever restored it to know.
        (self.current, self.lagging) = (None, Vec::new());
        (self.saved, self.moved) = (None, true);
        self.calls = Calls::Perhaps;
        self.count("old states put back");
    }

    fn change(&mut self, argument: &str, value: Json) {
        self.ws.change(CI, json!({ argument: value }));
        // A plan that is applied after a change of the configuration is of the former one.
        self.saved = None;
    }

    async fn apply(&mut self, plan: &Plan, faults: &[(u64, Fault)]) -> Checked {
        self.bed.cloud.reset_calls();
        for (call, fault) in faults {
            self.bed.cloud.inject(FaultRule::new(fault.clone()).at_call(*call));
        }
        let begun = self.begin(plan)?;
        let outcome = self.ws.apply(plan).await;
        self.bed.cloud.clear_faults();
        let expected = !faults.is_empty();
        ensure!(expected || !outcome.told.failed(), "it fails without a fault: {:?}", outcome.told);
        self.end(begun, outcome.told.failed()).await
    }

    async fn apply_killed(&mut self, plan: &Plan, call: u64, held: &Fault) -> Checked {
        let sockets = tempfile::tempdir().unwrap();
        let process = trouble::mortal(&self.bed.cloud, sockets.path());
        self.ws.on(&Host::new(process.clone()));
        self.bed.cloud.reset_calls();
        self.bed.cloud.inject(FaultRule::new(held.clone()).at_call(call));
        let begun = self.begin(plan)?;
        let mut failed = false;
        let run = Box::pin(async { failed = self.ws.apply(plan).await.told.failed() });
        let killed = trouble::killed_when_struck(&self.bed.cloud, &process, run).await;
        self.bed.cloud.clear_faults();
        self.ws.on(&self.bed.host);
        ensure!(failed == killed, "killed: {killed}, and failed: {failed}");
        if killed {
            self.count("kills");
        }
        self.end(begun, failed).await
    }

    fn begin(&mut self, plan: &Plan) -> Result<Begun, String> {
        let (action, before) = (plan.action(CI), self.ws.attributes(CI));
        let (creates, replaces) = (action == Action::Create, action.is_replace());
        if replaces && plan.change(CI).before()["strays"].is_object() {
            let told = plan.told.has("Strays are not revoked by destroy");
            // Of a taint the provider sees in a plan only that something is created.
            let tainted = self.ws.state.object(CI).is_some_and(|object| object.tainted);
            ensure!(told || tainted, "strays are lost untold: {before}");
            self.untold = true;
        }
        self.backups.push((self.ws.state.clone(), self.lives));
        self.lives += usize::from(creates || replaces);
        self.count("applies");
        Ok(Begun { before, creates, replaces })
    }

    async fn end(&mut self, begun: Begun, failed: bool) -> Checked {
        let Begun { before, creates, replaces } = begun;
        let after = self.ws.attributes(CI);
        if failed {
            self.count("applies that failed");
            let done = before["id"] != after["id"];
            self.calls = if done { Calls::Perhaps } else { self.calls.max(Calls::Perhaps) };
            self.untold |= creates || replaces;
            if replaces {
                // Its destroy half comes first, and may have been carried out.
                (self.current, self.lagging) = (None, Vec::new());
            }
            return Ok(());
        }
        if self.calls == Calls::Certainly {
            ensure!(before["id"] != after["id"], "what was asked for is not done: {after}");
        }
        if self.calls == Calls::Nothing {
            ensure!(before["id"] == after["id"], "a generation that nobody asked for: {after}");
        }
        if before["id"] != after["id"] {
            self.count("generations");
        }
        if replaces {
            self.lagging.clear();
        } else if before["id"] != after["id"]
            && let (Some(held), Some(days)) = (self.current.take(), self.overlap)
        {
            let over = self.bed.cloud.now() + SignedDuration::from_hours(24 * days - 1);
            let until = held.until.map_or(over, |until| until.min(over));
            self.lagging.push(Held { until: Some(until), ..held });
        }
        let until = after["expires_at"].as_str().map(|text| text.parse().unwrap());
        let handed_out = Held { id: after["id"].clone(), secret: after["secret"].clone(), until };
        self.current = Some(handed_out).filter(|held| held.id.as_str() != self.deleted.as_deref());
        self.calls = if self.moved { Calls::Perhaps } else { Calls::Nothing };
        let again = self.ws.plan().await;
        ensure!(self.moved || again.is_empty(), "not at rest after an apply: {}", again.text());
        self.moved = false;
        Ok(())
    }

    /// What holds at each moment.
    async fn check(&mut self) -> Checked {
        let now = self.bed.cloud.now();
        self.lagging.retain(|held| held.until.is_none_or(|until| now < until));
        let current = self.current.iter().filter(|held| held.until.is_none_or(|until| now < until));
        for held in current.chain(&self.lagging) {
            let opens = self.bed.opens(&held.id, &held.secret).await;
            ensure!(opens, "a consumer is refused: {held:?}, {}", self.ws.attributes(CI));
        }
        Ok(())
    }

    pub(super) async fn come_to_rest(&mut self) -> Checked {
        for _ in 0..4 {
            let plan = self.planned(PlanOptions::default()).await?;
            if plan.is_empty() && self.exists() {
                break;
            }
            self.apply(&plan, &[]).await?;
            self.check().await?;
        }
        let plan = self.ws.plan().await;
        ensure!(plan.is_empty(), "it does not come to rest: {}", plan.text());
        self.ws.refresh().await;
        let state = self.ws.attributes(CI);
        let listed = |name: &str| state[name].as_object().cloned().unwrap_or_default();
        let old = listed("previous_generations");
        let mut known: Vec<_> = old.values().filter_map(|old| old["id"].as_str()).collect();
        let strays = listed("strays");
        known.extend(strays.keys().map(String::as_str));
        known.extend(state["id"].as_str());
        let left: Vec<_> =
            self.bed.ids().into_iter().filter(|id| !known.contains(&id.as_str())).collect();
        ensure!(self.untold || left.is_empty(), "in no state: {left:?}, {state}");
        Ok(())
    }
}
