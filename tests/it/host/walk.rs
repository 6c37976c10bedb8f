//! One provider connection, as Terraform makes one for each walk: each call with what core checks of
//! its answer alone. Rules that need more than one answer are `planning`'s and `applying`'s.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rekey::tfplugin::proto::tfplugin6::{self as proto, provider_client::ProviderClient};
use serde_json::Value as Json;
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::cli::Cli;
use super::json;
use super::launch::Link;
use super::report::{Diag, Told, breach};
use super::rules::{self, Secrets, diagnostic_faults, show_path, steps, write_only_faults};
use super::schema::{Block, Resource, Schemas};
use super::state::{Held, Object};
use super::value::{Ty, Val};
use super::wire;

/// As go-plugin and Terraform set it.
const LARGEST_ANSWER: usize = 256 << 20;

/// What a plan call answers.
pub(super) struct Planned {
    pub(super) state: Val,
    pub(super) private: Vec<u8>,
    pub(super) identity: Option<Val>,
    pub(super) requires_replace: Vec<Vec<rules::Step>>,
}

/// What a plan call is asked.
pub(super) struct PlanCall<'a> {
    pub(super) prior: &'a Val,
    pub(super) config: &'a Val,
    pub(super) proposed: &'a Val,
    pub(super) private: &'a [u8],
    pub(super) identity: Option<&'a Val>,
    pub(super) planned_private: &'a [u8],
}

/// What an apply call is asked.
pub(super) struct ApplyCall<'a> {
    pub(super) prior: &'a Val,
    pub(super) planned: &'a Val,
    pub(super) config: &'a Val,
    pub(super) private: &'a [u8],
    pub(super) identity: Option<&'a Val>,
}

/// What an apply call answers; no state where the call itself died.
pub(super) struct Applied {
    pub(super) state: Option<Val>,
    pub(super) private: Vec<u8>,
    pub(super) identity: Option<Val>,
}

/// A connection to one provider process.
#[derive(Clone)]
pub(super) struct Walk {
    client: ProviderClient<Channel>,
    pub(super) schemas: Arc<Schemas>,
    pub(super) cli: Cli,
    applying: bool,
    patience: Duration,
    stopped: Arc<AtomicBool>,
    link: Arc<Link>,
}

impl Walk {
    pub(super) fn new(
        link: Arc<Link>,
        schemas: Arc<Schemas>,
        cli: Cli,
        applying: bool,
        patience: Duration,
    ) -> Self {
        let client = client(&link);
        let stopped = Arc::default();
        Self { client, schemas, cli, applying, patience, stopped, link }
    }

    pub(super) fn resource(&self, address: &str) -> &Resource {
        let name = type_of(address);
        self.schemas.resources.get(name).unwrap_or_else(|| panic!("no resource type {name}"))
    }

    /// Ends the connection, and the process behind it, as Terraform does after a walk.
    pub(super) async fn close(self) {
        let Self { client, link, .. } = self;
        drop(client);
        if let Some(link) = Arc::into_inner(link) {
            link.close().await;
        }
    }

