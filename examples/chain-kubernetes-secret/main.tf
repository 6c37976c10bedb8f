# The same shape for a secret that any workload reads: an application credential with an overlap, and the secret that
# is written anew with each generation. The old one is revoked by the first apply after the overlap.

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
  type    = string
  default = "1"
}

variable "kubectl" {
  description = "How kubectl is called, with its kubeconfig."
  type        = string
  default     = "kubectl"
}

resource "rekey_application_credential" "backup" {
  name_prefix = "backup-"
  roles       = ["member"]

  rotation_period = "30d"
  overlap         = "7d"

  triggers = {
    reissue = var.reissue
  }
}

# Stands for the resource of your Kubernetes provider, such as kubernetes_secret_v1 with data_wo.
resource "terraform_data" "secret" {
  triggers_replace = rekey_application_credential.backup.generation

  provisioner "local-exec" {
    command = "$KUBECTL create secret generic openstack --dry-run=client --output=json --from-literal=clouds.yaml=\"$CLOUDS_YAML\" | $KUBECTL apply --filename=-"

    environment = {
      KUBECTL = var.kubectl
      CLOUDS_YAML = provider::rekey::clouds_yaml("openstack", {
        auth_url                      = rekey_application_credential.backup.auth_url
        region_name                   = rekey_application_credential.backup.region_name
        application_credential_id     = rekey_application_credential.backup.id
        application_credential_secret = rekey_application_credential.backup.secret
      })
    }
  }
}
