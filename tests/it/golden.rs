//! What `terraform plan` prints, for each reason: an operator must understand it without the documentation.
//! Whoever changes a wording sees here what becomes of it.
//!
//! Terraform and OpenTofu of all versions print the same but for what `of_every_cli` takes away.
//!
//! The stand-in Keystone is enough here, as only the print matters; what it does to a real one is in
//! `scenarios`. What differs in each run is written as `<…>`; moments are days since the first apply.
//! To take a change over: look at it, then run with `INSTA_UPDATE=always`.

mod beginning;
mod ending;
mod lifecycle;
mod printing;
mod rotating;
mod seeing;

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use rekey_sandbox::{Account, Sandbox};
use serde_json::json;

use crate::support::terraform::{REQUIRED, Run, Workspace};
use crate::support::tools::Cli;

const ADDRESS: &str = "rekey_application_credential.ci";

/// Most cases begin with this one.
const OVERLAPPING: &str = r#"
  name_prefix = "ci-"
  roles       = ["member"]
  overlap     = "P7D"
"#;

/// One directory on one cloud, and the time that passes there.
struct Stage {
    cloud: Sandbox,
    workspace: Workspace,
    began: Timestamp,
    /// Whose credentials are looked at.
    users: Vec<&'static str>,
    /// What stands for what: a text that differs in each run, and its label.
    labels: Vec<(String, String)>,
}

impl Stage {
    /// An empty directory of alice's.
    async fn empty(cli: &Cli) -> Self {
        let cloud = Sandbox::start().await;
        let mut workspace = Workspace::new(cli);
        workspace.write(
            "provider.tf",
            &format!(
                "{REQUIRED}\nprovider \"rekey\" {{\n  openstack = {{ cloud = \"test\" }}\n}}\n"
            ),
        );
        workspace.clouds_yaml(&clouds_yaml(&cloud, &cloud.user("alice"), "demo"));
        let users = vec!["alice", "bob", "admin"];
        let labels = Vec::new();
        let mut stage = Self { cloud, workspace, began: Timestamp::now(), users, labels };
        for user in stage.users.clone() {
            let id = stage.cloud.user(user).id;
            stage.label(&id, &format!("<{user}'s id>"));
        }
        stage.label(&stage.cloud.project("demo").id, "<demo's id>");
        stage.label(&stage.cloud.auth_url(), "<auth_url>");
        stage
    }

    /// With a credential of these arguments.
    async fn with(cli: &Cli, arguments: &str) -> Self {
        let mut stage = Self::empty(cli).await;
        stage.becomes(arguments).await;
        stage
    }

    fn write(&self, arguments: &str) {
        let block =
            format!("resource \"rekey_application_credential\" \"ci\" {{\n{arguments}\n}}\n");
        self.workspace.write("main.tf", &block);
    }

    /// Writes these arguments and applies them.
    async fn becomes(&mut self, arguments: &str) {
        self.write(arguments);
        self.apply().await;
    }

    async fn apply(&mut self) {
        self.workspace.apply(&[]).await.ok();
        self.learn();
    }

    fn log_in(&mut self, user: &str, project: &str) {
        let clouds = clouds_yaml(&self.cloud, &self.cloud.user(user), project);
        self.workspace.clouds_yaml(&clouds);
    }

    /// So many days later than the first apply, for the cloud and for the provider.
    fn day(&mut self, day: i64) {
        self.cloud.set_clock_offset(SignedDuration::from_hours(24 * day));
        self.workspace.env("REKEY_CLOCK_OFFSET", &(86_400 * day).to_string());
    }

    /// The id of the credential that is current by the state.
    async fn id(&mut self) -> String {
        self.workspace.resource(ADDRESS).await["id"].as_str().unwrap().to_owned()
    }

    /// What a plan prints must be this snapshot.
    async fn prints(&mut self, name: &str) {
        self.prints_with(name, &[]).await;
    }

