//! Pure functions that turn what the resources give into the files and numbers that others take.
//! They contact nobody and read nothing: the same arguments always give the same result.

mod clouds_yaml;
mod duration_seconds;
mod openrc;
mod settings;

pub use clouds_yaml::CloudsYaml;
pub use duration_seconds::DurationSeconds;
pub use openrc::Openrc;

use crate::tfplugin::traits::FunctionError;

/// A refusal that blames one argument, counted from 0.
fn refuse(argument: i64, text: impl Into<String>) -> FunctionError {
    FunctionError { text: text.into(), argument: Some(argument) }
}

/// What cannot be when Terraform checked the arguments against the parameters.
fn wrong_arguments() -> FunctionError {
    FunctionError { text: "called with other arguments than it has".to_owned(), argument: None }
}
