//! A pipeline that runs by itself: the `CronJob` of examples/pipelines, with the real CLI, a real Keystone, and Terraform's
//! state and lock in a real Kubernetes. Only the pod is played: its script runs here, as its service account, with the
//! rights that the example grants and no others.

mod killed;
mod rights;
mod together;

use std::path::PathBuf;
use std::time::Duration;

use rekey::provider::address;
use serde_json::{Value, json};

use crate::support::kubernetes::{ControlPlane, binary};
use crate::support::openshift::value;
use crate::support::openstack::{Keystone, User, http_client, issue};
use crate::support::terraform::{Run, Workspace, repository};
use crate::support::tools::{self, Cli};

const ADDRESS: &str = "rekey_application_credential.backup";
const STATE: &str = "secret/tfstate-default-rotate";
const LOCK: &str = "lease/lock-tfstate-default-rotate";

/// The two namespaces of the example, under names that no other test has, with what its rbac.yaml grants.
struct Place {
    plane: &'static ControlPlane,
    /// `rekey` in the example: state, lock and service account.
    state: String,
    /// `backup` in the example: the secret that is handed over.
    backup: String,
    /// The service account's.
    kubeconfig: String,
    clouds_yaml: String,
}

impl Place {
    /// Where a run logs in to OpenStack with this clouds.yaml.
    async fn new(clouds_yaml: &str) -> Self {
        let plane = ControlPlane::shared().await;
        let (state, backup) = (plane.namespace().await, plane.namespace().await);
        let clouds_yaml = clouds_yaml.replace("\"test\"", "\"mycloud\"");
        let mut pipeline = Self { plane, state, backup, kubeconfig: String::new(), clouds_yaml };
        pipeline.applies("rbac.yaml").await.ok();
        let create = ["create", "token", "rekey-rotate", "--namespace", &pipeline.state];
        let token = plane.kubectl(&create).await.ok().stdout;
        let mut kubeconfig: Value = serde_saphyr::from_str(&plane.kubeconfig()).unwrap();
        kubeconfig["users"][0]["user"] = json!({ "token": token.trim() });
        pipeline.kubeconfig = kubeconfig.to_string();
        let lock = "leases.coordination.k8s.io/lock-tfstate-default-rotate";
        pipeline.is_settled(&pipeline.state, "update", lock, true).await;
        pipeline.is_settled(&pipeline.backup, "patch", "secrets/openstack", true).await;
        pipeline
    }

