//! Consumers that never fail: while generations come and go, jobs and services log in without a pause with
//! the file that they were given.

use super::{ADDRESS, Current, days_later, resource};
use crate::support::consumers::{Client, Consumer, Habit};
use crate::support::openstack::Keystone;
use crate::support::terraform::Workspace;
use crate::support::tools::{Cli, figure};

/// Each consumer logs in at least so often between two events.
const ROUND: usize = 8;

/// Rotates by hand and by schedule. A file is written as soon as there is a new generation, in one piece:
/// whoever reads it meanwhile finds the old one or the new one.
fn configuration(trigger: u32) -> String {
    let arguments = format!(
        r#"
        name_prefix     = "ci-"
        rotation_period = "P30D"
        overlap         = "P7D"
        expires_in      = "P90D"
        triggers        = {{ n = "{trigger}" }}
        "#
    );
    let handed_on = r#"
        locals {
          clouds_yaml = provider::rekey::clouds_yaml("ci", {
            auth_url                      = rekey_application_credential.ci.auth_url
            region_name                   = rekey_application_credential.ci.region_name
            application_credential_id     = rekey_application_credential.ci.id
            application_credential_secret = rekey_application_credential.ci.secret
          })
        }

        resource "terraform_data" "file" {
          triggers_replace = rekey_application_credential.ci.id

          provisioner "local-exec" {
            command     = "printf %s \"$CLOUDS_YAML\" > clouds.new && mv clouds.new handed/clouds.yaml"
            environment = { CLOUDS_YAML = local.clouds_yaml }
          }
        }

        output "clouds_yaml" {
          value     = local.clouds_yaml
          sensitive = true
        }
    "#;
    resource(&arguments) + handed_on
}

/// All consumers of one credential, and the directory that it is managed in.
struct Crowd {
    workspace: Workspace,
    consumers: Vec<Consumer>,
    current: Current,
}

impl Crowd {
    async fn start(mut workspace: Workspace) -> Self {
        workspace.write("handed/.keep", "");
        workspace.write("main.tf", &configuration(1));
        workspace.apply(&[]).await.ok();
        publish(&mut workspace).await;
        let (written, published) =
            (workspace.path("handed/clouds.yaml"), workspace.path("handed/output.yaml"));
        let consumers = vec![
            Consumer::start(Client::Task, Habit::Job, &written),
            Consumer::start(Client::Task, Habit::Job, &published),
            Consumer::start(Client::Task, Habit::Service, &written),
            Consumer::start(Client::Task, Habit::Service, &published),
            Consumer::start(Client::Process, Habit::Job, &written),
            Consumer::start(Client::Process, Habit::Service, &published),
        ];
        let current = Current::of(&mut workspace).await;
        let crowd = Self { workspace, consumers, current };
        crowd.goes_on().await;
        crowd
    }

    /// Applies what is written; the generation that was current before.
    async fn apply(&mut self) -> Current {
        self.workspace.apply(&["tfplan"]).await.ok();
        publish(&mut self.workspace).await;
        let next = Current::of(&mut self.workspace).await;
        std::mem::replace(&mut self.current, next)
    }

    /// Everybody logs in a few times more.
    async fn goes_on(&self) {
        for consumer in &self.consumers {
            consumer.goes_on(ROUND).await;
        }
    }

    fn restart_services(&mut self) {
        self.consumers.iter_mut().filter(|it| it.is_service()).for_each(Consumer::restart);
    }

    /// What jobs and what services log in with by now.
    #[track_caller]
    fn hold(&self, jobs: &Current, services: &Current) {
        for consumer in &self.consumers {
            let expected = if consumer.is_service() { services } else { jobs };
            assert_eq!(consumer.tally().holds, expected.id, "{consumer:?}");
        }
    }
}

/// Writes the output to a file, as a pipeline does; in one piece.
async fn publish(workspace: &mut Workspace) {
    let text = workspace.output("clouds_yaml").await;
    workspace.write("output.new", &text);
    std::fs::rename(workspace.path("output.new"), workspace.path("handed/output.yaml")).unwrap();
}

#[tokio::test]
async fn no_consumer_is_refused_through_two_rotations_and_two_retirements() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut crowd = Crowd::start(Workspace::with_login(cli, &alice)).await;
        // One service that nobody restarts in time: that refusals are seen at all.
        let written = crowd.workspace.path("handed/clouds.yaml");
        let straggler = Consumer::start(Client::Task, Habit::Service, &written);
        straggler.goes_on(ROUND).await;

        // By hand.
        crowd.workspace.write("main.tf", &configuration(2));
        crowd.workspace.plan(&[]).await.ok().says("generation 2: trigger");
        let first = crowd.apply().await;
        crowd.goes_on().await;
        crowd.hold(&crowd.current, &first);
        first.works_for(&alice).await;
        crowd.current.works_for(&alice).await;
        assert_eq!(crowd.current.state["generation"], 2);

        // Within the overlap everybody is restarted once; then the first one ends.
        crowd.restart_services();
        crowd.goes_on().await;
        crowd.hold(&crowd.current, &crowd.current);
        days_later(&mut crowd.workspace, 8);
        crowd.workspace.plan(&[]).await.ok().says("overlap of generation 1");
        crowd.apply().await;
        crowd.goes_on().await;
        first.is_gone_for(&alice).await;
        crowd.current.works_for(&alice).await;
        straggler.is_refused().await;
        let refusal = straggler.tally().refused.pop().unwrap();
        assert!(refusal.contains(&first.id) && refusal.contains("404"), "{refusal}");
        drop(straggler);

        // By schedule.
        days_later(&mut crowd.workspace, 31);
        crowd.workspace.plan(&[]).await.ok().says("generation 3: rotation_period");
        let second = crowd.apply().await;
        crowd.goes_on().await;
        crowd.hold(&crowd.current, &second);
        second.works_for(&alice).await;
        crowd.current.works_for(&alice).await;

        crowd.restart_services();
        crowd.goes_on().await;
        days_later(&mut crowd.workspace, 39);
        let plan = crowd.workspace.plan(&[]).await.ok().says("overlap of generation 2");
        assert_eq!(plan.actions(ADDRESS), ["update"]);
        crowd.apply().await;
        crowd.goes_on().await;
        crowd.hold(&crowd.current, &crowd.current);
        second.is_gone_for(&alice).await;
        crowd.workspace.plan(&[]).await.empty();
        assert_eq!(keystone.only_credential(&alice).await["id"], crowd.current.id.as_str());

        let tallies: Vec<_> = crowd.consumers.iter().map(Consumer::tally).collect();
        let refused: Vec<_> = tallies.iter().flat_map(|tally| &tally.refused).collect();
        assert!(refused.is_empty(), "{refused:#?}");
        for tally in &tallies {
            assert_eq!(tally.held.len(), 3, "everybody moved twice: {tally:?}");
        }
        figure(&format!(
            "{} {}: {} consumers logged in {} times through two rotations and two retirements; 0 were refused",
            cli.name(),
            cli.version,
            tallies.len(),
            tallies.iter().map(|tally| tally.logins).sum::<usize>(),
        ));
    }
}
