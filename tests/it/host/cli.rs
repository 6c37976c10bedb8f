//! Which Terraform or OpenTofu the host plays, and in what they differ towards a provider.

use rekey::tfplugin::proto::tfplugin6::ClientCapabilities;

/// One of the CLIs whose behaviour was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cli {
    /// OpenTofu 1.12.
    OpenTofu,
    /// Terraform 1.8: no write-only attributes, no ephemeral resources, no identity.
    Terraform8,
    /// Terraform 1.11: write-only attributes and ephemeral resources, no identity.
    Terraform11,
    /// Terraform 1.15: identity too.
    Terraform15,
    /// Terraform 1.16: gives the plan's private data back when it plans again in an apply.
    Terraform16,
}

impl Cli {
    /// All of them, for tests that must hold everywhere.
    pub const ALL: [Self; 5] =
        [Self::OpenTofu, Self::Terraform8, Self::Terraform11, Self::Terraform15, Self::Terraform16];

    pub(super) fn version(self) -> &'static str {
        match self {
            Self::OpenTofu => "1.12.6",
            Self::Terraform8 => "1.8.5",
            Self::Terraform11 => "1.11.4",
            Self::Terraform15 => "1.15.9",
            Self::Terraform16 => "1.16.0",
        }
    }

    /// The registry that an address without a host belongs to.
    pub(super) fn registry(self) -> &'static str {
        match self {
            Self::OpenTofu => "registry.opentofu.org",
            _ => "registry.terraform.io",
        }
    }

    pub(super) fn knows_write_only(self) -> bool {
        self != Self::Terraform8
    }

    pub(super) fn knows_ephemerals(self) -> bool {
        self != Self::Terraform8
    }

    pub(super) fn knows_identity(self) -> bool {
        matches!(self, Self::OpenTofu | Self::Terraform15 | Self::Terraform16)
    }

    pub(super) fn stores_planned_private(self) -> bool {
        self == Self::Terraform16
    }

    /// OpenTofu asks a configured provider; Terraform starts one for the purpose.
    pub(super) fn moves_configured(self) -> bool {
        self == Self::OpenTofu
    }

    /// OpenTofu closes with what the last Renew answered; Terraform with what Open did.
    pub(super) fn closes_with_newest(self) -> bool {
        self == Self::OpenTofu
    }

    /// OpenTofu and old versions of Terraform send none with a plan.
    pub(super) fn capabilities_in_plans(self, applying: bool) -> Option<ClientCapabilities> {
        let sends = !matches!(self, Self::OpenTofu | Self::Terraform8);
        sends.then(|| self.capabilities(applying))
    }

    pub(super) fn capabilities(self, applying: bool) -> ClientCapabilities {
        ClientCapabilities {
            // Terraform claims it in every apply, and then calls a deferral a bug.
            deferral_allowed: applying && self != Self::OpenTofu && self != Self::Terraform8,
            write_only_attributes_allowed: self.knows_write_only(),
            store_planned_private: self.stores_planned_private(),
            computed_blocks_allowed: self.stores_planned_private(),
        }
    }
}