    /// What a plan with these options prints must be this snapshot.
    async fn prints_with(&mut self, name: &str, options: &[&str]) {
        let mut arguments = vec!["plan", "-input=false"];
        arguments.extend(options);
        let run = self.workspace.run(&arguments).await;
        self.learn();
        let text = self.readable(&run);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("golden/snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, text));
    }

    fn label(&mut self, text: &str, label: &str) {
        if !self.labels.iter().any(|(known, _)| known == text) {
            self.labels.push((text.to_owned(), label.to_owned()));
        }
    }

    /// Names everything that the cloud has by now.
    fn learn(&mut self) {
        for user in self.users.clone() {
            for credential in self.cloud.credentials(user) {
                let number = self.labels.iter().filter(|(_, it)| it.starts_with("<id ")).count();
                self.label(&credential.id, &format!("<id {}>", number + 1));
                if let Some((front, mark)) = credential.name.rsplit_once('-')
                    && front.ends_with(|c: char| c.is_ascii_digit())
                {
                    self.label(mark, "<mark>");
                }
            }
        }
    }

    /// What an operator reads, without what differs in each run.
    fn readable(&self, run: &Run) -> String {
        let mut text = of_every_cli(&flowing(&format!("{}\n{}", run.stdout, run.stderr)));
        for (known, label) in &self.labels {
            text = text.replace(known, label);
        }
        broken(&days(&text, self.began))
    }
}

fn clouds_yaml(cloud: &Sandbox, user: &Account, project: &str) -> String {
    json!({ "clouds": { "test": {
        "auth": {
            "auth_url": cloud.auth_url(),
            "username": user.name,
            "password": user.password,
            "user_domain_name": "Default",
            "project_name": project,
            "project_domain_name": "Default",
        },
        "region_name": "RegionOne",
    }}})
    .to_string()
}

/// The plan and the diagnostics, each paragraph of a diagnostic on one line: where it was broken depends on
/// texts that differ in each run.
fn flowing(printed: &str) -> String {
    let diagnoses = |line: &str| line.starts_with("Warning: ") || line.starts_with("Error: ");
    let begins = |line: &str| {
        ["Note: Objects", "No changes.", "This is a refresh-only", "Unless you have made"]
            .iter()
            .any(|start| line.starts_with(start))
            || ["Terraform", "OpenTofu"].iter().any(|name| {
                line.strip_prefix(name).is_some_and(|rest| {
                    [
                        " used the",
                        " will perform",
                        " planned the",
                        " has compared",
                        " detected",
                        " has checked",
                    ]
                    .iter()
                    .any(|start| rest.starts_with(start))
                })
            })
            || diagnoses(line)
    };
    // The actions' legend, the warning that the provider under test is not an installed one, and what core
    // says at length in other words each time.
    let skipped = |line: &str| {
        [
            "used the selected providers",
            "development overrides",
            "has compared your real",
            "has checked that",
            "This is a refresh-only",
            "Unless you have made",
        ]
        .iter()
        .any(|part| line.contains(part))
    };
    let (mut text, mut shown, mut flows) = (String::new(), false, false);
    for line in printed.lines() {
        if begins(line) {
            shown = !skipped(line);
            flows = diagnoses(line);
        }
        if line.starts_with("────") {
            shown = false;
        }
        if !shown {
            continue;
        }
        let goes_on = flows && !line.is_empty() && !line.starts_with(' ') && !begins(line);
        if goes_on && !text.ends_with("\n\n") {
            text.pop();
            text.push(' ');
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The same from every version of both CLIs: OpenTofu's words are Terraform's, write-only arguments are shown as
/// each likes it, and so are counted among what is hidden or are not.
fn of_every_cli(text: &str) -> String {
    let shown = text.lines().filter(|line| !line.contains("(write-only attribute)"));
    let same = shown.map(|line| {
        if line.starts_with("        # (") && line.ends_with(" hidden)") {
            return "        # (… unchanged attributes hidden)".to_owned();
        }
        line.replace("OpenTofu", "Terraform")
            .replace("tofu apply", "terraform apply")
            .replace("is tainted, so it must be replaced", "is tainted, so must be replaced")
    });
    same.fold(String::new(), |text, line| text + &line + "\n")
}

/// Long lines of prose broken again, at a width that suits a reader.
fn broken(text: &str) -> String {
    const WIDTH: usize = 100;
    let mut result = String::new();
    for line in text.lines() {
        if line.starts_with(' ') || line.len() <= WIDTH {
            result.push_str(line);
        } else {
            let mut width = 0;
            for word in line.split(' ') {
                let gap = if width == 0 {
                    ""
                } else if width + word.len() >= WIDTH {
                    width = 0;
                    "\n"
                } else {
                    " "
                };
                result.push_str(gap);
                result.push_str(word);
                width += word.len() + 1;
            }
        }
        result.push('\n');
    }
    result
}

/// Every moment as the day it is on, counted from the beginning.
fn days(text: &str, began: Timestamp) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((at, length)) = moment(rest) {
            let seconds = at.duration_since(began).as_secs();
            let day = (seconds + 43_200).div_euclid(86_400);
            let _ = write!(result, "<day {day}>");
            rest = &rest[length..];
        } else {
            result.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    result
}

/// A moment at the beginning of the text, as arguments and as sentences write it, and its length.
fn moment(text: &str) -> Option<(Timestamp, usize)> {
    let written = text.get(..20).filter(|part| part.ends_with('Z'));
    if let Some(at) = written.and_then(|part| part.parse().ok()) {
        return Some((at, 20));
    }
    // Seconds stand there only where there are any.
    [(16, ":00"), (19, "")].into_iter().find_map(|(length, seconds)| {
        let (date, time) = text.get(..length)?.split_once(' ')?;
        let at = format!("{date}T{time}{seconds}Z").parse().ok()?;
        text.get(length..)?.starts_with(" UTC").then_some((at, length + 4))
    })
}

#[test]
fn moments_become_days() {
    let began: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let text = "\"2026-12-22T10:00:31Z\" -> at 2026-11-22 10:02:03 UTC or 2026-11-21 09:00 UTC, 2026-11-22";
    assert_eq!(days(text, began), "\"<day 30>\" -> at <day 0> or <day -1>, 2026-11-22");
}
