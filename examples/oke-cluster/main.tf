# The credentials of an OKE cluster, renewed once a year: its clients have two weeks to move.

terraform {
  required_providers {
    rekey = {
      source = "terraform.local/rekey/rekey"
    }
  }
}

provider "rekey" {
  oci = {
    profile = "DEFAULT" # of ~/.oci/config
  }
}

variable "cluster_id" {
  description = "The OCID of the cluster."
  type        = string
}

variable "reissue" {
  description = "Any other value starts a rotation at the next apply."
  type        = string
  default     = "2026"
}

resource "rekey_cluster_credential_rotation" "oke" {
  oke = {
    cluster_id = var.cluster_id
  }

  # OKE retires the old credentials by itself when this has gone by: 1 to 90 days.
  overlap = "14d"

  # They live for five years. OKE begins by itself 90 days before their end; this is earlier.
  renew_before = "120d"

  triggers = {
    reissue = var.reissue
  }

  # Retire the old credentials now, in place of waiting for the end of the overlap: not before they are 24 hours old.
  # complete_generation = 1
}

output "clients_must_move_by" {
  value = rekey_cluster_credential_rotation.oke.auto_completes_at
}

output "credentials_expire_at" {
  value = rekey_cluster_credential_rotation.oke.expires_at
}
