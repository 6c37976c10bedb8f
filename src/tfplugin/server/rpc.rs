//! The protocol's service: each call finds its type in the registry and runs it under the guard.
//! Not for what a call means, which is in `resource`, `apply` and `others`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::Server;
use super::call::{Reply, call_function, find, functions};
use crate::tfplugin::proto::tfplugin6 as pb;

type NoStream<T> = tokio_stream::Empty<std::result::Result<T, Status>>;

/// What this server does beyond the base protocol.
fn capabilities() -> pb::ServerCapabilities {
    pb::ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        move_resource_state: true,
        generate_resource_config: false,
    }
}

#[tonic::async_trait]
impl pb::provider_server::Provider for Server {
    async fn get_metadata(
        &self,
        _request: Request<pb::get_metadata::Request>,
    ) -> Reply<pb::get_metadata::Response> {
        use pb::get_metadata as metadata;
        let names = |name: &String| name.clone();
        Ok(Response::new(metadata::Response {
            server_capabilities: Some(capabilities()),
            resources: (self.registry.resources.keys().map(names))
                .map(|type_name| metadata::ResourceMetadata { type_name })
                .collect(),
            data_sources: (self.registry.data_sources.keys().map(names))
                .map(|type_name| metadata::DataSourceMetadata { type_name })
                .collect(),
            ephemeral_resources: (self.registry.ephemerals.keys().map(names))
                .map(|type_name| metadata::EphemeralMetadata { type_name })
                .collect(),
            functions: (self.registry.functions.keys().map(names))
                .map(|name| metadata::FunctionMetadata { name })
                .collect(),
            ..Default::default()
        }))
    }

    async fn get_provider_schema(
        &self,
        _request: Request<pb::get_provider_schema::Request>,
    ) -> Reply<pb::get_provider_schema::Response> {
        use super::schema::schema;
        let registry = Arc::clone(&self.registry);
        self.answer("GetProviderSchema", "", None, move |_| async move {
            Ok(pb::get_provider_schema::Response {
                provider: Some(schema(registry.provider.schema())),
                resource_schemas: (registry.resources.iter())
                    .map(|(name, resource)| (name.clone(), schema(resource.schema())))
                    .collect(),
                data_source_schemas: (registry.data_sources.iter())
                    .map(|(name, data_source)| (name.clone(), schema(data_source.schema())))
                    .collect(),
                ephemeral_resource_schemas: (registry.ephemerals.iter())
                    .map(|(name, ephemeral)| (name.clone(), schema(ephemeral.schema())))
                    .collect(),
                functions: functions(&registry.functions),
                server_capabilities: Some(capabilities()),
                ..Default::default()
            })
        })
        .await
    }

    async fn get_resource_identity_schemas(
        &self,
        _request: Request<pb::get_resource_identity_schemas::Request>,
    ) -> Reply<pb::get_resource_identity_schemas::Response> {
        let registry = Arc::clone(&self.registry);
        self.answer("GetResourceIdentitySchemas", "", None, move |_| async move {
            Ok(pb::get_resource_identity_schemas::Response {
                identity_schemas: (registry.resources.iter())
                    .filter_map(|(name, resource)| {
                        Some((name.clone(), resource.identity_schema()?))
                    })
                    .collect(),
                diagnostics: Vec::new(),
            })
        })
        .await
    }

    async fn get_functions(
        &self,
        _request: Request<pb::get_functions::Request>,
    ) -> Reply<pb::get_functions::Response> {
        let registry = Arc::clone(&self.registry);
        self.answer("GetFunctions", "", None, move |_| async move {
            Ok(pb::get_functions::Response {
                functions: functions(&registry.functions),
                diagnostics: Vec::new(),
            })
        })
        .await
    }

