# A secret in Barbican. Its payload cannot be changed, so each generation makes a new one, with a new address.
# The openstack provider keeps the payload in the state.

terraform {
  required_providers {
    openstack = {
      source = "terraform-provider-openstack/openstack"
    }
  }
}

provider "openstack" {
  cloud = "mycloud"
}

resource "openstack_keymanager_secret_v1" "openstack" {
  name                 = "backup-clouds-yaml"
  secret_type          = "opaque"
  payload_content_type = "text/plain"

  payload = provider::rekey::clouds_yaml("openstack", {
    auth_url                      = rekey_application_credential.backup.auth_url
    region_name                   = rekey_application_credential.backup.region_name
    application_credential_id     = rekey_application_credential.backup.id
    application_credential_secret = rekey_application_credential.backup.secret
  })

  # Only these may read it, besides whoever made it.
  acl {
    read {
      project_access = false
      users          = [var.reader_user_id]
    }
  }

  # The new one is there before the old one goes.
  lifecycle {
    create_before_destroy = true
  }
}

variable "reader_user_id" {
  description = "The id of the user that the consumer logs in to Barbican as."
  type        = string
}

output "secret_ref" {
  description = "Changes with each generation. Names in Barbican need not be unique."
  value       = openstack_keymanager_secret_v1.openstack.secret_ref
}
