# The same chain with nothing in the state: the secret is yours, and is written nowhere but into Keystone and the cluster.

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

  kubernetes = {
    config_path = "~/.kube/config"
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

resource "rekey_application_credential" "cluster" {
  name_prefix = "openshift-"
  roles       = ["member"]
  overlap     = "7d"

  secret_wo         = var.secret
  secret_wo_version = var.secret_version
}

resource "rekey_cluster_credential_rotation" "openshift" {
  openshift = {
    platform = "openstack"

    clouds_yaml_wo = provider::rekey::clouds_yaml("openstack", {
      auth_url                      = rekey_application_credential.cluster.auth_url
      region_name                   = rekey_application_credential.cluster.region_name
      application_credential_id     = rekey_application_credential.cluster.id
      application_credential_secret = var.secret
    })
    clouds_yaml_wo_version = rekey_application_credential.cluster.generation
  }
}
