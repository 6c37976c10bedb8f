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

# Needs no other provider. With the Kubernetes provider: see examples/hand-over-kubernetes.
resource "terraform_data" "secret" {
  triggers_replace = rekey_application_credential.backup.generation

  provisioner "local-exec" {
    # The text goes through a pipe, so that it is not among the arguments that every user of the machine can list.
    # A server-side apply leaves no copy of it in an annotation.
    command = <<-SH
      set -eu
      printf '%s' "$CLOUDS_YAML" |
        $KUBECTL create secret generic openstack --from-file=clouds.yaml=/dev/stdin --dry-run=client --output=json |
        $KUBECTL apply --server-side --field-manager=terraform --force-conflicts --filename=-
    SH

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
