//! A working directory: configuration and state, and the commands that a user gives there.

use std::collections::BTreeMap;
use std::future::Future;

use serde_json::{Value as Json, json};

use super::Host;
use super::applying::{apply_change, apply_destroy, apply_destroy_deposed};
use super::json;
use super::plan::{Action, Change, Plan, PlanOptions};
use super::planning::Wanted;
use super::reference;
use super::report::Told;
use super::state::{Object, State};
use super::walk::Walk;

/// What an `import` block or command names.
#[derive(Clone, Debug)]
pub enum ImportTarget {
    Id(String),
    Identity(Json),
}

/// A stored object of another type, of which a `moved` block makes one of ours.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// Namespace and type: `terraform-provider-openstack/openstack`.
    pub provider: String,
    pub type_name: String,
    pub schema_version: i64,
    pub attributes: Json,
    pub private: Vec<u8>,
}

/// One `resource` block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) config: Json,
    pub(super) create_before_destroy: bool,
    pub(super) prevent_destroy: bool,
}

/// What came of an apply.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub told: Told,
    /// What was carried out, in order: address and action.
    pub done: Vec<(String, Action)>,
}

/// A working directory.
#[derive(Clone)]
pub struct Workspace {
    pub(super) host: Host,
    pub(super) provider: Json,
    /// In the order of their declaration: a block may refer to earlier ones.
    pub(super) blocks: Vec<(String, Block)>,
    pub(super) imports: BTreeMap<String, ImportTarget>,
    pub(super) moved: BTreeMap<String, Foreign>,
    finals: BTreeMap<String, Json>,
    pub state: State,
}

impl Workspace {
    pub(super) fn new(host: Host) -> Self {
        Self {
            host,
            provider: json!({}),
            blocks: Vec::new(),
            imports: BTreeMap::new(),
            moved: BTreeMap::new(),
            finals: BTreeMap::new(),
            state: State::default(),
        }
    }

    /// Goes on with another binary, another CLI, another login.
    pub fn on(&mut self, host: &Host) -> &mut Self {
        self.host = host.clone();
        self
    }

    /// Writes the `provider` block.
    pub fn provider(&mut self, config: Json) -> &mut Self {
        self.provider = config;
        self
    }

    /// Writes a `resource` block, anew or in place of the one at this address.
    pub fn resource(&mut self, address: &str, config: Json) -> &mut Self {
        if let Some((_, block)) = self.blocks.iter_mut().find(|(known, _)| known == address) {
            block.config = config;
        } else {
            let block = Block { config, create_before_destroy: false, prevent_destroy: false };
            self.blocks.push((address.to_owned(), block));
        }
        self
    }

    /// Changes some arguments of a block; null takes one out.
    pub fn change(&mut self, address: &str, arguments: Json) -> &mut Self {
        let mut config = self.block(address).config.clone();
        for (name, value) in arguments.as_object().expect("arguments are a JSON object") {
            match value {
                Json::Null => drop(config.as_object_mut().unwrap().remove(name)),
                value => config[name] = value.clone(),
            }
        }
        self.resource(address, config)
    }

    /// Takes a block out: its object is to be destroyed.
    pub fn remove(&mut self, address: &str) -> &mut Self {
        self.blocks.retain(|(known, _)| known != address);
        self
    }

    pub fn create_before_destroy(&mut self, address: &str, on: bool) -> &mut Self {
        self.block_mut(address).create_before_destroy = on;
        self
    }

    pub fn prevent_destroy(&mut self, address: &str, on: bool) -> &mut Self {
        self.block_mut(address).prevent_destroy = on;
        self
    }

    /// Writes an `import` block; the next apply uses it up.
    pub fn import_block(&mut self, address: &str, target: ImportTarget) -> &mut Self {
        self.imports.insert(address.to_owned(), target);
        self
    }

    /// Writes a `moved` block whose source is of another type; the next plan asks for it.
    pub fn moved(&mut self, address: &str, source: Foreign) -> &mut Self {
        self.moved.insert(address.to_owned(), source);
        self
    }

