# Replaces a cluster's CA a year before it expires, or when asked to. Every kubeconfig stops working then.

terraform {
  required_providers {
    rekey = {
      source = "terraform.local/rekey/rekey"
    }
  }
}

provider "rekey" {
  openstack = {
    cloud = "mycloud"
  }
}

variable "reissue" {
  description = "Any other value replaces the CA at the next apply."
  type        = string
  default     = "1"
}

resource "rekey_cluster_credential_rotation" "ca" {
  magnum = {
    cluster    = "prod"
    credential = "ca_certificate"

    # Magnum cannot be asked whether the cluster's driver can do it: see the guide.
    driver_supports_ca_rotation = true
  }

  rotate_on_create = false # only look at it for now
  renew_before     = "365d"

  triggers = {
    reissue = var.reissue
  }
}

output "ca" {
  value = {
    fingerprint = rekey_cluster_credential_rotation.ca.ca_certificate_sha256
    expires_at  = rekey_cluster_credential_rotation.ca.expires_at
  }
}
