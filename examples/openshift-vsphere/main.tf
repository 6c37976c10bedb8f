# An OpenShift cluster on vSphere. Where the CSI driver has no operator the kube controller manager is deployed anew,
# and waited for on every node.

terraform {
  required_version = ">= 1.11"

  required_providers {
    rekey = {
      source = "terraform.local/rekey/rekey"
    }
  }
}

provider "rekey" {
  kubernetes = {
    config_path = "~/.kube/config"
  }
}

variable "password" {
  type      = string
  ephemeral = true
  sensitive = true
}

resource "rekey_cluster_credential_rotation" "openshift" {
  openshift = {
    platform = "vsphere"

    vcenters_wo = {
      "vcenter.example.com" = {
        username = "openshift@vsphere.local"
        password = var.password
      }
    }
    vcenters_wo_version = 1
  }
}