    /// What a planned configuration is at apply: unknown parts known, ephemeral parts given again.
    pub fn becomes(&mut self, address: &str, arguments: Json) -> &mut Self {
        self.finals.insert(address.to_owned(), arguments);
        self
    }

    /// `terraform taint`
    pub fn taint(&mut self, address: &str) -> &mut Self {
        let instance = self.state.instances.get_mut(address).expect("something to taint");
        instance.current.as_mut().expect("something to taint").tainted = true;
        self.state.serial += 1;
        self
    }

    /// The stored attributes; null where there is nothing.
    pub fn attributes(&self, address: &str) -> Json {
        self.state.attributes(address)
    }

    /// One stored attribute.
    #[track_caller]
    pub fn attribute(&self, address: &str, name: &str) -> Json {
        let attributes = self.attributes(address);
        attributes.get(name).unwrap_or_else(|| panic!("no {name} in {attributes}")).clone()
    }

    /// `terraform plan`
    pub async fn plan(&self) -> Plan {
        self.plan_with(PlanOptions::default()).await
    }

    /// `terraform apply` in one go: plans, and carries the plan out.
    pub async fn up(&mut self) -> Outcome {
        let plan = self.plan().await;
        plan.told.assert_success();
        self.apply(&plan).await
    }

    /// The same, where nothing may go wrong.
    pub async fn up_well(&mut self) -> Outcome {
        let outcome = self.up().await;
        outcome.told.assert_success();
        outcome
    }

    /// `terraform apply -refresh-only`
    pub async fn refresh(&mut self) -> Told {
        let options = PlanOptions { refresh_only: true, ..PlanOptions::default() };
        let plan = self.plan_with(options).await;
        plan.told.assert_success();
        let told = plan.told.clone();
        self.apply(&plan).await.told.assert_success();
        told
    }

    /// `terraform destroy`
    pub async fn destroy(&mut self) -> Outcome {
        let plan = self.plan_with(PlanOptions { destroy: true, ..PlanOptions::default() }).await;
        plan.told.assert_success();
        self.apply(&plan).await
    }

    /// `terraform import ADDRESS ID`: into the state at once.
    pub async fn import(&mut self, address: &str, id: &str) -> Told {
        let mut told = Told::default();
        assert!(self.state.object(address).is_none(), "{address} is already managed");
        let walk = self.host.walk(false).await;
        if let Some(object) = self.import_object(&walk, address, id, &mut told).await {
            self.state.put(address, Some(object));
            self.state.serial += 1;
        }
        walk.close().await;
        told
    }

    async fn import_object(
        &self,
        walk: &Walk,
        address: &str,
        id: &str,
        told: &mut Told,
    ) -> Option<Object> {
        self.configure(walk, &self.provider, told).await?;
        let held = walk.import(address, &ImportTarget::Id(id.to_owned()), told).await?;
        let read = walk.read(address, &held, told).await?;
        if read.value.is_null() {
            let summary = "Cannot import non-existent remote object";
            told.error("ReadResource", address, summary, id);
        }
        read.store(walk.resource(address))
    }

    /// Carries a plan out: right away, or much later. A plan of an older state is stale.
    pub async fn apply(&mut self, plan: &Plan) -> Outcome {
        self.apply_and(plan, std::future::pending()).await
    }

    /// The same, with Ctrl-C as soon as `interrupt` is ready.
    pub async fn apply_and(&mut self, plan: &Plan, interrupt: impl Future<Output = ()>) -> Outcome {
        assert!(!plan.told.failed(), "a plan with errors cannot be applied: {:#?}", plan.told);
        assert_eq!(plan.serial, self.state.serial, "Saved plan is stale");
        let mut outcome = Outcome { told: Told::default(), done: Vec::new() };
        let before = self.state.clone();
        self.state.instances.clone_from(&plan.refreshed.instances);
        if !plan.refresh_only {
            let walk = self.host.walk(true).await;
            let stop = async {
                interrupt.await;
                walk.stop().await;
                std::future::pending::<()>().await;
            };
            let mut state = std::mem::take(&mut self.state);
            tokio::select! {
                () = self.carry_out(&walk, plan, &mut state, &mut outcome) => {}
                () = stop => {}
            }
            self.state = state;
            walk.close().await;
            self.imports.clear();
        }
        self.moved.clear();
        self.finals.clear();
        let changed = self.state.instances != before.instances;
        self.state.serial = before.serial + u64::from(changed);
        outcome
    }

