# A Kubernetes secret with a clouds.yaml in it. `data_wo` is write-only: the Kubernetes provider keeps no copy in the
# state. Needs Terraform 1.11 and the Kubernetes provider 2.36 or newer.

terraform {
  required_version = ">= 1.11"

  required_providers {
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 2.36"
    }
  }
}

provider "kubernetes" {
  config_path = "~/.kube/config"
}

resource "kubernetes_secret_v1" "openstack" {
  metadata {
    name      = "openstack"
    namespace = "backup"
  }

  data_wo = {
    "clouds.yaml" = provider::rekey::clouds_yaml("openstack", {
      auth_url                      = rekey_application_credential.backup.auth_url
      region_name                   = rekey_application_credential.backup.region_name
      application_credential_id     = rekey_application_credential.backup.id
      application_credential_secret = rekey_application_credential.backup.secret
    })
  }

  # Terraform cannot see that a write-only value has changed: this number tells it.
  data_wo_revision = rekey_application_credential.backup.generation
}
