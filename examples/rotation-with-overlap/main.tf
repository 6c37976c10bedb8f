# A credential for consumers that Terraform does not know: they read it when they like.
#
# After 30 days, or when `triggers` change, the next generation is issued. The old one keeps working
# for a week, in which every consumer fetches the new one. The first apply after that revokes it.

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
  description = "Any other value rotates the credential at the next apply."
  type        = string
  default     = "1"
}

resource "rekey_application_credential" "agents" {
  name_prefix = "agents-"
  roles       = ["member"]

  rotation_period = "30d"
  overlap         = "7d"

  # Well above rotation_period + overlap: a pipeline that stands still for a month breaks nothing.
  expires_in = "90d"

  triggers = {
    reissue = var.reissue
  }
}

# Stands for where the consumers look: a secret manager, a Kubernetes secret.
# It gets the new generation in the apply that rotates.
resource "terraform_data" "handed_over" {
  input = rekey_application_credential.agents.id
}

output "old_generations_until" {
  value = {
    for number, old in rekey_application_credential.agents.previous_generations : number => old.revoke_after
  }
}