    /// What Ctrl-C does.
    pub(super) async fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        let mut client = self.client.clone();
        let answer = client.stop_provider(proto::stop_provider::Request {}).await;
        let answer = answer.expect("StopProvider is answered").into_inner();
        assert_eq!(answer.error, "", "StopProvider has nothing to complain of");
    }

    /// After Ctrl-C nothing new is begun.
    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    pub(super) async fn validate_provider(&self, config: &Val, told: &mut Told) -> Option<()> {
        const CALL: &str = "ValidateProviderConfig";
        let block = &self.schemas.provider;
        let request = proto::validate_provider_config::Request {
            config: Some(wire::dynamic(config, &block.ty())),
        };
        let mut client = self.client.clone();
        let answer = self.call(CALL, "provider", client.validate_provider_config(request), told);
        let answer = answer.await?;
        let secrets = Secrets::default().and(block, config);
        self.tell(CALL, "provider", Some(block), &secrets, &answer.diagnostics, told)
    }

    pub(super) async fn configure(&self, config: &Val, told: &mut Told) -> Option<()> {
        const CALL: &str = "ConfigureProvider";
        let block = &self.schemas.provider;
        let request = proto::configure_provider::Request {
            terraform_version: self.cli.version().to_owned(),
            config: Some(wire::dynamic(config, &block.ty())),
            client_capabilities: Some(self.cli.capabilities(self.applying)),
        };
        let mut client = self.client.clone();
        let answer = self.call(CALL, "provider", client.configure_provider(request), told).await?;
        let secrets = Secrets::default().and(block, config);
        self.tell(CALL, "provider", Some(block), &secrets, &answer.diagnostics, told)
    }

    pub(super) async fn validate_resource(
        &self,
        address: &str,
        config: &Val,
        told: &mut Told,
    ) -> Option<()> {
        const CALL: &str = "ValidateResourceConfig";
        let block = &self.resource(address).block;
        let request = proto::validate_resource_config::Request {
            type_name: type_of(address).to_owned(),
            config: Some(wire::dynamic(config, &block.ty())),
            client_capabilities: Some(self.cli.capabilities(self.applying)),
        };
        let mut client = self.client.clone();
        let answer = self.call(CALL, address, client.validate_resource_config(request), told);
        let answer = answer.await?;
        let secrets = Secrets::default().and(block, config);
        self.tell(CALL, address, Some(block), &secrets, &answer.diagnostics, told)
    }

    /// Takes an object out of a state, as core does before every use of it.
    pub(super) async fn load(
        &self,
        address: &str,
        object: &Object,
        told: &mut Told,
    ) -> Option<Held> {
        const CALL: &str = "UpgradeResourceState";
        let resource = self.resource(address);
        assert!(object.schema_version <= resource.version, "{address} is of a newer provider");
        let request = proto::upgrade_resource_state::Request {
            type_name: type_of(address).to_owned(),
            version: object.schema_version,
            raw_state: Some(proto::RawState {
                json: object.text_for(&resource.block.ty(), resource.version).into_bytes(),
                ..Default::default()
            }),
        };
        let mut client = self.client.clone();
        let answer = self.call(CALL, address, client.upgrade_resource_state(request), told).await?;
        let block = &resource.block;
        self.tell(CALL, address, Some(block), &Secrets::default(), &answer.diagnostics, told)?;
        let value = self.answer(CALL, address, answer.upgraded_state.as_ref(), &block.ty());
        self.settled(CALL, address, block, &value);
        assert!(!value.is_null(), "{CALL} of {address} answers null");
        Some(Held {
            value,
            private: object.private.clone(),
            identity: self.load_identity(address, object, told).await?,
            tainted: object.tainted,
        })
    }

    async fn load_identity(
        &self,
        address: &str,
        object: &Object,
        told: &mut Told,
    ) -> Option<Option<Val>> {
        const CALL: &str = "UpgradeResourceIdentity";
        let (true, Some((version, text)), Some(schema)) =
            (self.cli.knows_identity(), &object.identity, &self.resource(address).identity)
        else {
            return Some(None);
        };
        assert!(*version <= schema.version, "the identity of {address} is of a newer provider");
        if *version == schema.version {
            let stored: Json = serde_json::from_str(text).unwrap();
            return Some(Some(json::plain(&stored, &schema.ty(), "identity")));
        }
        let request = proto::upgrade_resource_identity::Request {
            type_name: type_of(address).to_owned(),
            version: *version,
            raw_identity: Some(proto::RawState {
                json: text.clone().into_bytes(),
                ..Default::default()
            }),
        };
        let mut client = self.client.clone();
        let answer = self.call(CALL, address, client.upgrade_resource_identity(request), told);
        let answer = answer.await?;
        self.tell(CALL, address, None, &Secrets::default(), &answer.diagnostics, told)?;
        let identity = self.identity(CALL, address, answer.upgraded_identity.as_ref(), true);
        Some(identity)
    }

    /// Asks what is really there. `Held::value` null: it is gone.
    pub(super) async fn read(&self, address: &str, held: &Held, told: &mut Told) -> Option<Held> {
        const CALL: &str = "ReadResource";
        let resource = self.resource(address);
        let block = &resource.block;
        let request = proto::read_resource::Request {
            type_name: type_of(address).to_owned(),
            current_state: Some(wire::dynamic(&held.value, &block.ty())),
            private: held.private.clone(),
            provider_meta: None,
            client_capabilities: Some(self.cli.capabilities(self.applying)),
            current_identity: self.identity_request(address, held.identity.as_ref()),
        };
        let mut client = self.client.clone();
        let answer = self.call(CALL, address, client.read_resource(request), told).await?;
        let secrets = Secrets::default().and(block, &held.value);
        self.tell(CALL, address, Some(block), &secrets, &answer.diagnostics, told)?;
        breach(CALL, address, &faults(&[(answer.deferred.is_some(), "defers")]));
        let value = self.answer(CALL, address, answer.new_state.as_ref(), &block.ty());
        self.settled(CALL, address, block, &value);
        let exists = !value.is_null();
        let identity = self.identity(CALL, address, answer.new_identity.as_ref(), exists);
        let lost = exists && answer.private.is_empty() && !held.private.is_empty();
        breach(CALL, address, &faults(&[(lost, "drops the private data")]));
        Some(Held { value, private: answer.private, identity, tainted: held.tainted })
    }

    pub(super) async fn plan(
        &self,
        address: &str,
        ask: PlanCall<'_>,
        told: &mut Told,
    ) -> Option<Planned> {
        const CALL: &str = "PlanResourceChange";
        let resource = self.resource(address);
        let (block, ty) = (&resource.block, resource.block.ty());
        let request = proto::plan_resource_change::Request {
            type_name: type_of(address).to_owned(),
            prior_state: Some(wire::dynamic(ask.prior, &ty)),
            proposed_new_state: Some(wire::dynamic(ask.proposed, &ty)),
            config: Some(wire::dynamic(ask.config, &ty)),
            prior_private: ask.private.to_vec(),
            provider_meta: None,
            client_capabilities: self.cli.capabilities_in_plans(self.applying),
            prior_identity: self.identity_request(address, ask.identity),
            planned_private: ask.planned_private.to_vec(),
        };
        let mut client = self.client.clone();
        let answer = self.call(CALL, address, client.plan_resource_change(request), told).await?;
        let secrets = Secrets::default().and(block, ask.prior).and(block, ask.config);
        self.tell(CALL, address, Some(block), &secrets, &answer.diagnostics, told)?;
        let state = self.answer(CALL, address, answer.planned_state.as_ref(), &ty);
        breach(CALL, address, &write_only_faults(block, &state));
        self.stored(CALL, address, &secrets, &wire::write(&state, &ty), &answer.planned_private);
        breach(
            CALL,
            address,
            &faults(&[
                (answer.deferred.is_some(), "defers"),
                (answer.legacy_type_system, "asks for the checks of legacy SDKs"),
            ]),
        );
        let identity = self.identity(CALL, address, answer.planned_identity.as_ref(), false);
        let requires_replace = answer
            .requires_replace
            .iter()
            .map(steps)
            .collect::<Result<_, _>>()
            .unwrap_or_else(|fault| panic!("{CALL} of {address}: requires_replace: {fault}"));
        Some(Planned { state, private: answer.planned_private, identity, requires_replace })
    }

    /// Even with errors there is an answer: what it holds is what is kept.
    pub(super) async fn apply(
        &self,
        address: &str,
        ask: ApplyCall<'_>,
        told: &mut Told,
    ) -> Applied {
        const CALL: &str = "ApplyResourceChange";
        let resource = self.resource(address);
        let (block, ty) = (&resource.block, resource.block.ty());
        let request = proto::apply_resource_change::Request {
            type_name: type_of(address).to_owned(),
            prior_state: Some(wire::dynamic(ask.prior, &ty)),
            planned_state: Some(wire::dynamic(ask.planned, &ty)),
            config: Some(wire::dynamic(ask.config, &ty)),
            planned_private: ask.private.to_vec(),
            provider_meta: None,
            planned_identity: self.identity_request(address, ask.identity),
        };
        let mut client = self.client.clone();
        let answer = self.call(CALL, address, client.apply_resource_change(request), told).await;
        let Some(answer) = answer else {
            return Applied { state: None, private: Vec::new(), identity: None };
        };
        let secrets = Secrets::default().and(block, ask.prior).and(block, ask.config);
        let state = self.answer(CALL, address, answer.new_state.as_ref(), &ty);
        let secrets = secrets.and(block, &state.unknown_as_null());
        let _ = self.tell(CALL, address, Some(block), &secrets, &answer.diagnostics, told);
        self.settled(CALL, address, block, &state);
        self.stored(CALL, address, &secrets, &wire::write(&state, &ty), &answer.private);
        breach(
            CALL,
            address,
            &faults(&[(answer.legacy_type_system, "asks for the checks of legacy SDKs")]),
        );
        // A failed destroy half of a replacement cannot know it: core does not send it.
        let wanted = !state.is_null() && (!ask.planned.is_null() || ask.identity.is_some());
        let identity = self.identity(CALL, address, answer.new_identity.as_ref(), wanted);
        Applied { state: Some(state), private: answer.private, identity }
    }

    /// One call; a status instead of an answer is an error as Terraform words it.
    pub(super) async fn call<T>(
        &self,
        call: &'static str,
        address: &str,
        answer: impl Future<Output = Result<Response<T>, Status>>,
        told: &mut Told,
    ) -> Option<T> {
        let Ok(answer) = tokio::time::timeout(self.patience, answer).await else {
            panic!("{call} of {address} was not answered within {:?}", self.patience)
        };
        match answer {
            Ok(answer) => Some(answer.into_inner()),
            Err(status) if self.link.may_die() => {
                let summary = match status.code() {
                    tonic::Code::Cancelled => "Request cancelled",
                    tonic::Code::Unimplemented => "Unsupported plugin method",
                    tonic::Code::Unavailable | tonic::Code::Unknown => "Plugin did not respond",
                    _ => "Plugin error",
                };
                told.error(call, address, summary, &status.to_string());
                None
            }
            Err(status) => panic!("{call} of {address} died: {status}"),
        }
    }

    /// Passes messages on; none where there is an error among them.
    pub(super) fn tell(
        &self,
        call: &'static str,
        address: &str,
        block: Option<&Block>,
        secrets: &Secrets,
        diagnostics: &[proto::Diagnostic],
        told: &mut Told,
    ) -> Option<()> {
        let mut failed = false;
        for diagnostic in diagnostics {
            breach(call, address, &diagnostic_faults(diagnostic, block, secrets));
            let error = diagnostic.severity() == proto::diagnostic::Severity::Error;
            failed |= error;
            let path = diagnostic.attribute.as_ref().map(|path| show_path(&steps(path).unwrap()));
            told.0.push(Diag {
                error,
                summary: diagnostic.summary.clone(),
                detail: diagnostic.detail.clone(),
                path: path.unwrap_or_default(),
                call,
                address: address.to_owned(),
            });
        }
        (!failed).then_some(())
    }

    /// Decodes a value of an answer.
    pub(super) fn answer(
        &self,
        call: &str,
        address: &str,
        value: Option<&proto::DynamicValue>,
        ty: &Ty,
    ) -> Val {
        wire::undynamic(value, ty).unwrap_or_else(|fault| {
            breach(call, address, &[format!("the answered value: {fault}")]);
            unreachable!()
        })
    }

    /// What is stored is wholly known, and holds no write-only value.
    pub(super) fn settled(&self, call: &str, address: &str, block: &Block, value: &Val) {
        let mut faults: Vec<_> =
            value.unknown_places().iter().map(|place| format!("{place}: still unknown")).collect();
        faults.extend(write_only_faults(block, value));
        breach(call, address, &faults);
    }

    fn stored(&self, call: &str, address: &str, secrets: &Secrets, state: &[u8], private: &[u8]) {
        for (what, bytes) in [("state", state), ("private data", private)] {
            let found = secrets
                .stored_in(bytes)
                .map(|place| format!("the {what} holds the value of the write-only {place}"));
            breach(call, address, &found.into_iter().collect::<Vec<_>>());
        }
    }

    pub(super) fn identity_request(
        &self,
        address: &str,
        identity: Option<&Val>,
    ) -> Option<proto::ResourceIdentityData> {
        let identity = identity.filter(|_| self.cli.knows_identity())?;
        let schema = self.resource(address).identity.as_ref()?;
        Some(proto::ResourceIdentityData {
            identity_data: Some(wire::dynamic(identity, &schema.ty())),
        })
    }

    /// An identity is wholly known wherever it is given; anything else loses plans on real hosts.
    pub(super) fn identity(
        &self,
        call: &str,
        address: &str,
        identity: Option<&proto::ResourceIdentityData>,
        wanted: bool,
    ) -> Option<Val> {
        // Older CLIs skip the field.
        if !self.cli.knows_identity() {
            return None;
        }
        let schema = self.resource(address).identity.as_ref();
        let data = identity.and_then(|identity| identity.identity_data.as_ref());
        let Some(schema) = schema else {
            breach(call, address, &faults(&[(data.is_some(), "gives an identity without schema")]));
            return None;
        };
        let value = self.answer(call, address, data, &schema.ty());
        breach(
            call,
            address,
            &faults(&[
                (!value.is_wholly_known(), "the identity is not wholly known"),
                (wanted && value.is_null(), "no identity"),
            ]),
        );
        (!value.is_null()).then_some(value)
    }

    pub(super) fn is_applying(&self) -> bool {
        self.applying
    }

    pub(super) fn raw(&self) -> ProviderClient<Channel> {
        self.client.clone()
    }
}

/// A client with the limits that go-plugin sets.
pub(super) fn client(link: &Link) -> ProviderClient<Channel> {
    ProviderClient::new(link.channel())
        .max_decoding_message_size(LARGEST_ANSWER)
        .max_encoding_message_size(LARGEST_ANSWER)
}

/// The type in an address: `rekey_thing` of `rekey_thing.name`.
pub(super) fn type_of(address: &str) -> &str {
    address.split('.').next().unwrap()
}

pub(super) fn faults(found: &[(bool, &str)]) -> Vec<String> {
    found.iter().filter(|(is, _)| *is).map(|(_, what)| (*what).to_owned()).collect()
}
