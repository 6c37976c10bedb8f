//! What a process finds around it: environment, directories. An argument of whatever reads configuration,
//! so that tests have their own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Where settings come from besides the provider block.
#[derive(Clone, Default)]
pub struct Surroundings {
    pub environment: BTreeMap<String, String>,
    pub current_dir: PathBuf,
    pub home_dir: Option<PathBuf>,
    /// Where the machine keeps its configurations, a directory for each program; in order of preference.
    pub system_dirs: Vec<PathBuf>,
}

/// Of the environment only the names: values may be secrets.
impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("environment", &self.environment.keys())
            .field("current_dir", &self.current_dir)
            .field("home_dir", &self.home_dir)
            .field("system_dirs", &self.system_dirs)
            .finish()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_shown_by_name_only() {
        let variable = ("OS_PASSWORD".to_owned(), "surroundings-tests-secret".to_owned());
        let from = Surroundings { environment: [variable].into(), ..Surroundings::default() };
        let shown = format!("{from:?}");
        assert!(shown.contains("OS_PASSWORD") && !shown.contains("surroundings-tests"), "{shown}");
    }
}
