//! The second half of the tour: a Magnum cluster, its application credential and its CA.

use rekey::cloud::Surroundings;
use rekey::cloud::http::Patience;
use rekey::cloud::kubernetes::{Access, Client, ClientKey, Error, Limits};
use rekey::redaction::{ExposeSecret, SecretString};
use rekey_sandbox::ClusterSeen;
use serde_json::json;

use crate::consumer::{self, Credential};
use crate::{Outcome, Tour, say, show, title};

const NAME: &str = "prod";
/// Older than v1.34: its workloads do not notice a new credential by themselves.
const TEMPLATE: &str = "kubernetes-v1.33.8";

impl Tour {
    pub(crate) async fn rotate_a_cluster(&mut self) -> Outcome<()> {
        title("6. A cluster's credential");
        let cluster = self.cloud.create_cluster("alice", NAME, TEMPLATE);
        say(&format!(
            "alice has a Magnum cluster from the template {TEMPLATE}. It uses the cloud with an application"
        ));
        say(
            "credential of hers, and its three OpenStack workloads read that only when they start.",
        );
        let resource = configure_credential();
        self.directory.write("main.tf", &format!("{resource}{}", crate::PROVIDER_BLOCK))?;
        show(&resource);
        let old = held(&cluster, 1)?;
        self.must_work("The cluster uses the cloud", &old).await?;
        self.address = "rekey_cluster_credential_rotation.prod";
        say(
            "The provider has Magnum rotate it, sees the new one, restarts the workloads and waits for every pod:",
        );
        self.apply(&["phase", "owner_user_id"])?;
        let seen = self.cloud.cluster(NAME);
        let new = held(&seen, 2)?;
        self.must_work("The cluster's new credential", &new).await?;
        self.must_be_refused("The one before", &old).await?;
        for (workload, restarts) in &seen.restarts {
            if *restarts != 1 {
                return Err(format!("{workload} was restarted {restarts} times").into());
            }
        }
        say(&format!(
            "✓ {} workloads were restarted, and every pod of them is new.",
            seen.restarts.len()
        ));
        Ok(())
    }

    pub(crate) async fn replace_its_ca(&mut self) -> Outcome<()> {
        title("7. The cluster's CA");
        say(
            "Somebody has a kubeconfig that they should not have. A certificate in it cannot be revoked: the CA has to go.",
        );
        let old = self.kubeconfig().await?;
        must_connect("The old kubeconfig", &old).await?;
        let resource = configure_ca("2026Q4");
        let before = configure_credential();
        self.directory
            .write("main.tf", &format!("{before}\n{resource}{}", crate::PROVIDER_BLOCK))?;
        show(&resource);
        self.directory.run(&["apply", "-auto-approve", "-input=false"])?;
        say("Nothing is rotated by adding the resource. Now the trigger changes:");
        let resource = configure_ca("leaked kubeconfig");
        self.directory
            .write("main.tf", &format!("{before}\n{resource}{}", crate::PROVIDER_BLOCK))?;
        self.address = "rekey_cluster_credential_rotation.ca";
        self.plan(&["generation", "rotation_reason", "ca_certificate_sha256"])?;
        self.apply(&["phase", "rotation_reason", "expires_at"])?;
        must_be_shut_out("The old kubeconfig", &old).await?;
        let new = self.kubeconfig().await?;
        must_connect("A kubeconfig fetched now", &new).await?;
        say("In a configuration, the ephemeral resource rekey_kubeconfig is always such a one.");
        say("$ destroy");
        self.directory.run(&["destroy", "-auto-approve", "-input=false"])?;
        must_connect("The cluster stays as it is: the new kubeconfig", &new).await
    }

    /// What `openstack coe cluster config` fetches for the cluster's owner.
    async fn kubeconfig(&self) -> Outcome<Kubeconfig> {
        let alice = self.cloud.user("alice");
        let address = self.cloud.address();
        let token = consumer::token(address, &alice.name, &alice.password, "demo").await?;
        let cluster = self.cloud.cluster(NAME);
        let key = ClientKey::generate()?;
        let csr = key.signing_request("alice", &["system:masters".to_owned()])?;
        let certificates = "/container-infra/v1/certificates";
        let body = json!({ "cluster_uuid": cluster.uuid, "csr": csr });
        let signed = consumer::send(address, "POST", certificates, &token, &body).await?;
        let path = format!("{certificates}/{}", cluster.uuid);
        let ca = consumer::send(address, "GET", &path, &token, &json!(null)).await?;
        let text =
            |of: &serde_json::Value| of["pem"].as_str().map(str::to_owned).ok_or("no certificate");
        Ok(Kubeconfig {
            server: cluster.api_address.ok_or("the cluster has no address")?,
            ca: text(&ca)?,
            certificate: text(&signed)?,
            key: key.pem(),
        })
    }
}

struct Kubeconfig {
    server: String,
    ca: String,
    certificate: String,
    key: SecretString,
}

impl Kubeconfig {
    /// How many nodes' worth of workloads it sees, or why it sees nothing.
    async fn connect(&self) -> Outcome<Result<String, Error>> {
        let key = SecretString::from(self.key.expose_secret().to_owned());
        let from = Surroundings::default();
        let access =
            Access::with_certificate(&self.server, &self.ca, &self.certificate, key, &from)?;
        let limits = Limits { attempts: 1, ..Limits::default() };
        let patience = Patience::default();
        Ok(Client::with_limits(access, limits).version(&patience).await.map(|(version, _)| version))
    }
}

fn configure_credential() -> String {
    format!(
        r#"resource "rekey_cluster_credential_rotation" "prod" {{
  magnum          = {{ cluster = "{NAME}" }}
  rotation_period = "P90D"
}}
"#
    )
}

fn configure_ca(trigger: &str) -> String {
    format!(
        r#"resource "rekey_cluster_credential_rotation" "ca" {{
  magnum = {{
    cluster                     = "{NAME}"
    credential                  = "ca_certificate"
    driver_supports_ca_rotation = true
  }}
  rotate_on_create = false
  triggers         = {{ reason = "{trigger}" }}
}}
"#
    )
}

fn held(cluster: &ClusterSeen, generation: i64) -> Outcome<Credential> {
    let (id, secret) = cluster.credential.clone().ok_or("the cluster has no credential")?;
    Ok(Credential { generation, id, secret })
}

async fn must_connect(what: &str, kubeconfig: &Kubeconfig) -> Outcome<()> {
    match kubeconfig.connect().await? {
        Ok(version) => say(&format!("✓ {what} is accepted: Kubernetes {version} answers.")),
        Err(error) => return Err(format!("{what} is refused: {error}").into()),
    }
    Ok(())
}

async fn must_be_shut_out(what: &str, kubeconfig: &Kubeconfig) -> Outcome<()> {
    match kubeconfig.connect().await? {
        Ok(_) => Err(format!("{what} still works").into()),
        Err(error) => {
            say(&format!("✓ {what} is of no use any more: {error}."));
            Ok(())
        }
    }
}
