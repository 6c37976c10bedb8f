//! The third part of the tour: an OpenShift cluster, from Keystone to every component.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rekey_sandbox::openshift::{Cloud, ClusterHandle, Contents, Platform, component};
use serde_json::Value;

use crate::consumer::Credential;
use crate::{Outcome, Tour, say, show, title};

const CREDENTIAL: &str = "rekey_application_credential.cluster";

impl Tour {
    pub(crate) async fn rotate_openshift(&mut self) -> Outcome<()> {
        title("8. An OpenShift cluster, from Keystone to every component");
        if !self.directory.has_write_only_arguments()? {
            say(
                "(Left out: it needs write-only arguments, which came with Terraform and OpenTofu 1.11.)",
            );
            return Ok(());
        }
        let alice = self.cloud.user("alice");
        let installed = format!(
            "clouds:\n  openstack:\n    region_name: RegionOne\n    auth:\n      auth_url: {}\n      username: alice\n      \
             password: {}\n      project_name: demo\n      user_domain_name: Default\n      project_domain_name: Default\n",
            self.cloud.auth_url(),
            alice.password
        );
        let contents = Contents::new(Platform::Openstack, "", &[("clouds.yaml", &installed)]);
        let cluster = self.cloud.create_openshift("prod", &contents, Cloud::default());
        self.directory.write("kubeconfig", &cluster.kubeconfig())?;
        say(
            "A cluster was installed with alice's password, and its Cloud Credential Operator has copied that",
        );
        say(
            "to every component. Now it gets an application credential, and a new one whenever asked:",
        );
        show(&self.configure_openshift("1")?);
        self.address = "rekey_cluster_credential_rotation.openshift";
        self.apply(&["phase"])?;
        let first = self.components_hold(&cluster, &contents).await?;
        say("The trigger changes:");
        self.configure_openshift("2")?;
        self.plan(&["generation", "rotation_reason"])?;
        self.apply(&["phase", "generation"])?;
        let second = self.components_hold(&cluster, &contents).await?;
        self.must_work("A component that is slow to take it up still logs in", &first).await?;
        self.pass_days(8);
        say("The overlap is over, and the former one goes:");
        self.apply(&[])?;
        self.must_be_refused("The former one", &first).await?;
        self.must_work("Every component's", &second).await
    }

    /// All components hold the same credential, and it works.
    async fn components_hold(
        &self,
        cluster: &ClusterHandle,
        contents: &Contents,
    ) -> Outcome<Credential> {
        let mut held = Vec::new();
        for (request, ..) in &contents.components {
            let (namespace, name) = component(contents, request).ok_or("no such component")?;
            let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
            let secret = cluster.api().get(&path).await?.ok_or("a component has no secret")?;
            let text = secret["data"]["clouds.yaml"].as_str().ok_or("no clouds.yaml")?;
            let clouds: Value =
                serde_saphyr::from_str(&String::from_utf8(BASE64_STANDARD.decode(text)?)?)?;
            held.push(clouds["clouds"]["openstack"]["auth"].clone());
        }
        if held.iter().any(|other| *other != held[0]) {
            return Err("the components hold different credentials".into());
        }
        let text = |key: &str| held[0][key].as_str().map(str::to_owned).ok_or("no credential");
        let credential = Credential {
            generation: self.directory.resource(CREDENTIAL)?["generation"].as_i64().unwrap_or(0),
            id: text("application_credential_id")?,
            secret: text("application_credential_secret")?,
        };
        let who = format!("All {} components hold it, and log in", held.len());
        self.must_work(&who, &credential).await?;
        Ok(credential)
    }

    /// Writes main.tf and returns what is in it besides the provider.
    fn configure_openshift(&self, trigger: &str) -> Outcome<String> {
        let resources = format!(
            r#"resource "rekey_application_credential" "cluster" {{
  name_prefix = "openshift-"
  roles       = ["member"]
  overlap     = "P7D"
  triggers    = {{ reissue = "{trigger}" }}
}}

resource "rekey_cluster_credential_rotation" "openshift" {{
  openshift = {{
    clouds_yaml_wo = provider::rekey::clouds_yaml("openstack", {{
      auth_url                      = rekey_application_credential.cluster.auth_url
      region_name                   = rekey_application_credential.cluster.region_name
      application_credential_id     = rekey_application_credential.cluster.id
      application_credential_secret = rekey_application_credential.cluster.secret
    }})
    clouds_yaml_wo_version = rekey_application_credential.cluster.generation
  }}
}}
"#
        );
        let provider = crate::PROVIDER_BLOCK.replace(
            "openstack = { cloud = \"sandbox\" }",
            "openstack  = { cloud = \"sandbox\" }\n  kubernetes = { config_path = \"kubeconfig\" }",
        );
        self.directory.write("main.tf", &format!("{resources}{provider}"))?;
        Ok(resources)
    }
}