    /// Waits until the API server goes by the roles as they are now: it looks at them a moment later.
    async fn is_settled(&self, namespace: &str, verb: &str, object: &str, may: bool) {
        let account = format!("system:serviceaccount:{}:rekey-rotate", self.state);
        let ask = ["auth", "can-i", verb, object, "--namespace", namespace, "--as", &account];
        for _ in 0..300 {
            if (self.plane.kubectl(&ask).await.code == Some(0)) == may {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the API server never goes by the role: {verb} {object}");
    }

    /// A file of the example, in these namespaces.
    fn file(&self, name: &str) -> String {
        let path = repository("examples/pipelines/kubernetes-cronjob").join(name);
        std::fs::read_to_string(path)
            .unwrap()
            .replace("namespace: rekey\n", &format!("namespace: {}\n", self.state))
            .replace("namespace: backup\n", &format!("namespace: {}\n", self.backup))
            .replace("--namespace=backup", &format!("--namespace={}", self.backup))
    }

    /// `kubectl apply` of a manifest of the example, by the administrator.
    async fn applies(&self, name: &str) -> Run {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, self.file(name)).unwrap();
        let path = path.to_str().unwrap();
        self.plane.kubectl(&["apply", "--validate=strict", "--filename", path]).await
    }

    /// A directory with the configuration, in which nothing has run yet: as a new pod finds it.
    fn workspace(&self, cli: &Cli) -> Workspace {
        let mut workspace = Workspace::new(cli);
        install(&workspace);
        workspace.clouds_yaml(&self.clouds_yaml);
        workspace.write("kubeconfig", &self.kubeconfig);
        workspace.write("main.tf", &self.file("main.tf"));
        workspace.write("rotate.sh", &self.file("rotate.sh"));
        let kubeconfig = workspace.path("kubeconfig").display().to_string();
        let kubectl = format!("{} kubectl --kubeconfig {kubeconfig}", binary().display());
        for (name, value) in [
            // In a pod KUBE_IN_CLUSTER_CONFIG stands for it.
            ("KUBE_CONFIG_PATH", &*kubeconfig),
            ("KUBE_NAMESPACE", &self.state),
            ("TF_VAR_kubectl", &kubectl),
        ] {
            workspace.env(name, value);
        }
        workspace
    }

    /// The same after `init`, for commands by hand.
    async fn initialized(&self, cli: &Cli) -> Workspace {
        let mut workspace = self.workspace(cli);
        workspace.run(&["init", "-input=false"]).await.ok();
        workspace
    }

    /// One run of the `CronJob`, with these variables.
    async fn run(&self, cli: &Cli, variables: &[(&str, &str)]) -> Run {
        let shell = Cli { path: PathBuf::from("/bin/sh"), ..cli.clone() };
        let mut workspace = self.workspace(&shell);
        workspace.env("TF", cli.path.to_str().unwrap());
        for (name, value) in variables {
            workspace.env(name, value);
        }
        workspace.run(&["rotate.sh"]).await
    }

    /// The credential as the state has it; its secret may from then on stand in no output and no log.
    async fn credential(&self, workspace: &mut Workspace) -> Value {
        let credential = workspace.resource(ADDRESS).await;
        workspace.watch("the credential's secret", credential["secret"].as_str().unwrap());
        credential
    }

    /// The id of the credential that was handed over; it has just logged in.
    async fn handed_over(&self) -> String {
        let secret = self.plane.get(&self.backup, "secret/openstack").await;
        let annotations = &secret["metadata"]["annotations"];
        assert!(annotations.is_null(), "no second copy of the secret: {annotations}");
        let clouds: Value =
            serde_saphyr::from_str(&value(&secret, "clouds.yaml").unwrap()).unwrap();
        let auth = &clouds["clouds"]["openstack"]["auth"];
        let part = |name: &str| auth[name].as_str().unwrap().to_owned();
        let id = part("application_credential_id");
        let body = json!({ "auth": { "identity": {
            "methods": ["application_credential"],
            "application_credential": { "id": id, "secret": part("application_credential_secret") },
        }}});
        issue(&http_client(), &part("auth_url"), &body).await.unwrap();
        id
    }
}

/// As the Dockerfile does it: where `init` finds the provider. Under an override, as other tests have it, `init` fails.
fn install(workspace: &Workspace) {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    for name in address::full() {
        let folder = format!("mirror/{name}/0.0.1/{system}_{machine}");
        let folder = workspace.path(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let plugin = folder.join("terraform-provider-rekey");
        std::fs::hard_link(tools::provider(), &plugin)
            .or_else(|_| std::fs::copy(tools::provider(), &plugin).map(drop))
            .unwrap();
    }
    let mirror = workspace.path("mirror");
    workspace.write(
        "cli.tfrc",
        &format!(
            "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            mirror.display()
        ),
    );
}

/// The ids of a user's application credentials.
async fn ids(keystone: &Keystone, user: &User) -> Vec<String> {
    let all = keystone.credentials(user).await;
    all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// What a run needs to believe that so many days have gone by; Keystone's own clock cannot be moved.
fn days_later(days: i64) -> [(&'static str, String); 2] {
    let seconds = (days * 86_400).to_string();
    [("REKEY_CLOCK_OFFSET", seconds.clone()), ("REKEY_CLOUD_CLOCK_OFFSET", seconds)]
}
