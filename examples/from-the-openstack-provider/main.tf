# Takes over a credential that the openstack provider has made. Nothing is issued and nothing is revoked:
# the first apply writes down what Keystone cannot tell, from then on rekey rotates it.

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

moved {
  from = openstack_identity_application_credential_v3.ci
  to   = rekey_application_credential.ci
}

resource "rekey_application_credential" "ci" {
  name_prefix = "ci-"
  roles       = ["member"]

  triggers = {
    quarter = "2026Q4"
  }

  lifecycle {
    create_before_destroy = true
  }
}
