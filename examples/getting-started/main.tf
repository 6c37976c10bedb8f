# The configuration of the guide "Getting started".

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

resource "rekey_application_credential" "ci" {
  name_prefix = "ci-"
  roles       = ["member"]

  rotation_period = "30d" # a new credential every 30 days,
  overlap         = "7d"  # and the old one works for another 7 days

  triggers = {
    reissue = var.reissue
  }
}

output "id" {
  value = rekey_application_credential.ci.id
}

output "secret" {
  value     = rekey_application_credential.ci.secret
  sensitive = true
}
