//! A host that plays Terraform's or OpenTofu's part towards the provider, and holds every answer
//! against core's own rules: a breach fails the test with the call, the object and the rule.
//!
//!     let host = Host::new(launcher).cli(Cli::OpenTofu);
//!     let mut ws = host.workspace();
//!     ws.resource("rekey_thing.a", json!({ "name": "x", "from_elsewhere": unknown() }));
//!     let plan = ws.plan().await;
//!     assert_eq!(plan.action("rekey_thing.a"), Action::Create);
//!     ws.becomes("rekey_thing.a", json!({ "from_elsewhere": "y" }));
//!     ws.apply(&plan).await.told.assert_silent();
//!
//! Each walk (validate, plan, apply) has a provider of its own, as with the real CLIs; a plan may be
//! kept, applied by another host, or be found stale. It is not a parser of HCL and not a scheduler:
//! objects are handled in the order of their declaration.

// One host for all tests, and a test crate has no outside.
#![allow(dead_code, unreachable_pub, unused_imports)]

mod applying;
mod arrivals;
pub mod certificate;
mod cli;
mod in_process;
mod json;
mod launch;
mod plan;
mod planning;
pub mod process;
mod reference;
mod refreshing;
mod report;
mod rules;
mod schema;
mod sessions;
mod state;
pub mod trouble;
mod value;
mod walk;
mod wire;
mod workspace;

use std::sync::Arc;
use std::time::Duration;

use rekey::tfplugin::proto::tfplugin6 as proto;
use tokio::sync::OnceCell;

pub use certificate::ClientCertificate;
pub use cli::Cli;
pub use in_process::InProcess;
pub use json::{unknown, unknown_with_prefix};
pub use launch::{Launch, Life, Link};
pub use plan::{Action, Change, Plan, PlanOptions};
pub use process::Process;
pub use reference::reference;
pub use report::{Diag, Told};
pub use sessions::{Answer, Session};
pub use state::{Object, State};
pub use workspace::{Foreign, ImportTarget, Outcome, Workspace};

use schema::Schemas;
use walk::Walk;

/// One CLI with one provider to start. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    launch: Arc<dyn Launch>,
    cli: Cli,
    patience: Duration,
    schemas: Arc<OnceCell<Arc<Schemas>>>,
}

impl Host {
    /// Plays Terraform 1.15 with the providers that `launch` starts.
    pub fn new(launch: impl Launch) -> Self {
        Self {
            launch: Arc::new(launch),
            cli: Cli::Terraform15,
            patience: Duration::from_mins(5),
            schemas: Arc::default(),
        }
    }

    #[must_use]
    pub fn cli(self, cli: Cli) -> Self {
        Self { cli, schemas: Arc::default(), ..self }
    }

    /// How long a call may take before the test fails. For tests with a paused clock.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// An empty directory.
    pub fn workspace(&self) -> Workspace {
        Workspace::new(self.clone())
    }

    /// Everything the provider says about itself, checked; asked once, as Terraform does.
    pub(crate) async fn schemas(&self) -> Arc<Schemas> {
        let asked = self.schemas.get_or_init(|| async { Arc::new(self.ask_schemas().await) });
        Arc::clone(asked.await)
    }

    async fn ask_schemas(&self) -> Schemas {
        let link = self.launch.launch().await;
        let mut client = walk::client(&link);
        let answer = client.get_provider_schema(proto::get_provider_schema::Request {}).await;
        let answer = answer.expect("GetProviderSchema is answered").into_inner();
        assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
        let identities = if self.cli.knows_identity() {
            let request = proto::get_resource_identity_schemas::Request {};
            let answer = client.get_resource_identity_schemas(request).await;
            let answer = answer.expect("GetResourceIdentitySchemas is answered").into_inner();
            assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
            answer
        } else {
            proto::get_resource_identity_schemas::Response::default()
        };
        drop(client);
        link.close().await;
        let schemas = Schemas::new(&answer, &identities);
        schemas
            .unwrap_or_else(|faults| panic!("the schema breaks rules:\n  {}", faults.join("\n  ")))
    }

    /// A fresh provider; not configured yet.
    async fn walk(&self, applying: bool) -> Walk {
        let schemas = self.schemas().await;
        let link = Arc::new(self.launch.launch().await);
        Walk::new(link, schemas, self.cli, applying, self.patience)
    }
}
