# From Keystone to every component of an OpenShift cluster, in one configuration.
#
# Every 90 days the next application credential is issued. The Cloud Credential Operator is given it, and every
# component's secret is read back until it holds it. Only the apply after the overlap revokes the old one.

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

  # As `oc login` writes it.
  kubernetes = {
    config_path = "~/.kube/config"
  }
}

variable "reissue" {
  description = "Any other value rotates at the next apply."
  type        = string
  default     = "1"
}

resource "rekey_application_credential" "cluster" {
  name_prefix = "openshift-"
  roles       = ["member"]

  rotation_period = "90d"
  overlap         = "7d"

  triggers = {
    reissue = var.reissue
  }
}

resource "rekey_cluster_credential_rotation" "openshift" {
  openshift = {
    platform = "openstack"

    clouds_yaml_wo = provider::rekey::clouds_yaml("openstack", {
      auth_url                      = rekey_application_credential.cluster.auth_url
      region_name                   = rekey_application_credential.cluster.region_name
      application_credential_id     = rekey_application_credential.cluster.id
      application_credential_secret = rekey_application_credential.cluster.secret
    })
    clouds_yaml_wo_version = rekey_application_credential.cluster.generation
  }
}
