# A module that issues the credential of one service, and what its tests look at. The provider block is the caller's.

terraform {
  required_providers {
    rekey = {
      source = "terraform.local/rekey/rekey"
    }
  }
}

variable "service" {
  description = "Whose credential it is."
  type        = string
  default     = "backup"

  validation {
    condition     = can(regex("^[a-z]+$", var.service))
    error_message = "The name of a service has lower-case letters only."
  }
}

variable "rotation" {
  description = "How old the credential may become."
  type        = string
  default     = "30d"
}

variable "reissue" {
  description = "Any other value rotates the credential at the next apply."
  type        = string
  default     = "1"
}

resource "rekey_application_credential" "this" {
  name_prefix     = "${var.service}-"
  roles           = ["member"]
  rotation_period = var.rotation
  overlap         = "7d"

  triggers = {
    reissue = var.reissue
  }
}

output "id" {
  value = rekey_application_credential.this.id
}

output "clouds_yaml" {
  sensitive = true
  value = provider::rekey::clouds_yaml(var.service, {
    auth_url                      = rekey_application_credential.this.auth_url
    region_name                   = rekey_application_credential.this.region_name
    application_credential_id     = rekey_application_credential.this.id
    application_credential_secret = rekey_application_credential.this.secret
  })
}
