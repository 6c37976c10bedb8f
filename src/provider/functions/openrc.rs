//! `openrc`: shell lines that log in.

use std::fmt::Write;

use crate::tfplugin::cty::{Type, Value};
use crate::tfplugin::traits::{Function, FunctionError, Parameter};

use super::settings::{KEYS, Setting, Settings};
use super::{refuse, wrong_arguments};

/// `openrc(settings dynamic) string`
#[derive(Clone, Copy, Debug)]
pub struct Openrc;

/// Variables of other times and other ways to log in. Left behind by an earlier file, each of them
/// would change this login, or replace it.
const FOREIGN: &[&str] =
    &["OS_CLOUD", "OS_INSECURE", "OS_TENANT_ID", "OS_TENANT_NAME", "OS_ENDPOINT_TYPE"];

impl Function for Openrc {
    const NAME: &'static str = "openrc";
    const SUMMARY: &'static str = "Shell lines that set OS_* variables";
    const DESCRIPTION: &'static str = "Writes a file for `. openrc.sh` in a shell: an `export` of \
        an `OS_*` variable for each setting. Keys are those of `clouds.yaml`, as for `clouds_yaml`. \
        Variables of another login that an earlier file left behind are unset, because openstacksdk \
        would mix them in. `verify = false` becomes `OS_INSECURE`. Any character is quoted such that \
        it comes out as it went in. The result holds the secrets that were given: Terraform keeps it \
        sensitive where they are.";

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter {
            name: "settings",
            ty: Type::Dynamic,
            description: "An object with the cloud's settings, such as `auth_url`, `region_name`, \
                `application_credential_id` and `application_credential_secret`.",
            allow_null: false,
            allow_unknown: false,
        }]
    }

    fn returns(&self) -> Type {
        Type::String
    }

    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let [settings] = arguments.as_slice() else {
            return Err(wrong_arguments());
        };
        let settings = Settings::read(settings).map_err(|text| refuse(0, text))?;
        if settings.all().any(|(key, _)| key == "profile") {
            return Err(refuse(
                0,
                "`profile` has no variable of its own (OS_PROFILE is another thing); \
                 write the profile's settings, or use clouds_yaml",
            ));
        }
        Ok(write(&settings).into())
    }
}

fn write(settings: &Settings) -> String {
    let exports: Vec<(String, String)> = settings
        .all()
        .filter_map(|(key, setting)| match setting {
            // openstacksdk would take the text of OS_VERIFY for the path of a bundle.
            Setting::Bool(verify) => {
                (!verify).then(|| ("OS_INSECURE".to_owned(), "true".to_owned()))
            }
            Setting::Text(text) => Some((variable(key), text.clone())),
            Setting::List(texts) => Some((variable(key), texts.join(","))),
        })
        .collect();
    let exported = |name: &str| exports.iter().any(|(variable, _)| variable == name);
    let own = KEYS.iter().filter(|key| key.name != "profile").map(|key| variable(key.name));
    let unset: Vec<String> = FOREIGN
        .iter()
        .map(|&name| name.to_owned())
        .chain(own)
        .filter(|name| !exported(name))
        .collect();

    let mut out = format!("unset {}\n", unset.join(" "));
    for (name, text) in &exports {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "export {name}={}", quote(text));
    }
    out
}

fn variable(key: &str) -> String {
    format!("OS_{}", key.to_uppercase())
}

/// Between single quotes a shell changes nothing; a quote itself has to stand outside of them.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
