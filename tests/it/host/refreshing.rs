//! `terraform plan`: validates, moves, refreshes and plans every object, on as many provider
//! connections as the real one makes, ten objects at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::json::{unknown, view};
use super::plan::{Change, Plan, PlanOptions};
use super::planning::{Wanted, plan_change, plan_destroy};
use super::reference;
use super::report::{Diag, Told};
use super::state::{Instance, State};
use super::walk::Walk;
use super::workspace::{ImportTarget, Workspace};

/// Terraform's default.
const PARALLELISM: usize = 10;

/// What is to be found out about one address.
struct Visit {
    address: String,
    instance: Instance,
    import: Option<ImportTarget>,
    /// None: the object is to go.
    wanted: Option<Wanted>,
    refresh: bool,
    plan: bool,
}

/// What was found out.
struct Visited {
    address: String,
    instance: Instance,
    changes: Vec<Change>,
    told: Told,
}

impl Workspace {
    /// `terraform plan` with arguments.
    pub async fn plan_with(&self, options: PlanOptions) -> Plan {
        let mut plan = Plan {
            changes: Vec::new(),
            told: Told::default(),
            drift: BTreeMap::new(),
            serial: self.state.serial,
            refreshed: self.state.clone(),
            refresh_only: options.refresh_only,
            state_changes: false,
            blocks: self.blocks.iter().cloned().collect(),
        };
        if self.make_plan(&options, &mut plan).await.is_some() {
            self.note_drift(&mut plan);
        }
        let mut told = Told::default();
        for diag in std::mem::take(&mut plan.told.0) {
            // The validating walk says again what the planning one says.
            let again = |it: &Diag| it.call.starts_with("Validate") && *it == diag;
            if !told.0.iter().any(again) {
                told.0.push(diag);
            }
        }
        plan.told = told;
        plan
    }

    async fn make_plan(&self, options: &PlanOptions, plan: &mut Plan) -> Option<()> {
        let provider = options.provider.as_ref().unwrap_or(&self.provider);
        self.validate(provider, &mut plan.told).await?;
        if !self.moved.is_empty() && !self.host.cli.moves_configured() {
            let walk = self.host.walk(false).await;
            let moved = self.take_over(&walk, &mut plan.refreshed, &mut plan.told).await;
            walk.close().await;
            moved?;
        }
        if options.destroy && options.refresh && !plan.refreshed.instances.is_empty() {
            // Core makes a whole normal plan first; of its messages only failures are told.
            let mut hidden = Told::default();
            let normal = PlanOptions { destroy: false, ..options.clone() };
            let changes = self.pass(provider, &normal, &mut plan.refreshed, &mut hidden).await;
            if changes.is_none() || hidden.failed() {
                plan.told.append(hidden);
                return None;
            }
        }
        let refresh = options.refresh && !options.destroy;
        let options = PlanOptions { refresh, ..options.clone() };
        let changes = self.pass(provider, &options, &mut plan.refreshed, &mut plan.told).await?;
        for change in changes.iter().filter(|change| self.prevented(change)) {
            let detail = "the plan would destroy it, and prevent_destroy is set";
            plan.told.error("plan", &change.address, "Instance cannot be destroyed", detail);
        }
        plan.changes = changes;
        Some(())
    }

    async fn validate(&self, provider: &Json, told: &mut Told) -> Option<()> {
        let walk = self.host.walk(false).await;
        let config = super::json::config(provider, &walk.schemas.provider);
        let mut fine = walk.validate_provider(&config, told).await;
        for (address, block) in &self.blocks {
            let config = reference::resolve(&block.config, &|_| unknown());
            let config = super::json::config(&config, &walk.resource(address).block);
            fine = fine.and(walk.validate_resource(address, &config, told).await);
        }
        walk.close().await;
        fine
    }

    async fn take_over(&self, walk: &Walk, state: &mut State, told: &mut Told) -> Option<()> {
        for (address, source) in &self.moved {
            assert!(state.object(address).is_none(), "{address} is already there");
            let held = walk.move_state(address, source, told).await?;
            state.put(address, held.store(walk.resource(address)));
        }
        Some(())
    }

    /// One walk over everything.
    async fn pass(
        &self,
        provider: &Json,
        options: &PlanOptions,
        state: &mut State,
        told: &mut Told,
    ) -> Option<Vec<Change>> {
        let walk = self.host.walk(false).await;
        let changes = self.pass_on(&walk, provider, options, state, told).await;
        walk.close().await;
        changes
    }

    async fn pass_on(
        &self,
        walk: &Walk,
        provider: &Json,
        options: &PlanOptions,
        state: &mut State,
        told: &mut Told,
    ) -> Option<Vec<Change>> {
        self.configure(walk, provider, told).await?;
        if self.host.cli.moves_configured() {
            self.take_over(walk, state, told).await?;
        }
        let mut changes: Vec<Change> = Vec::new();
        let mut batch = Vec::new();
        for (address, block) in &self.blocks {
            if !reference::sources(&block.config).is_empty() {
                run(walk, std::mem::take(&mut batch), state, &mut changes, told).await?;
            }
            let wanted = (!options.destroy && !options.refresh_only).then(|| {
                self.wanted(walk, address, block, &options.replace, &|source| {
                    planned_attributes(source, &changes, state)
                })
            });
            let mut visit = visit(address, state, options, wanted);
            visit.import = self.imports.get(address).filter(|_| !options.destroy).cloned();
            batch.push(visit);
        }
        let orphans = state.instances.keys().filter(|it| !plan_has(&self.blocks, it));
        batch.extend(orphans.map(|address| visit(address, state, options, None)));
        run(walk, batch, state, &mut changes, told).await?;
        Some(changes)
    }

