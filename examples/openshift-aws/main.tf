# An OpenShift cluster on AWS in mint mode: the root key is replaced, then each component gets a key of its own anew,
# one after the other, the operator's own first.

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

# In place of variables: an ephemeral resource of a secret manager.
variable "access_key_id" {
  type      = string
  ephemeral = true
  sensitive = true
}

variable "secret_access_key" {
  type      = string
  ephemeral = true
  sensitive = true
}

variable "key_version" {
  description = "Raise it whenever the key changes."
  type        = number
  default     = 1
}

resource "rekey_cluster_credential_rotation" "openshift" {
  openshift = {
    platform = "aws"
    mode     = "mint"

    access_key_id_wo             = var.access_key_id
    secret_access_key_wo         = var.secret_access_key
    secret_access_key_wo_version = var.key_version
  }
}
