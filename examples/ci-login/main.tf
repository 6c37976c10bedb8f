# A login for a pipeline, handed over as a clouds.yaml.
#
# Change `quarter` to rotate it: the new credential is issued and used once, whoever depends on it is
# updated, and then the old one is revoked.

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

variable "quarter" {
  type    = string
  default = "2026Q4"
}

resource "rekey_application_credential" "ci" {
  name_prefix = "ci-"
  description = "Deployments from the pipeline"
  roles       = ["member"]
  expires_in  = "120d"

  triggers = {
    quarter = var.quarter
  }

  lifecycle {
    create_before_destroy = true
  }
}

output "clouds_yaml" {
  sensitive = true
  value = provider::rekey::clouds_yaml("mycloud", {
    auth_url                      = rekey_application_credential.ci.auth_url
    region_name                   = rekey_application_credential.ci.region_name
    application_credential_id     = rekey_application_credential.ci.id
    application_credential_secret = rekey_application_credential.ci.secret
  })
}
