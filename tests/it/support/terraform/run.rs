//! What a command of the CLI came to, and what it must have said.

use std::fmt::Write as _;
use std::process::Output;

use serde_json::Value;

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) command: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// What was logged at `TRACE`.
    pub(crate) log: String,
    /// None: killed by a signal.
    pub(crate) code: Option<i32>,
}

impl Run {
    pub(crate) fn new(command: String, output: &Output) -> Self {
        Self {
            command,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            log: String::new(),
            code: output.status.code(),
        }
    }

    /// It must have succeeded (exit code 0, or 2 of a plan with changes).
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        let plan = self.command.contains("-detailed-exitcode");
        assert!(self.code == Some(0) || plan && self.code == Some(2), "{self}");
        self
    }

    /// It must have failed.
    #[track_caller]
    pub(crate) fn fails(self) -> Self {
        assert!(self.code == Some(1), "this should have failed with exit code 1: {self}");
        self
    }

    /// It must say this, in whatever lines it is broken into.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.text().contains(&flat(text)), "this does not say «{text}»: {self}");
        self
    }

    /// It must not say this.
    #[track_caller]
    pub(crate) fn says_not(self, text: &str) -> Self {
        assert!(!self.text().contains(&flat(text)), "this says «{text}»: {self}");
        self
    }

    /// All that was printed, without the frame around diagnostics, with single spaces for line breaks.
    pub(crate) fn text(&self) -> String {
        flat(&format!("{}\n{}", self.stdout, self.stderr))
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` ended with {:?}\n{}\n{}",
            self.command, self.code, self.stdout, self.stderr
        )?;
        let lines: Vec<_> =
            self.log.lines().filter(|line| line.contains("provider.terraform-")).collect();
        let end = lines.iter().rev().take(60).rev().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{line}");
            text
        });
        if end.is_empty() { Ok(()) } else { write!(f, "\nthe end of the provider's log:\n{end}") }
    }
}

/// Without the bars that frame diagnostics, and with single spaces wherever there is white space.
fn flat(text: &str) -> String {
    let bare = text.replace(['│', '╷', '╵'], " ");
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A plan: what was printed and what it holds.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) run: Run,
    /// As `show -json` tells it; null when planning failed.
    pub(crate) json: Value,
}

impl Plan {
    /// It must have worked.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        Self { run: self.run.ok(), ..self }
    }

    /// It must have worked and change nothing.
    #[track_caller]
    pub(crate) fn empty(self) -> Self {
        assert!(self.run.code == Some(0), "this should change nothing: {}", self.run);
        self
    }

    #[track_caller]
    pub(crate) fn fails(self) -> Run {
        self.run.fails()
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        Self { run: self.run.says(text), ..self }
    }

    #[track_caller]
    pub(crate) fn says_not(self, text: &str) -> Self {
        Self { run: self.run.says_not(text), ..self }
    }

    /// The change of one resource: `before`, `after`, `after_unknown`, `actions`.
    pub(crate) fn change(&self, address: &str) -> &Value {
        let changes = self.json["resource_changes"].as_array().unwrap();
        let found = changes.iter().find(|change| change["address"] == address);
        found.map_or(&Value::Null, |change| &change["change"])
    }

    /// For example `["update"]` or `["delete", "create"]`.
    pub(crate) fn actions(&self, address: &str) -> Vec<&str> {
        let actions = self.change(address)["actions"].as_array();
        actions.into_iter().flatten().map(|action| action.as_str().unwrap()).collect()
    }
}
