//! The programs that tests run, found once; each missing one is said with how to get it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A command-line program that runs the provider: `terraform` or `tofu`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cli {
    pub(crate) path: PathBuf,
    /// OpenTofu prints some things in its own way, and has another registry.
    pub(crate) is_tofu: bool,
    /// For example `1.11.4`.
    pub(crate) version: String,
}

/// What came with some version; docs/guides/versions.md tells users of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    EphemeralResources,
    Functions,
    ImportById,
    ImportByIdentity,
    MovesFromOtherTypes,
    /// Shows a provider whether it plans for an apply.
    TellsApplies,
    WriteOnlyArguments,
}

impl Feature {
    /// Major and minor version.
    fn since(self, tofu: bool) -> (u32, u32) {
        let minors = match self {
            Self::EphemeralResources => (10, 11),
            Self::Functions => (8, 7),
            Self::ImportById => (5, 5),
            Self::ImportByIdentity => (12, 12),
            Self::MovesFromOtherTypes => (8, 10),
            Self::TellsApplies => (9, u32::MAX),
            Self::WriteOnlyArguments => (11, 11),
        };
        (1, if tofu { minors.1 } else { minors.0 })
    }
}

impl Cli {
    /// Every one that is there: `TF` (default `terraform`) and `TOFU` (default `tofu`), a name or a path.
    /// A scenario runs under each of them.
    pub(crate) fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Cli>> = LazyLock::new(|| {
            let found: Vec<_> =
                [("TF", "terraform"), ("TOFU", "tofu")].into_iter().filter_map(find_cli).collect();
            assert!(
                !found.is_empty(),
                "neither terraform nor tofu was found. Install one (https://developer.hashicorp.com/terraform/install \
                 or https://opentofu.org/docs/intro/install), or set TF or TOFU to its path"
            );
            found
        });
        &ALL
    }

    /// Any of them, where it does not matter which.
    pub(crate) fn any() -> &'static Self {
        &Self::all()[0]
    }

    /// `Terraform` or `OpenTofu`.
    pub(crate) fn name(&self) -> &'static str {
        if self.is_tofu { "OpenTofu" } else { "Terraform" }
    }

    /// Does it have this? Where it does not, the output says so, and the test goes on to show what the user
    /// of such a version is told: nothing is skipped.
    pub(crate) fn has(&self, feature: Feature) -> bool {
        let (major, minor) = feature.since(self.is_tofu);
        let has = self.at_least(major, minor);
        if !has {
            say(&format!(
                "{} {} has no {feature:?} ({major}.{minor}): what it says of it is tested instead",
                self.name(),
                self.version
            ));
        }
        has
    }

    /// Is this version at least `major.minor`?
    fn at_least(&self, major: u32, minor: u32) -> bool {
        let mut parts = self.version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
    }
}

fn find_cli((variable, default): (&str, &str)) -> Option<Cli> {
    let asked = std::env::var_os(variable);
    let name = asked.clone().unwrap_or_else(|| default.into());
    let Some(path) = find(Path::new(&name)) else {
        assert!(asked.is_none(), "{variable} is set to {}, which is not there", name.display());
        return None;
    };
    let output = Command::new(&path)
        .args(["version", "-json"])
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .unwrap_or_else(|error| panic!("{} does not run: {error}", path.display()));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{} version -json: {error}", path.display()));
    let version = answer["terraform_version"].as_str().unwrap().to_owned();
    let text = Command::new(&path).arg("version").env("CHECKPOINT_DISABLE", "1").output().unwrap();
    let is_tofu = String::from_utf8_lossy(&text.stdout).contains("OpenTofu");
    Some(Cli { path, is_tofu, version })
}

/// Python 3.11 or newer: `PYTHON`, else `python3`.
pub(crate) fn python() -> &'static Path {
    static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
        let name = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        find(Path::new(&name)).unwrap_or_else(|| {
            panic!(
                "{} was not found: install Python 3.11 or newer with venv (Debian: python3-venv), or set PYTHON",
                name.display()
            )
        })
    });
    &PYTHON
}

/// Prints a number that contributing/reliability.md quotes.
pub(crate) fn figure(what: &str) {
    say(&format!("figure: {what}"));
}

/// Prints a line also where the test succeeds: the test runner keeps only what its macros print.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").unwrap();
}

/// The folder of everything cargo builds; what the tests install and keep lies in it too.
pub(crate) fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

/// The provider under test: the one that cargo has built for the tests, or the release that PROVIDER names.
pub(crate) fn provider() -> &'static Path {
    static PROVIDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let built = env!("CARGO_BIN_EXE_terraform-provider-rekey");
        let path = PathBuf::from(std::env::var_os("PROVIDER").unwrap_or_else(|| built.into()));
        assert!(path.is_file(), "PROVIDER is set to {}, which is not there", path.display());
        path
    });
    &PROVIDER
}

fn find(name: &Path) -> Option<PathBuf> {
    if name.components().count() > 1 {
        return name.is_file().then(|| name.to_owned());
    }
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}
