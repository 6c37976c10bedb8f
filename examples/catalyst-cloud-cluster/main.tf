# The credential with which a Magnum cluster uses the cloud, renewed four times a year.

terraform {
  required_providers {
    rekey = {
      source = "terraform.local/rekey/rekey"
    }
  }
}

# The user who owns the cluster from now on: best an account that belongs to no person.
provider "rekey" {
  openstack = {
    cloud = "mycloud"
  }
}

variable "reissue" {
  description = "Any other value rotates the credential at the next apply."
  type        = string
  default     = "1"
}

resource "rekey_cluster_credential_rotation" "prod" {
  magnum = {
    cluster = "prod" # the name, or the uuid where the name is not unique

    # Templates older than v1.34 need their OpenStack workloads restarted: found out, done, and waited for.
    restart_workloads = "auto"
  }

  rotation_period = "90d"

  triggers = {
    reissue = var.reissue
  }

  timeouts = {
    create = "30m"
    update = "30m"
  }
}

output "owner" {
  value = rekey_cluster_credential_rotation.prod.owner_user_id
}

output "next_rotation" {
  value = rekey_cluster_credential_rotation.prod.rotation_due_at
}
