//! Objects that come into a state from outside: by import, and out of another type by `moved`.

use rekey::tfplugin::proto::tfplugin6 as proto;

use super::json;
use super::report::{Told, breach};
use super::rules::Secrets;
use super::state::Held;
use super::walk::{Walk, faults, type_of};
use super::workspace::{Foreign, ImportTarget};

impl Walk {
    pub(super) async fn import(
        &self,
        address: &str,
        target: &ImportTarget,
        told: &mut Told,
    ) -> Option<Held> {
        const CALL: &str = "ImportResourceState";
        let resource = self.resource(address);
        let block = &resource.block;
        let (id, identity) = match target {
            ImportTarget::Id(id) => (id.clone(), None),
            ImportTarget::Identity(json) => {
                assert!(self.cli.knows_identity(), "{:?} imports by id only", self.cli);
                let schema = resource.identity.as_ref().expect("an identity schema");
                (String::new(), Some(json::identity(json, schema)))
            }
        };
        let request = proto::import_resource_state::Request {
            type_name: type_of(address).to_owned(),
            id,
            client_capabilities: Some(self.cli.capabilities(self.is_applying())),
            identity: self.identity_request(address, identity.as_ref()),
        };
        let mut client = self.raw();
        let answer = self.call(CALL, address, client.import_resource_state(request), told).await?;
        self.tell(CALL, address, Some(block), &Secrets::default(), &answer.diagnostics, told)?;
        breach(CALL, address, &faults(&[(answer.deferred.is_some(), "defers")]));
        let [imported] = answer.imported_resources.as_slice() else {
            panic!("{CALL} of {address} answers {} objects", answer.imported_resources.len());
        };
        assert_eq!(imported.type_name, type_of(address), "{CALL} of {address}: the type");
        let value = self.answer(CALL, address, imported.state.as_ref(), &block.ty());
        self.settled(CALL, address, block, &value);
        let null = value.is_null() && identity.is_none();
        breach(CALL, address, &faults(&[(null, "answers null to an import by id")]));
        let known = self.identity(CALL, address, imported.identity.as_ref(), identity.is_some());
        Some(Held { value, private: imported.private.clone(), identity: known, tainted: false })
    }

    pub(super) async fn move_state(
        &self,
        address: &str,
        source: &Foreign,
        told: &mut Told,
    ) -> Option<Held> {
        const CALL: &str = "MoveResourceState";
        assert!(self.schemas.move_resource_state, "the provider cannot take over other types");
        let block = &self.resource(address).block;
        let request = proto::move_resource_state::Request {
            source_provider_address: format!("{}/{}", self.cli.registry(), source.provider),
            source_type_name: source.type_name.clone(),
            source_schema_version: source.schema_version,
            source_state: Some(proto::RawState {
                json: source.attributes.to_string().into_bytes(),
                ..Default::default()
            }),
            target_type_name: type_of(address).to_owned(),
            source_private: source.private.clone(),
            ..Default::default()
        };
        let mut client = self.raw();
        let answer = self.call(CALL, address, client.move_resource_state(request), told).await?;
        self.tell(CALL, address, Some(block), &Secrets::default(), &answer.diagnostics, told)?;
        let value = self.answer(CALL, address, answer.target_state.as_ref(), &block.ty());
        self.settled(CALL, address, block, &value);
        breach(CALL, address, &faults(&[(value.is_null(), "answers null")]));
        let identity = self.identity(CALL, address, answer.target_identity.as_ref(), false);
        Some(Held { value, private: answer.target_private, identity, tainted: false })
    }
}
