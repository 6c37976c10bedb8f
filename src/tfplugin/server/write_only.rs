//! Refuses write-only attributes where the caller would store them.

use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic};
use crate::tfplugin::schema::walk::{Place, Visitor, walk};
use crate::tfplugin::schema::{Attribute, Schema};

/// One error for each write-only attribute that is set.
pub(super) fn refuse(config: &Value, schema: &Schema) -> Vec<Diagnostic> {
    let mut refuse = Refuse(Vec::new());
    walk(schema, [config], &mut refuse);
    refuse.0
}

struct Refuse(Vec<Diagnostic>);

impl Visitor<1> for Refuse {
    fn attribute(&mut self, attribute: &Attribute, [value]: [&Value; 1], place: &Place) -> bool {
        if attribute.write_only && !value.is_null() {
            self.0.push(not_understood(place.path()));
        }
        !attribute.write_only
    }
}

fn not_understood(path: &AttributePath) -> Diagnostic {
    Diagnostic::error(
        "Write-only attributes need a newer Terraform",
        format!(
            "{path} is write-only, which Terraform before 1.11 and OpenTofu before 1.11 do not \
             know: they would store its value in the state. Nothing was done. Use a newer version, \
             or leave {path} out"
        ),
    )
    .at(path.clone())
}
