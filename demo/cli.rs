//! A working directory for the real CLI with the provider that was just built; nothing of the caller's
//! configuration, environment or home directory is used.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rekey::provider::address;
use serde_json::Value;
use tempfile::TempDir;

use crate::Outcome;

const PROVIDER: &str = "terraform-provider-rekey";

pub(crate) struct Directory {
    folder: TempDir,
    cli: PathBuf,
    environment: BTreeMap<&'static str, String>,
}

impl Directory {
    pub(crate) fn new() -> Outcome<Self> {
        // This program is target/<profile>/examples/demo.
        let program = std::env::current_exe()?;
        let built = program.parent().and_then(Path::parent).ok_or("no build folder")?;
        let folder = tempfile::tempdir_in(built)?;
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins)?;
        fs::hard_link(built.join(PROVIDER), plugins.join(PROVIDER))?;
        let overrides: Vec<_> = address::full()
            .iter()
            .map(|name| format!("    \"{name}\" = \"{}\"", plugins.display()))
            .collect();
        let config = format!(
            "disable_checkpoint = true\nprovider_installation {{\n  dev_overrides {{\n{}\n  }}\n  \
             direct {{}}\n}}\n",
            overrides.join("\n")
        );
        let directory = Self { folder, cli: find()?, environment: BTreeMap::new() };
        directory.write("cli.tfrc", &config)?;
        Ok(directory)
    }

    pub(crate) fn cli(&self) -> std::path::Display<'_> {
        self.cli.display()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Outcome<()> {
        Ok(fs::write(self.folder.path().join(name), text)?)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sets a variable for all later commands.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.environment.insert(name, value.to_owned());
    }

    /// What the command prints; everything it says where it fails.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome<String> {
        let output = Command::new(&self.cli)
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("CHECKPOINT_DISABLE", "1")
            .env("HOME", self.folder.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TF_CLI_ARGS", "-no-color")
            .env("TF_CLI_CONFIG_FILE", self.folder.path().join("cli.tfrc"))
            .env("TF_IN_AUTOMATION", "1")
            .envs(&self.environment)
            .stdin(Stdio::null())
            .output()?;
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(out);
        }
        let command = arguments.join(" ");
        Err(format!("{command} failed:\n{out}\n{}", String::from_utf8_lossy(&output.stderr)).into())
    }

    /// Whether this CLI is 1.11 or newer, be it Terraform or OpenTofu.
    pub(crate) fn has_write_only_arguments(&self) -> Outcome<bool> {
        let told: Value = serde_json::from_str(&self.run(&["version", "-json"])?)?;
        let version = told["terraform_version"].as_str().unwrap_or_default();
        let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
        Ok((numbers.next(), numbers.next()) >= (Some(1), Some(11)))
    }

    /// The attributes of a resource in the state.
    pub(crate) fn resource(&self, address: &str) -> Outcome<Value> {
        let state: Value = serde_json::from_str(&self.run(&["show", "-json"])?)?;
        let resources = state["values"]["root_module"]["resources"].as_array();
        let found = resources.into_iter().flatten().find(|resource| resource["address"] == address);
        Ok(found.ok_or("the state does not hold the resource")?["values"].clone())
    }
}

/// `TF` or `TOFU` may name it; else `terraform`, else `tofu`.
fn find() -> Outcome<PathBuf> {
    let named = ["TF", "TOFU"].into_iter().filter_map(std::env::var_os);
    let wanted = named.chain(["terraform".into(), "tofu".into()]);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    for name in wanted {
        let mut candidates = std::env::split_paths(&folders).map(|folder| folder.join(&name));
        if let Some(found) = candidates.find(|candidate| candidate.is_file()) {
            return Ok(found);
        }
        if Path::new(&name).is_file() {
            return Ok(fs::canonicalize(name)?);
        }
    }
    Err("neither terraform nor tofu is on the PATH; set TF or TOFU".into())
}
