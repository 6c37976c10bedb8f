//! `clouds_yaml`: a clouds.yaml with one cloud in it.

use std::fmt::Write;

use crate::tfplugin::cty::{Type, Value};
use crate::tfplugin::traits::{Function, FunctionError, Parameter};

use super::settings::{Setting, Settings};
use super::{refuse, wrong_arguments};

/// `clouds_yaml(cloud_name string, settings dynamic) string`
#[derive(Clone, Copy, Debug)]
pub struct CloudsYaml;

/// YAML readers look no further than 1024 characters for the colon after a key.
const LONGEST_KEY: usize = 1000;

impl Function for CloudsYaml {
    const NAME: &'static str = "clouds_yaml";
    const SUMMARY: &'static str = "A clouds.yaml with one cloud";
    const DESCRIPTION: &'static str = "Writes a `clouds.yaml` for openstacksdk, the `openstack` \
        command, gophercloud and whatever else reads such files. Keys are those of `clouds.yaml`; \
        those that belong under `auth` are put there, wherever they are given. `auth_type` follows \
        from the login that is given, unless it is said. Settings that are null are left out; an \
        unknown key is an error. Any character is quoted such that it comes out as it went in. \
        The result holds the secrets that were given: Terraform keeps it sensitive where they are.";

    fn parameters(&self) -> Vec<Parameter> {
        let parameter = |name, ty, description| Parameter {
            name,
            ty,
            description,
            allow_null: false,
            allow_unknown: false,
        };
        vec![
            parameter(
                "cloud_name",
                Type::String,
                "The name of the cloud in the file, for `OS_CLOUD` or `--os-cloud`.",
            ),
            parameter(
                "settings",
                Type::Dynamic,
                "An object with the cloud's settings, such as `auth_url`, `region_name`, \
                 `application_credential_id` and `application_credential_secret`.",
            ),
        ]
    }

    fn returns(&self) -> Type {
        Type::String
    }

    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let [Value::String(name), settings] = arguments.as_slice() else {
            return Err(wrong_arguments());
        };
        let settings = Settings::read(settings).map_err(|text| refuse(1, text))?;
        let quoted = quote(name);
        if name.is_empty() {
            return Err(refuse(0, "a cloud needs a name"));
        }
        if name.contains('\0') {
            return Err(refuse(0, "holds a NUL character, which no YAML file can hold"));
        }
        if quoted.len() > LONGEST_KEY {
            return Err(refuse(0, "is too long for a key in YAML"));
        }
        Ok(write(&quoted, &settings).into())
    }
}

fn write(name: &str, settings: &Settings) -> String {
    if settings.all().next().is_none() {
        // With nothing after the colon it would be null, which readers trip over.
        return format!("clouds:\n  {name}: {{}}\n");
    }
    let about_auth = |entry: &&(String, Setting)| entry.0.starts_with("auth_");
    let mut out = format!("clouds:\n  {name}:\n");
    lines(&mut out, "    ", settings.cloud.iter().filter(about_auth));
    if !settings.auth.is_empty() {
        out.push_str("    auth:\n");
        lines(&mut out, "      ", settings.auth.iter());
    }
    lines(&mut out, "    ", settings.cloud.iter().filter(|entry| !about_auth(entry)));
    out
}

fn lines<'s>(
    out: &mut String,
    indent: &str,
    settings: impl Iterator<Item = &'s (String, Setting)>,
) {
    for (key, setting) in settings {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{indent}{key}: {}", scalar(setting));
    }
}

fn scalar(setting: &Setting) -> String {
    match setting {
        Setting::Bool(value) => value.to_string(),
        Setting::Text(text) => quote(text),
        Setting::List(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| quote(text)).collect();
            format!("[{}]", texts.join(", "))
        }
    }
}

/// A double-quoted scalar that YAML 1.1 and 1.2 read alike, in ASCII, because not every reader opens
/// the file as UTF-8.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        // Writing to a String cannot fail.
        let _ = match (char, u32::from(char)) {
            ('"' | '\\', _) => write!(out, "\\{char}"),
            (' '..='~', _) => write!(out, "{char}"),
            ('\n', _) => write!(out, "\\n"),
            ('\r', _) => write!(out, "\\r"),
            ('\t', _) => write!(out, "\\t"),
            (_, code @ ..=0xff) => write!(out, "\\x{code:02x}"),
            (_, code @ ..=0xffff) => write!(out, "\\u{code:04x}"),
            (_, code) => write!(out, "\\U{code:08x}"),
        };
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