    async fn carry_out(&self, walk: &Walk, plan: &Plan, state: &mut State, outcome: &mut Outcome) {
        let told = &mut outcome.told;
        if self.configure(walk, &self.provider, told).await.is_none() {
            return;
        }
        let destroys = plan.changes.iter().rev().filter(|change| {
            change.deposed.is_none()
                && matches!(change.action, Action::Delete | Action::DeleteThenCreate)
        });
        let mut failed = Vec::new();
        for change in destroys {
            if walk.stopped() {
                return;
            }
            outcome.done.push((change.address.clone(), Action::Delete));
            if apply_destroy(walk, change, state, told).await.is_none() {
                failed.push(change.address.clone());
            }
        }
        for change in plan.changes.iter().filter(|it| it.deposed.is_none()) {
            if walk.stopped() {
                return;
            }
            let address = change.address.as_str();
            if change.action == Action::Delete || failed.iter().any(|it| it == address) {
                continue;
            }
            let block = self.final_block(plan, address);
            // Core does not start what depends on something that failed.
            if reference::sources(&block.config).iter().any(|source| failed.contains(source)) {
                failed.push(address.to_owned());
                continue;
            }
            let wanted = self.wanted(walk, address, &block, &[], &|it| state.attributes(it));
            if change.action != Action::NoOp {
                let simple =
                    if change.action == Action::Update { Action::Update } else { Action::Create };
                outcome.done.push((address.to_owned(), simple));
            }
            if apply_change(walk, &wanted, change, state, told).await.is_none() {
                failed.push(address.to_owned());
            }
        }
        let left: Vec<_> = state
            .instances
            .iter()
            .flat_map(|(address, it)| it.deposed.keys().map(|key| (address.clone(), key.clone())))
            .collect();
        for (address, key) in left.into_iter().rev() {
            if walk.stopped() || failed.contains(&address) {
                continue;
            }
            outcome.done.push((address.clone(), Action::Delete));
            let _ = apply_destroy_deposed(walk, &address, &key, state, told).await;
        }
    }

    /// The plan's own configuration, with what has become known since.
    fn final_block(&self, plan: &Plan, address: &str) -> Block {
        let mut block = plan.blocks[address].clone();
        if let Some(arguments) = self.finals.get(address) {
            for (name, value) in arguments.as_object().expect("arguments are a JSON object") {
                block.config[name] = value.clone();
            }
        }
        block
    }

    pub(super) fn wanted(
        &self,
        walk: &Walk,
        address: &str,
        block: &Block,
        replace: &[String],
        lookup: &dyn Fn(&str) -> Json,
    ) -> Wanted {
        let config = reference::resolve(&block.config, lookup);
        Wanted {
            address: address.to_owned(),
            config: json::config(&config, &walk.resource(address).block),
            create_before_destroy: block.create_before_destroy,
            force_replace: replace.iter().any(|it| it == address),
        }
    }

    pub(super) async fn configure(
        &self,
        walk: &Walk,
        provider: &Json,
        told: &mut Told,
    ) -> Option<()> {
        let config = json::config(provider, &walk.schemas.provider);
        walk.validate_provider(&config, told).await?;
        walk.configure(&config, told).await
    }

    pub(super) fn block(&self, address: &str) -> &Block {
        let found = self.blocks.iter().find(|(known, _)| known == address);
        &found.unwrap_or_else(|| panic!("no resource {address} in the configuration")).1
    }

    fn block_mut(&mut self, address: &str) -> &mut Block {
        let found = self.blocks.iter_mut().find(|(known, _)| known == address);
        &mut found.unwrap_or_else(|| panic!("no resource {address} in the configuration")).1
    }

    pub(super) fn prevented(&self, change: &Change) -> bool {
        let destroys = change.action == Action::Delete || change.action.is_replace();
        destroys
            && change.deposed.is_none()
            && self
                .blocks
                .iter()
                .any(|(known, block)| *known == change.address && block.prevent_destroy)
    }
}
