# The secret comes from elsewhere and is in no state and no plan.
# Needs Terraform 1.11 or OpenTofu 1.11.

terraform {
  required_version = ">= 1.11"

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

# In place of a variable: an ephemeral resource of a secret manager.
variable "secret" {
  description = "At least 16 characters, at most 72 bytes."
  type        = string
  ephemeral   = true
  sensitive   = true
}

resource "rekey_application_credential" "service" {
  name_prefix = "service-"
  roles       = ["member"]
  overlap     = "1d"

  secret_wo         = var.secret
  secret_wo_version = 1 # raise it whenever the secret changes
}

output "application_credential_id" {
  value = rekey_application_credential.service.id
}