    fn note_drift(&self, plan: &mut Plan) {
        plan.state_changes = self.state.instances != plan.refreshed.instances;
        for address in self.state.instances.keys() {
            let (was, is) = (self.state.attributes(address), plan.refreshed.attributes(address));
            if was != is {
                plan.drift.insert(address.clone(), (was, is));
            }
        }
    }
}

fn plan_has<T>(blocks: &[(String, T)], address: &str) -> bool {
    blocks.iter().any(|(known, _)| known == address)
}

fn visit(address: &str, state: &State, options: &PlanOptions, wanted: Option<Wanted>) -> Visit {
    Visit {
        address: address.to_owned(),
        instance: state.instances.get(address).cloned().unwrap_or_default(),
        import: None,
        wanted,
        refresh: options.refresh,
        plan: !options.refresh_only,
    }
}

/// What an expression sees of another object during a plan.
fn planned_attributes(address: &str, changes: &[Change], state: &State) -> Json {
    changes
        .iter()
        .find(|change| change.address == address && change.deposed.is_none())
        .map_or_else(|| state.attributes(address), |change| view(&change.after))
}

/// Visits objects that do not refer to each other.
async fn run(
    walk: &Walk,
    batch: Vec<Visit>,
    state: &mut State,
    changes: &mut Vec<Change>,
    told: &mut Told,
) -> Option<()> {
    let places = Arc::new(Semaphore::new(PARALLELISM));
    let mut tasks = JoinSet::new();
    for (position, visit) in batch.into_iter().enumerate() {
        let (walk, places) = (walk.clone(), Arc::clone(&places));
        tasks.spawn(async move {
            let _place = places.acquire().await;
            (position, visit.run(&walk).await)
        });
    }
    let mut all = BTreeMap::new();
    while let Some(done) = tasks.join_next().await {
        let (position, visited) =
            done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        all.insert(position, visited);
    }
    let mut fine = Some(());
    for visited in all.into_values() {
        if visited.told.failed() {
            fine = None;
        }
        told.append(visited.told);
        changes.extend(visited.changes);
        let empty = visited.instance.current.is_none() && visited.instance.deposed.is_empty();
        if empty {
            state.instances.remove(&visited.address);
        } else {
            state.instances.insert(visited.address, visited.instance);
        }
    }
    fine
}

impl Visit {
    async fn run(self, walk: &Walk) -> Visited {
        let mut visited = Visited {
            address: self.address.clone(),
            instance: self.instance.clone(),
            changes: Vec::new(),
            told: Told::default(),
        };
        let _ = self.current(walk, &mut visited).await;
        let _ = self.deposed(walk, &mut visited).await;
        visited
    }

    async fn current(&self, walk: &Walk, visited: &mut Visited) -> Option<()> {
        let address = self.address.as_str();
        let told = &mut visited.told;
        let resource = walk.resource(address);
        let mut imported = false;
        let mut held = match (&self.instance.current, &self.import) {
            (Some(object), _) => Some(walk.load(address, object, told).await?),
            (None, Some(target)) => {
                imported = true;
                let held = walk.import(address, target, told).await?;
                let read = walk.read(address, &held, told).await?;
                if read.value.is_null() {
                    let summary = "Cannot import non-existent remote object";
                    told.error("ReadResource", address, summary, &format!("{target:?}"));
                    return None;
                }
                Some(read)
            }
            (None, None) => None,
        };
        if self.refresh
            && !imported
            && let Some(stored) = &held
        {
            let read = walk.read(address, stored, told).await?;
            held = (!read.value.is_null()).then_some(read);
        }
        visited.instance.current = held.as_ref().and_then(|held| held.store(resource));
        if !self.plan {
            return Some(());
        }
        match (&self.wanted, held) {
            (Some(wanted), held) => {
                let mut change = plan_change(walk, wanted, held.as_ref(), None, told).await?;
                change.imported = imported;
                visited.changes.push(change);
            }
            (None, Some(held)) => {
                visited.changes.push(plan_destroy(walk, address, &held, None, told).await?);
            }
            (None, None) => {}
        }
        Some(())
    }

    async fn deposed(&self, walk: &Walk, visited: &mut Visited) -> Option<()> {
        let address = self.address.as_str();
        let told = &mut visited.told;
        for (key, object) in &self.instance.deposed {
            let mut held = walk.load(address, object, told).await?;
            if self.refresh {
                held = walk.read(address, &held, told).await?;
                let Some(object) = held.store(walk.resource(address)) else {
                    visited.instance.deposed.remove(key);
                    continue;
                };
                visited.instance.deposed.insert(key.clone(), object);
            }
            if self.plan {
                let change = plan_destroy(walk, address, &held, Some(key), told).await?;
                visited.changes.push(change);
            }
        }
        Some(())
    }
}
