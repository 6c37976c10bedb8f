# The same file with nothing in the state: the secret is yours, and Terraform passes it on without keeping it.
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
  description = "At least 16 characters, at most 72 bytes. Raise secret_version together with it."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "secret_version" {
  type    = number
  default = 1
}

variable "file" {
  description = "Where the service looks. Not the clouds.yaml that you log in with yourself: it is overwritten."
  type        = string
  default     = "service/clouds.yaml"
}

resource "rekey_application_credential" "backup" {
  name_prefix = "backup-"
  roles       = ["member"]
  overlap     = "7d"

  secret_wo         = var.secret
  secret_wo_version = var.secret_version
}

resource "terraform_data" "clouds_yaml" {
  triggers_replace = {
    generation = rekey_application_credential.backup.generation
    file       = var.file
  }

  provisioner "local-exec" {
    # Written beside it and then moved: a reader sees the old file or the new one.
    command = <<-SH
      set -eu
      umask 077
      mkdir -p "$(dirname "$FILE")"
      printf '%s' "$CLOUDS_YAML" > "$FILE.new"
      mv "$FILE.new" "$FILE"
    SH

    environment = {
      FILE = var.file
      CLOUDS_YAML = provider::rekey::clouds_yaml("openstack", {
        auth_url                      = rekey_application_credential.backup.auth_url
        region_name                   = rekey_application_credential.backup.region_name
        application_credential_id     = rekey_application_credential.backup.id
        application_credential_secret = var.secret
      })
    }
  }
}
