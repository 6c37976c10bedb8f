//! The last part of the tour: a year in the life of an OKE cluster.

use rekey::cloud::Surroundings;
use rekey::cloud::http::Patience;
use rekey::cloud::kubernetes::{Access, Client, Error, Limits, Settings};
use rekey::cloud::oci;
use rekey::redaction::SecretString;
use rekey_sandbox::OkeSeen;

use crate::{Outcome, Tour, say, show, title};

const NAME: &str = "prod";

impl Tour {
    pub(crate) async fn rotate_an_oke_cluster(&mut self) -> Outcome<()> {
        title("8. A year of an OKE cluster");
        let old = self.cloud.create_oke_cluster(NAME);
        say(
            "alice has a cluster in Oracle's Kubernetes Engine, whose CAs live for five years. A rotation there has two",
        );
        say(
            "phases: new credentials are issued, and the old ones are retired when the clients have moved.",
        );
        let alice = self.cloud.oci("alice");
        self.directory.write("key.pem", alice.private_key)?;
        let key = self.directory.path("key.pem");
        self.directory.write("oci.conf", &alice.config_file(&key))?;
        self.address = "rekey_cluster_credential_rotation.oke";
        show(&self.configure_oke("2026", "")?);
        self.apply(&["phase", "auto_completes_at", "expires_at"])?;
        let overlap = self.cloud.oke(NAME);
        self.must_get_in("A kubeconfig from before", &old).await?;
        self.must_get_in("One with the old and the new CA", &overlap).await?;
        say("The apply does not wait for two weeks, and a plan made meanwhile is empty.");
        self.plan(&["generation"])?;

        self.pass_days(15);
        say(
            "OKE has retired the old credentials at the end of the overlap; the next refresh shows it:",
        );
        self.directory.run(&["apply", "-auto-approve", "-input=false", "-refresh-only"])?;
        show(&format!("phase = {}", self.directory.resource(self.address)?["phase"]));
        self.must_be_kept_out("The kubeconfig from before", &old).await?;
        self.must_get_in("The one with both CAs", &overlap).await?;

        self.pass_days(350);
        self.configure_oke("2027", "")?;
        self.plan(&["generation", "rotation_reason"])?;
        self.apply(&["phase", "rotation_reason"])?;
        say(
            "This time the clients have moved already. But OKE takes no completion within 24 hours, so the plan says:",
        );
        self.configure_oke("2027", "  complete_generation = 2\n")?;
        match self.directory.run(&["plan", "-input=false"]) {
            Ok(_) => return Err("a completion within 24 hours was planned".into()),
            Err(error) => show(&only_error(&error.to_string())),
        }
        self.pass_days(1);
        self.apply(&["generation", "phase"])?;
        self.must_be_kept_out("Last year's kubeconfig", &overlap).await?;
        say("$ destroy");
        self.directory.run(&["destroy", "-auto-approve", "-input=false"])?;
        let seen = self.cloud.oke(NAME);
        if (seen.starts, seen.completions) == (2, 2) {
            return Ok(());
        }
        Err(format!("{} rotations were started, {} completed", seen.starts, seen.completions)
            .into())
    }

    /// Writes main.tf and returns its resource.
    fn configure_oke(&self, year: &str, more: &str) -> Outcome<String> {
        let resource = format!(
            r#"resource "rekey_cluster_credential_rotation" "oke" {{
  oke          = {{ cluster_id = "{}" }}
  overlap      = "P14D"
  renew_before = "P120D"
  triggers     = {{ year = "{year}" }}
{more}}}
"#,
            self.cloud.oke(NAME).id
        );
        let (config, endpoint) = (self.directory.path("oci.conf"), self.cloud.oci_endpoint());
        let login = format!(
            "oci = {{ config_file = \"{}\", endpoint = \"{endpoint}\" }}",
            config.display()
        );
        let provider = crate::PROVIDER_BLOCK.replace("openstack = { cloud = \"sandbox\" }", &login);
        self.directory.write("main.tf", &format!("{resource}{provider}"))?;
        Ok(resource)
    }

    /// What the cluster says to somebody who trusts what that kubeconfig trusts, with a token of this moment.
    async fn get_in(&self, kubeconfig: &OkeSeen) -> Outcome<Result<String, Error>> {
        let alice = self.cloud.oci("alice");
        let settings = oci::config::Settings {
            endpoint: Some(alice.endpoint),
            fingerprint: Some(alice.fingerprint),
            private_key: Some(SecretString::from(alice.private_key)),
            region: Some(alice.region.to_owned()),
            tenancy_ocid: Some(alice.tenancy),
            user_ocid: Some(alice.user),
            ..oci::config::Settings::default()
        };
        let account = oci::config::resolve(&settings, &Surroundings::default())?;
        let patience = Patience::default();
        let made = oci::Session::new(account).bearer_token(&kubeconfig.id, &patience).await?;
        let settings = Settings {
            host: Some(kubeconfig.api_address.clone()),
            cluster_ca_certificate: Some(kubeconfig.authorities.join("\n")),
            token: Some(made.token),
            ..Settings::default()
        };
        let access = Access::resolve(&settings, &Surroundings::default())?;
        let client = Client::with_limits(access, Limits { attempts: 1, ..Limits::default() });
        Ok(client.version(&patience).await.map(|(version, _)| version))
    }

    async fn must_get_in(&self, what: &str, kubeconfig: &OkeSeen) -> Outcome<()> {
        match self.get_in(kubeconfig).await? {
            Ok(version) => say(&format!("✓ {what} is accepted: Kubernetes {version} answers.")),
            Err(error) => return Err(format!("{what} is refused: {error}").into()),
        }
        Ok(())
    }

    async fn must_be_kept_out(&self, what: &str, kubeconfig: &OkeSeen) -> Outcome<()> {
        match self.get_in(kubeconfig).await? {
            Ok(_) => return Err(format!("{what} still works").into()),
            Err(error) => say(&format!("✓ {what} is of no use any more: {error}.")),
        }
        Ok(())
    }
}

/// The diagnostic of a failed command, without the frame around it.
fn only_error(text: &str) -> String {
    let bare = |line: &str| line.trim_start_matches(['│', '╷', '╵', ' ']).to_owned();
    let from = text.lines().position(|line| line.contains("Error:")).unwrap_or_default();
    let lines = text.lines().skip(from).map(bare).filter(|line| !line.is_empty());
    lines.take(6).collect::<Vec<_>>().join("\n")
}
