//! A managed resource with an attribute of every kind.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use rekey::tfplugin::context::Context;
use rekey::tfplugin::cty::{Number, Value};
use rekey::tfplugin::diagnostics::{AttributePath, Diagnostic, Result, Step};
use rekey::tfplugin::model::{Attr, Dynamic, Map, Model, Secret, Set};
use rekey::tfplugin::plan_helpers;
use rekey::tfplugin::traits::{
    Change, ImportTarget, MoveSource, OldState, Operation, Plan, PlanRequest, Resource, StateCell,
    Stored,
};
use serde::{Deserialize, Serialize};

use super::cloud::{Cloud, Mood};

/// A part of a thing.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub(crate) struct Part {
    /// What it is called.
    #[attr(required)]
    title: Attr<String>,
    /// How heavy it is.
    #[attr(optional, computed, default = 1)]
    weight: Attr<i64>,
    /// Given by the cloud.
    #[attr(computed)]
    key: Attr<String>,
}

/// What a thing was before.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub(crate) struct Earlier {
    /// Its label then.
    #[attr(computed)]
    label: Attr<String>,
    /// Until when that counts.
    #[attr(computed)]
    until: Attr<String>,
}

/// A rule, as a block.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub(crate) struct Rule {
    /// Where it holds.
    #[attr(required)]
    path: Attr<String>,
}

/// A thing with an attribute of every kind.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub(crate) struct Thing {
    /// Given by the cloud.
    #[attr(computed)]
    pub(super) id: Attr<String>,
    /// Its name, for good.
    #[attr(required, requires_replace, validate(length(1, 20)))]
    pub(super) name: Attr<String>,
    /// A label.
    #[attr(optional)]
    pub(super) label: Attr<String>,
    /// A note, with a default.
    #[attr(optional, computed, default = "none")]
    note: Attr<String>,
    /// Any number.
    #[attr(optional)]
    amount: Attr<Number>,
    /// A fraction.
    #[attr(optional)]
    ratio: Attr<f64>,
    /// Whether.
    #[attr(optional)]
    enabled: Attr<bool>,
    /// Anything at all.
    #[attr(optional)]
    anything: Attr<Dynamic>,
    /// In order.
    #[attr(optional)]
    words: Attr<Vec<Attr<String>>>,
    /// Without order.
    #[attr(optional)]
    marks: Attr<Set<Attr<String>>>,
    /// By key.
    #[attr(optional)]
    tags: Attr<Map<Attr<String>>>,
    /// One part.
    #[attr(optional)]
    part: Attr<Part>,
    /// Parts in order.
    #[attr(optional)]
    parts: Attr<Vec<Attr<Part>>>,
    /// Parts without order.
    #[attr(optional)]
    part_set: Attr<Set<Attr<Part>>>,
    /// Parts by key.
    #[attr(optional)]
    part_map: Attr<Map<Attr<Part>>>,
    /// Made by the cloud.
    #[attr(computed)]
    secret: Attr<Secret>,
    /// The user's own, stored nowhere.
    #[attr(optional, write_only, requires("secret_wo_version"))]
    secret_wo: Attr<Secret>,
    /// Another number pushes it.
    #[attr(optional)]
    secret_wo_version: Attr<i64>,
    /// How often it was changed.
    #[attr(computed)]
    revision: Attr<i64>,
    /// What it was, by revision.
    #[attr(computed)]
    earlier: Attr<Map<Attr<Earlier>>>,
    /// Whose login made or changed it last.
    #[attr(computed)]
    made_by: Attr<String>,
    /// How long changes may take, in milliseconds.
    #[attr(optional)]
    patience: Attr<i64>,
    /// Rules.
    #[model(block(max = 3))]
    rule: Attr<Vec<Rule>>,
}

/// What names a thing.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub(crate) struct ThingIdentity {
    /// As the cloud gave it.
    #[attr(required)]
    id: Attr<String>,
    /// Where it is.
    #[attr(optional)]
    zone: Attr<String>,
}

/// What is remembered beside the state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memory {
    imported: bool,
    /// What each call added.
    trail: Vec<String>,
}

/// The resource.
pub(crate) struct ThingResource(pub(super) Cloud);

type State = StateCell<ThingResource>;

#[async_trait]
impl Resource for ThingResource {
    type Model = Thing;
    type Identity = ThingIdentity;
    type Private = Memory;

    const NAME: &'static str = "thing";
    const VERSION: i64 = 2;

    fn timeout(&self, _operation: Operation, model: &Thing) -> Option<Duration> {
        let patience = model.patience.known()?;
        u64::try_from(*patience).ok().map(Duration::from_millis)
    }

