//! `make demo`: the life of a credential, and of a cluster's, with the real `terraform` or `tofu`, against a stand-in
//! cloud in this process. Tells at each step what happens, and checks that it did.

#![allow(clippy::print_stdout)]

mod cli;
mod cluster;
mod consumer;
mod oke;
mod openshift;

use std::error::Error;
use std::io::IsTerminal;
use std::time::Instant;

use cli::Directory;
use consumer::{Credential, login};
use jiff::SignedDuration;
use rekey_sandbox::Sandbox;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PROVIDER_BLOCK: &str = concat!(
    r#"
terraform {
  required_providers {
    rekey = { source = ""#,
    env!("PROVIDER_ADDRESS"),
    r#"" }
  }
}

provider "rekey" {
  openstack = { cloud = "sandbox" }
}
"#
);

#[tokio::main]
async fn main() -> Outcome<()> {
    let begun = Instant::now();
    let cloud = Sandbox::start().await;
    let directory = Directory::new()?;
    let alice = cloud.user("alice");
    directory.write(
        "clouds.yaml",
        &format!(
            "clouds:\n  sandbox:\n    region_name: RegionOne\n    auth:\n      auth_url: {}\n      username: alice\n      \
             password: {}\n      project_name: demo\n      user_domain_name: Default\n      \
             project_domain_name: Default\n",
            cloud.auth_url(),
            alice.password
        ),
    )?;
    title("The setting");
    say(&format!(
        "A stand-in cloud with users, roles, clusters and a clock of its own is at {}.",
        cloud.auth_url()
    ));
    say("clouds.yaml holds the login of its user alice, as for any OpenStack cloud.");
    say(&format!("The CLI is {}; the provider is the one that was just built.", directory.cli()));

    let address = "rekey_application_credential.ci";
    let mut tour = Tour { cloud, directory, address, offset: SignedDuration::ZERO };
    let first = tour.issue().await?;
    let second = tour.rotate(&first).await?;
    tour.let_the_overlap_end(&first, &second).await?;
    let third = tour.keep_the_schedule(&second).await?;
    tour.destroy(&[&first, &second, &third]).await?;
    tour.rotate_a_cluster().await?;
    tour.replace_its_ca().await?;
    tour.rotate_an_oke_cluster().await?;
    tour.rotate_openshift().await?;

    title("That was it");
    say(&format!(
        "Three generations of a credential, the credentials of three clusters and a CA, and a year of one of them, in {} seconds; no consumer was left without one that works.",
        begun.elapsed().as_secs()
    ));
    say(
        "README.md tells how to install the provider, docs/guides/ how to choose a way of rotation.",
    );
    Ok(())
}

struct Tour {
    cloud: Sandbox,
    directory: Directory,
    /// The resource that is looked at.
    address: &'static str,
    offset: SignedDuration,
}

impl Tour {
    async fn issue(&mut self) -> Outcome<Credential> {
        title("1. Issue");
        say("A credential for a pipeline: a new one every 30 days or when the trigger changes;");
        say("whoever holds the old one has a week to change over.");
        show(&self.configure("2026Q4")?);
        self.apply(&["generation", "name", "expires_at", "rotation_due_at"])?;
        let credential = self.credential()?;
        self.must_work("The pipeline logs in with it", &credential).await?;
        Ok(credential)
    }

    async fn rotate(&mut self, old: &Credential) -> Outcome<Credential> {
        title("2. Rotate");
        say("The trigger changes. The plan says what will happen, and why:");
        self.configure("2027Q1")?;
        self.plan(&["generation", "rotation_reason", "previous_generations", "revoke_after"])?;
        self.apply(&["generation", "rotation_reason"])?;
        let new = self.credential()?;
        say("Before anything depended on it, the provider has logged in with the new one.");
        self.must_work("Whoever has fetched the new one logs in", &new).await?;
        self.must_work("Whoever still holds the old one logs in too", old).await?;
        Ok(new)
    }

    async fn let_the_overlap_end(&mut self, old: &Credential, new: &Credential) -> Outcome<()> {
        title("3. Eight days later");
        self.pass_days(8);
        say("The overlap is over. The next plan says that the old one goes, and apply revokes it:");
        self.plan(&["previous_generations", "rotation_due", "reason", "deadline"])?;
        self.apply(&["previous_generations"])?;
        self.must_work("The new one logs in", new).await?;
        self.must_be_refused("The old one", old).await
    }

    async fn keep_the_schedule(&mut self, old: &Credential) -> Outcome<Credential> {
        title("4. Three weeks later");
        self.pass_days(23);
        say("Nobody has changed a line, but the credential is older than 30 days:");
        self.plan(&["generation", "rotation_reason"])?;
        self.apply(&["generation", "rotation_reason"])?;
        let new = self.credential()?;
        self.must_work("The next generation logs in", &new).await?;
        self.must_work("The one before it, for another week", old).await?;
        Ok(new)
    }

    async fn destroy(&mut self, all: &[&Credential]) -> Outcome<()> {
        title("5. Destroy");
        say("$ destroy");
        self.directory.run(&["destroy", "-auto-approve", "-input=false"])?;
        for credential in all {
            self.must_be_refused(&format!("Generation {}", credential.generation), credential)
                .await?;
        }
        let left = self.cloud.credentials("alice").len();
        if left == 0 {
            Ok(())
        } else {
            Err(format!("{left} credentials are left in the cloud").into())
        }
    }

    /// Writes main.tf and returns its resource.
    fn configure(&self, quarter: &str) -> Outcome<String> {
        let resource = format!(
            r#"resource "rekey_application_credential" "ci" {{
  name_prefix     = "ci-"
  roles           = ["member"]
  expires_in      = "P90D"
  rotation_period = "P30D"
  overlap         = "P7D"
  triggers        = {{ quarter = "{quarter}" }}
}}
"#
        );
        self.directory.write("main.tf", &format!("{resource}{PROVIDER_BLOCK}"))?;
        Ok(resource)
    }

    /// Moves the cloud's clock and the provider's.
    fn pass_days(&mut self, days: i64) {
        self.offset += SignedDuration::from_hours(days * 24);
        self.cloud.set_clock_offset(self.offset);
        self.directory.set("REKEY_CLOCK_OFFSET", &self.offset.as_secs().to_string());
        say(&format!("(The clocks of the cloud and of the provider go {days} days forward.)"));
    }

    fn plan(&self, attributes: &[&str]) -> Outcome<()> {
        say("$ plan");
        let text = self.directory.run(&["plan", "-input=false"])?;
        show(&only(&text, attributes));
        Ok(())
    }

    fn apply(&self, attributes: &[&str]) -> Outcome<()> {
        say("$ apply");
        self.directory.run(&["apply", "-auto-approve", "-input=false"])?;
        let state = self.directory.resource(self.address)?;
        for name in attributes {
            show(&format!("{name} = {}", state[name]));
        }
        Ok(())
    }

    /// What a consumer would be handed.
    fn credential(&self) -> Outcome<Credential> {
        let state = self.directory.resource(self.address)?;
        let text = |name: &str| state[name].as_str().map(str::to_owned).ok_or("no such value");
        Ok(Credential {
            generation: state["generation"].as_i64().ok_or("no generation")?,
            id: text("id")?,
            secret: text("secret")?,
        })
    }

    async fn must_work(&self, who: &str, credential: &Credential) -> Outcome<()> {
        match login(self.cloud.address(), credential).await? {
            Ok(roles) => say(&format!("✓ {who}: a token with the roles {}.", roles.join(", "))),
            Err(refusal) => return Err(format!("{who}: refused, {refusal}").into()),
        }
        Ok(())
    }

    async fn must_be_refused(&self, who: &str, credential: &Credential) -> Outcome<()> {
        match login(self.cloud.address(), credential).await? {
            Ok(_) => return Err(format!("{who} still works").into()),
            Err(refusal) => say(&format!("✓ {who} is refused: {refusal}.")),
        }
        Ok(())
    }
}

/// The lines of a printed plan that name the resource, one of these attributes, or the sum.
fn only(plan: &str, attributes: &[&str]) -> String {
    let wanted = |line: &&str| {
        let words: Vec<_> = line.split_whitespace().collect();
        line.trim_start().starts_with("# rekey")
            || line.starts_with("Plan:")
            || words.iter().take(2).any(|word| attributes.contains(word))
    };
    plan.lines().filter(wanted).collect::<Vec<_>>().join("\n")
}

fn title(text: &str) {
    println!("\n{}", styled("1", text));
}

fn say(text: &str) {
    println!("  {text}");
}

fn show(text: &str) {
    for line in text.lines() {
        println!("      {}", styled("2", line));
    }
}

/// Bold (1) or faint (2) on a terminal, plain elsewhere.
fn styled(code: &str, text: &str) -> String {
    if std::io::stdout().is_terminal() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}
