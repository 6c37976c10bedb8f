# One password that is new at each rotation, the same in Vault and in Keystone, and in no state and no plan.
# Needs Terraform 1.11, the Vault provider 5.0 and the random provider 3.7, or newer.
#
# Vault comes first. A run that fails after that reads the same password from Vault again, so Vault and Keystone cannot
# come to hold two different ones.

terraform {
  required_version = ">= 1.11"

  required_providers {
    rekey = {
      source = "terraform.local/rekey/rekey"
    }
    vault = {
      source  = "hashicorp/vault"
      version = ">= 5.0"
    }
    random = {
      source  = "hashicorp/random"
      version = ">= 3.7"
    }
  }
}

provider "rekey" {
  openstack = {
    cloud = "mycloud"
  }
}

# VAULT_ADDR and VAULT_TOKEN, or what your pipeline logs in with.
provider "vault" {}

variable "rotation" {
  description = "Raise it by one to rotate."
  type        = number
  default     = 1
}

# Another one in each run. It is used only in a run in which `rotation` has changed.
ephemeral "random_password" "next" {
  length  = 64 # Keystone takes at most 72 bytes
  special = false
}

# 1. The password goes into Vault, each under a path of its own: the provider may forget that an update has failed, but
# not that a create has.
resource "vault_kv_secret_v2" "password" {
  mount = "secret"
  name  = "service/openstack-password-${var.rotation}"

  data_json_wo         = jsonencode({ password = ephemeral.random_password.next.result })
  data_json_wo_version = var.rotation

  lifecycle {
    create_before_destroy = true
  }
}

# 2. What Vault holds now is read back.
ephemeral "vault_kv_secret_v2" "password" {
  mount    = vault_kv_secret_v2.password.mount
  name     = vault_kv_secret_v2.password.name
  mount_id = vault_kv_secret_v2.password.id # not before it is there
}

# 3. Keystone gets the same.
resource "rekey_application_credential" "service" {
  name_prefix = "service-"
  roles       = ["member"]
  overlap     = "7d"

  secret_wo         = tostring(ephemeral.vault_kv_secret_v2.password.data.password)
  secret_wo_version = vault_kv_secret_v2.password.data_json_wo_version
}

# 4. Consumers read this one: its two halves always belong together.
resource "vault_kv_secret_v2" "openstack" {
  mount = "secret"
  name  = "service/openstack"

  data_json_wo = jsonencode({
    OS_AUTH_TYPE                     = "v3applicationcredential"
    OS_AUTH_URL                      = rekey_application_credential.service.auth_url
    OS_REGION_NAME                   = rekey_application_credential.service.region_name
    OS_APPLICATION_CREDENTIAL_ID     = rekey_application_credential.service.id
    OS_APPLICATION_CREDENTIAL_SECRET = tostring(ephemeral.vault_kv_secret_v2.password.data.password)
  })
  data_json_wo_version = rekey_application_credential.service.generation
}