    async fn validate(&self, cx: &Context, config: &Thing) -> Result<()> {
        let mood = self.0.enter("validate");
        if mood == Some(Mood::Warn) {
            cx.tell(Diagnostic::warning("Careful", "In the mood to warn").at_attribute("label"));
        }
        if config.name.known().is_some_and(|name| name == "forbidden") {
            let detail = "No thing may be called that; take another name";
            return Err(Diagnostic::error("Forbidden name", detail).at_attribute("name").into());
        }
        Ok(())
    }

    fn upgrade(&self, version: i64, mut state: OldState) -> Result<OldState> {
        if version == 1
            && let Some(name) = state.remove("title")
        {
            state.insert("name".to_owned(), name);
        }
        Ok(state)
    }

    async fn read(&self, cx: &Context, stored: Stored<Self>) -> Result<Option<Stored<Self>>> {
        match self.0.enter("read") {
            Some(Mood::Fail) => return Err(failed()),
            Some(Mood::Warn) => {
                cx.tell(Diagnostic::warning("Seen", format!("As {:?}", self.0.login())));
            }
            Some(Mood::Linger) => cx.cancel().cancelled().await,
            _ => {}
        }
        let Some(thing) = stored.state.id.known().and_then(|id| self.0.thing(id)) else {
            return Ok(None);
        };
        let identity = Some(identity(&thing));
        Ok(Some(Stored { state: thing, private: stored.private, identity }))
    }

    async fn plan(&self, cx: &Context, request: PlanRequest<Self>) -> Result<Plan<Self>> {
        match self.0.enter("plan") {
            Some(Mood::Fail) => return Err(failed()),
            Some(Mood::Warn) => {
                cx.tell(Diagnostic::warning("Planned", "In the mood to warn").at_attribute("name"));
            }
            _ => {}
        }
        let schema = Thing::schema(Self::VERSION);
        let (config, mut value) = (request.config.into_object(), request.proposed.into_object());
        let mut private = request.private;
        let Some(prior) = request.prior else {
            plan_helpers::unknown_computed(&schema, &config, &mut value);
            let mut planned = model(value);
            planned.revision = 1.into();
            planned.earlier = Attr::Known(Map::new());
            private.trail.push("plan create".to_owned());
            return Ok(Plan { planned, private, requires_replace: Vec::new() });
        };
        let mut planned = model(value);
        for part in parts(&mut planned).filter(|part| part.key.is_null()) {
            part.key = Attr::Unknown;
        }
        if planned != prior {
            let revision = prior.revision.known().copied().unwrap_or_default();
            planned.revision = (revision + 1).into();
            planned.secret = Attr::Unknown;
            planned.made_by = Attr::Unknown;
            let mut earlier = prior.earlier.known_or_default();
            let entry = Earlier { label: prior.label, until: Attr::Unknown };
            earlier.insert(revision.to_string(), Attr::Known(entry));
            planned.earlier = Attr::Known(earlier);
            private.trail.push("plan update".to_owned());
        }
        Ok(Plan { planned, private, requires_replace: Vec::new() })
    }

    async fn plan_destroy(&self, cx: &Context, prior: Stored<Self>) -> Result<()> {
        match self.0.enter("plan_destroy") {
            Some(Mood::Fail) => return Err(failed()),
            Some(Mood::Warn) => {
                cx.tell(Diagnostic::warning("Going", format!("{:?} goes", prior.state.name)));
            }
            _ => {}
        }
        Ok(())
    }

    async fn create(&self, cx: &Context, change: Change<Self>, state: &State) -> Result<()> {
        let mood = self.0.enter("create");
        let id = format!("thing-{}", self.0.next_number());
        self.carry_out(cx, mood, &id, change, state).await
    }

    async fn update(&self, cx: &Context, change: Change<Self>, state: &State) -> Result<()> {
        let mood = self.0.enter("update");
        let id = change.prior.as_ref().and_then(|prior| prior.id.known().cloned()).expect("an id");
        self.carry_out(cx, mood, &id, change, state).await
    }

    async fn delete(&self, _cx: &Context, prior: Stored<Self>, state: &State) -> Result<()> {
        let mood = self.0.enter("delete");
        match mood {
            Some(Mood::Fail) => return Err(failed()),
            Some(Mood::FailAfterSave) => {
                // Half of it went away.
                let left = Thing { label: Attr::Null, ..prior.state };
                state.save(Stored { state: left, ..prior });
                return Err(failed());
            }
            _ => {}
        }
        self.0.remove(prior.state.id.known().expect("an id"));
        state.clear();
        assert!(mood != Some(Mood::PanicAfterSave), "in a mood to panic: hunter2-hunter2");
        Ok(())
    }

