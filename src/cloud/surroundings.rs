//! What a process finds around it: environment, directories. An argument of whatever reads configuration,
//! so that tests have their own.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where settings come from besides the provider block.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    pub environment: BTreeMap<String, String>,
    pub current_dir: PathBuf,
    pub home_dir: Option<PathBuf>,
    /// Where the machine keeps its configurations, a directory for each program; in order of preference.
    pub system_dirs: Vec<PathBuf>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let site = environment.get("XDG_CONFIG_DIRS").filter(|path| !path.is_empty());
        let site = site.map_or(
            if cfg!(target_os = "macos") { "/Library/Application Support" } else { "/etc/xdg" },
            String::as_str,
        );
        let mut system_dirs: Vec<_> =
            site.split(':').filter(|path| path.starts_with('/')).map(PathBuf::from).collect();
        system_dirs.push(PathBuf::from("/etc"));
        Self {
            environment,
            current_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            home_dir: std::env::home_dir().filter(|path| !path.as_os_str().is_empty()),
            system_dirs,
        }
    }
}