    async fn validate_provider_config(
        &self,
        request: Request<pb::validate_provider_config::Request>,
    ) -> Reply<pb::validate_provider_config::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        self.answer("ValidateProviderConfig", "", None, move |cx| async move {
            registry.provider.validate(&cx, request.config).await?;
            Ok(pb::validate_provider_config::Response::default())
        })
        .await
    }

    async fn validate_resource_config(
        &self,
        request: Request<pb::validate_resource_config::Request>,
    ) -> Reply<pb::validate_resource_config::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let (name, known) = (request.type_name.clone(), request.client_capabilities);
        self.answer("ValidateResourceConfig", &name, known, move |cx| async move {
            let resource = find("resource", &registry.resources, &request.type_name)?;
            resource.validate(&cx, request).await?;
            Ok(pb::validate_resource_config::Response::default())
        })
        .await
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<pb::validate_data_resource_config::Request>,
    ) -> Reply<pb::validate_data_resource_config::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let name = request.type_name.clone();
        self.answer("ValidateDataResourceConfig", &name, None, move |cx| async move {
            let data_source = find("data source", &registry.data_sources, &request.type_name)?;
            data_source.validate(&cx, request.config).await?;
            Ok(pb::validate_data_resource_config::Response::default())
        })
        .await
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<pb::validate_ephemeral_resource_config::Request>,
    ) -> Reply<pb::validate_ephemeral_resource_config::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let name = request.type_name.clone();
        self.answer("ValidateEphemeralResourceConfig", &name, None, move |cx| async move {
            let ephemeral = find("ephemeral resource", &registry.ephemerals, &request.type_name)?;
            ephemeral.validate(&cx, request.config).await?;
            Ok(pb::validate_ephemeral_resource_config::Response::default())
        })
        .await
    }

    async fn configure_provider(
        &self,
        request: Request<pb::configure_provider::Request>,
    ) -> Reply<pb::configure_provider::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        tracing::debug!(host = request.terraform_version, "configured");
        let known = request.client_capabilities;
        self.answer("ConfigureProvider", "", known, move |cx| async move {
            registry.provider.configure(&cx, request.config).await?;
            Ok(pb::configure_provider::Response::default())
        })
        .await
    }

    async fn stop_provider(
        &self,
        _request: Request<pb::stop_provider::Request>,
    ) -> Reply<pb::stop_provider::Response> {
        tracing::info!("the operator asked to stop: no further waits in the calls in flight");
        self.calls.stop();
        Ok(Response::new(pb::stop_provider::Response::default()))
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<pb::upgrade_resource_state::Request>,
    ) -> Reply<pb::upgrade_resource_state::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let name = request.type_name.clone();
        self.answer("UpgradeResourceState", &name, None, move |_| async move {
            find("resource", &registry.resources, &request.type_name)?.upgrade(&request)
        })
        .await
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<pb::upgrade_resource_identity::Request>,
    ) -> Reply<pb::upgrade_resource_identity::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let name = request.type_name.clone();
        self.answer("UpgradeResourceIdentity", &name, None, move |_| async move {
            find("resource", &registry.resources, &request.type_name)?.upgrade_identity(&request)
        })
        .await
    }

    async fn read_resource(
        &self,
        request: Request<pb::read_resource::Request>,
    ) -> Reply<pb::read_resource::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let (name, known) = (request.type_name.clone(), request.client_capabilities);
        self.answer("ReadResource", &name, known, move |cx| async move {
            let resource = find("resource", &registry.resources, &request.type_name)?;
            resource.read(&cx, request).await
        })
        .await
    }

    async fn plan_resource_change(
        &self,
        request: Request<pb::plan_resource_change::Request>,
    ) -> Reply<pb::plan_resource_change::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let (name, known) = (request.type_name.clone(), request.client_capabilities);
        self.answer("PlanResourceChange", &name, known, move |cx| async move {
            let resource = find("resource", &registry.resources, &request.type_name)?;
            resource.plan(&cx, request).await
        })
        .await
    }

    async fn apply_resource_change(
        &self,
        request: Request<pb::apply_resource_change::Request>,
    ) -> Reply<pb::apply_resource_change::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let name = request.type_name.clone();
        self.answer("ApplyResourceChange", &name, None, move |cx| async move {
            let resource = find("resource", &registry.resources, &request.type_name)?;
            resource.apply(cx, request).await
        })
        .await
    }

    async fn import_resource_state(
        &self,
        request: Request<pb::import_resource_state::Request>,
    ) -> Reply<pb::import_resource_state::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let (name, known) = (request.type_name.clone(), request.client_capabilities);
        self.answer("ImportResourceState", &name, known, move |cx| async move {
            let resource = find("resource", &registry.resources, &request.type_name)?;
            resource.import(&cx, request).await
        })
        .await
    }

    async fn move_resource_state(
        &self,
        request: Request<pb::move_resource_state::Request>,
    ) -> Reply<pb::move_resource_state::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let name = request.target_type_name.clone();
        self.answer("MoveResourceState", &name, None, move |cx| async move {
            let resource = find("resource", &registry.resources, &request.target_type_name)?;
            resource.move_state(&cx, request).await
        })
        .await
    }

    async fn read_data_source(
        &self,
        request: Request<pb::read_data_source::Request>,
    ) -> Reply<pb::read_data_source::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let (name, known) = (request.type_name.clone(), request.client_capabilities);
        self.answer("ReadDataSource", &name, known, move |cx| async move {
            let data_source = find("data source", &registry.data_sources, &request.type_name)?;
            data_source.read(&cx, request.config).await
        })
        .await
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<pb::open_ephemeral_resource::Request>,
    ) -> Reply<pb::open_ephemeral_resource::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let (name, known) = (request.type_name.clone(), request.client_capabilities);
        self.answer("OpenEphemeralResource", &name, known, move |cx| async move {
            let ephemeral = find("ephemeral resource", &registry.ephemerals, &request.type_name)?;
            ephemeral.open(&cx, request.config).await
        })
        .await
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<pb::renew_ephemeral_resource::Request>,
    ) -> Reply<pb::renew_ephemeral_resource::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let name = request.type_name.clone();
        self.answer("RenewEphemeralResource", &name, None, move |cx| async move {
            let ephemeral = find("ephemeral resource", &registry.ephemerals, &request.type_name)?;
            ephemeral.renew(&cx, request.private.unwrap_or_default()).await
        })
        .await
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<pb::close_ephemeral_resource::Request>,
    ) -> Reply<pb::close_ephemeral_resource::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        let name = request.type_name.clone();
        self.answer("CloseEphemeralResource", &name, None, move |cx| async move {
            let ephemeral = find("ephemeral resource", &registry.ephemerals, &request.type_name)?;
            ephemeral.close(&cx, request.private.unwrap_or_default()).await?;
            Ok(pb::close_ephemeral_resource::Response::default())
        })
        .await
    }

    async fn call_function(
        &self,
        request: Request<pb::call_function::Request>,
    ) -> Reply<pb::call_function::Response> {
        let (request, registry) = (request.into_inner(), Arc::clone(&self.registry));
        Ok(Response::new(call_function(&self.calls, &registry.functions, request).await))
    }

    // Not served. A list resource, an action or a generated configuration gets a trait in `traits`,
    // its erased twin beside those in `others`, a place in the registry, and its answer here.

    async fn generate_resource_config(
        &self,
        _request: Request<pb::generate_resource_config::Request>,
    ) -> Reply<pb::generate_resource_config::Response> {
        Err(not_served())
    }

    async fn validate_list_resource_config(
        &self,
        _request: Request<pb::validate_list_resource_config::Request>,
    ) -> Reply<pb::validate_list_resource_config::Response> {
        Err(not_served())
    }

    type ListResourceStream = NoStream<pb::list_resource::Event>;

    async fn list_resource(
        &self,
        _request: Request<pb::list_resource::Request>,
    ) -> Reply<Self::ListResourceStream> {
        Err(not_served())
    }

    async fn validate_action_config(
        &self,
        _request: Request<pb::validate_action_config::Request>,
    ) -> Reply<pb::validate_action_config::Response> {
        Err(not_served())
    }

    async fn plan_action(
        &self,
        _request: Request<pb::plan_action::Request>,
    ) -> Reply<pb::plan_action::Response> {
        Err(not_served())
    }

    type InvokeActionStream = NoStream<pb::invoke_action::Event>;

    async fn invoke_action(
        &self,
        _request: Request<pb::invoke_action::Request>,
    ) -> Reply<Self::InvokeActionStream> {
        Err(not_served())
    }

    async fn validate_state_store_config(
        &self,
        _request: Request<pb::validate_state_store::Request>,
    ) -> Reply<pb::validate_state_store::Response> {
        Err(not_served())
    }

    async fn configure_state_store(
        &self,
        _request: Request<pb::configure_state_store::Request>,
    ) -> Reply<pb::configure_state_store::Response> {
        Err(not_served())
    }

    async fn get_states(
        &self,
        _request: Request<pb::get_states::Request>,
    ) -> Reply<pb::get_states::Response> {
        Err(not_served())
    }

    async fn delete_state(
        &self,
        _request: Request<pb::delete_state::Request>,
    ) -> Reply<pb::delete_state::Response> {
        Err(not_served())
    }

    async fn lock_state(
        &self,
        _request: Request<pb::lock_state::Request>,
    ) -> Reply<pb::lock_state::Response> {
        Err(not_served())
    }

    async fn unlock_state(
        &self,
        _request: Request<pb::unlock_state::Request>,
    ) -> Reply<pb::unlock_state::Response> {
        Err(not_served())
    }

    type ReadStateBytesStream = NoStream<pb::read_state_bytes::Response>;

    async fn read_state_bytes(
        &self,
        _request: Request<pb::read_state_bytes::Request>,
    ) -> Reply<Self::ReadStateBytesStream> {
        Err(not_served())
    }

    async fn write_state_bytes(
        &self,
        _request: Request<tonic::Streaming<pb::write_state_bytes::RequestChunk>>,
    ) -> Reply<pb::write_state_bytes::Response> {
        Err(not_served())
    }
}

fn not_served() -> Status {
    Status::unimplemented("not served by this provider")
}