    async fn import(
        &self,
        _cx: &Context,
        target: ImportTarget<ThingIdentity>,
    ) -> Result<Stored<Self>> {
        self.0.enter("import");
        let id = match target {
            ImportTarget::Id(id) => id,
            ImportTarget::Identity(identity) => identity.id.known_or_default(),
        };
        let state = Thing { id: id.as_str().into(), ..Thing::default() };
        let identity = Some(identity(&state));
        let private = Memory { imported: true, trail: Vec::new() };
        Ok(Stored { state, private, identity })
    }

    async fn move_state(&self, _cx: &Context, source: MoveSource) -> Result<Option<Stored<Self>>> {
        self.0.enter("move");
        if source.type_name != "other_thing" || !source.provider_address.ends_with("/other/other") {
            return Ok(None);
        }
        let id = source.state["uuid"].as_str().unwrap_or_default();
        let Some(thing) = self.0.thing(id) else { return Ok(None) };
        let identity = Some(identity(&thing));
        Ok(Some(Stored { state: thing, private: Memory::default(), identity }))
    }
}

impl ThingResource {
    async fn carry_out(
        &self,
        cx: &Context,
        mood: Option<Mood>,
        id: &str,
        change: Change<Self>,
        state: &State,
    ) -> Result<()> {
        match mood {
            Some(Mood::Fail) => return Err(failed()),
            Some(Mood::Forget) => return Ok(()),
            Some(Mood::Slow) => self.0.until_told().await,
            Some(Mood::Warn) => {
                cx.tell(Diagnostic::warning("Done", "In the mood to warn").at(at_first_part()));
            }
            _ => {}
        }
        let mut thing = change.planned;
        thing.id = id.into();
        thing.made_by = self.0.login().into();
        let number = self.0.next_number();
        if thing.secret.is_unknown() {
            let secret = change.config.secret_wo.is_null();
            thing.secret = if secret {
                Attr::Known(Secret::from(format!("generated-secret-{number}").as_str()))
            } else {
                Attr::Null
            };
        }
        for part in parts(&mut thing) {
            part.key = format!("{}-key", part.title.known().expect("a title")).as_str().into();
        }
        for earlier in
            thing.earlier.as_mut().into_option().into_iter().flat_map(BTreeMap::values_mut)
        {
            if let Attr::Known(earlier) = earlier {
                earlier.until = earlier.until.clone().or_if_unknown("later".into());
            }
        }
        let mut private = change.private;
        private.trail.push("apply".to_owned());
        self.0.put(id, thing.clone());
        if let Some(Mood::LeaveUnknown | Mood::FailHalfway) = mood {
            thing.secret = Attr::Unknown;
        }
        state.save(Stored { identity: Some(identity(&thing)), state: thing, private });
        match mood {
            Some(Mood::FailAfterSave | Mood::FailHalfway) => Err(failed()),
            Some(Mood::PanicAfterSave) => panic!("in a mood to panic: hunter2-hunter2"),
            Some(Mood::Linger) => {
                let deadline = async {
                    match cx.deadline() {
                        Some(deadline) => tokio::time::sleep_until(deadline).await,
                        None => std::future::pending().await,
                    }
                };
                let why = tokio::select! {
                    () = cx.cancel().cancelled() => "It was interrupted",
                    () = deadline => "Its time is over",
                };
                Err(Diagnostic::error("Wait ended", why).into())
            }
            _ => Ok(()),
        }
    }
}

fn failed() -> rekey::tfplugin::diagnostics::Diagnostics {
    Diagnostic::error("In the mood to fail", "It failed, as it was told to").into()
}

fn at_first_part() -> AttributePath {
    AttributePath::attribute("parts").then(Step::Index(0)).then(Step::Attribute("title".to_owned()))
}

fn identity(thing: &Thing) -> ThingIdentity {
    ThingIdentity { id: thing.id.clone(), zone: "here".into() }
}

fn model(value: Value) -> Thing {
    Thing::from_object(value, &AttributePath::root()).expect("a thing's own value")
}

/// All parts that are told.
fn parts(thing: &mut Thing) -> impl Iterator<Item = &mut Part> {
    let known = |part: &mut Attr<Part>| part.is_known();
    let list = thing.parts.as_mut().into_option().into_iter().flatten();
    let map = thing.part_map.as_mut().into_option().into_iter().flat_map(BTreeMap::values_mut);
    let set = thing.part_set.as_mut().into_option().into_iter().flat_map(|set| set.0.iter_mut());
    list.chain(map)
        .chain(set)
        .chain(std::iter::once(&mut thing.part))
        .filter_map(move |part| if known(part) { part.as_mut().into_option() } else { None })
}
