# What the CronJob applies: a credential that is renewed every 30 days, and the Kubernetes secret that a backup reads.
# State and lock are Kubernetes objects too.

terraform {
  required_providers {
    rekey = {
      source = "terraform.local/rekey/rekey"
    }
  }

  # Which cluster and which namespace: KUBE_IN_CLUSTER_CONFIG and KUBE_NAMESPACE, see cronjob.yaml.
  backend "kubernetes" {
    secret_suffix = "rotate"
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

variable "kubectl" {
  description = "How kubectl is called. In a pod it needs no kubeconfig."
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

resource "terraform_data" "secret" {
  triggers_replace = rekey_application_credential.backup.generation

  provisioner "local-exec" {
    # The text goes through a pipe, so that it is not among the arguments that every user of the machine can list.
    # A server-side apply leaves no copy of it in an annotation.
    command = <<-SH
      set -eu
      printf '%s' "$CLOUDS_YAML" |
        $KUBECTL create secret generic openstack --from-file=clouds.yaml=/dev/stdin --dry-run=client --output=json |
        $KUBECTL apply --namespace=backup --server-side --field-manager=rekey --force-conflicts --filename=-
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
