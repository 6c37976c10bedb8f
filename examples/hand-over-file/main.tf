# A clouds.yaml for a service on this machine. Only its owner can read it, and it is never half written.
#
# The secret is in the state once, in the credential. The file's text is not: Terraform keeps nothing of what a
# provisioner is given.

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
  description = "Any other value rotates at the next apply."
  type        = string
  default     = "1"
}

variable "file" {
  description = "Where the service looks. Not the clouds.yaml that you log in with yourself: it is overwritten."
  type        = string
  default     = "service/clouds.yaml"
}

resource "rekey_application_credential" "backup" {
  name_prefix = "backup-"
  roles       = ["member"]

  rotation_period = "30d"
  overlap         = "7d"

  triggers = {
    reissue = var.reissue
  }
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
        application_credential_secret = rekey_application_credential.backup.secret
      })
    }
  }
}
