# The credential. github.tf beside this file hands it over.

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

resource "rekey_application_credential" "ci" {
  name_prefix = "ci-"
  roles       = ["member"]

  rotation_period = "30d"
  overlap         = "7d"

  triggers = {
    reissue = var.reissue
  }
}
