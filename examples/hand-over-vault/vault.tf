# The newest version of a secret in Vault's KV engine (version 2) is the current generation.
# Needs Terraform 1.11 and the Vault provider 5.0 or newer.

terraform {
  required_version = ">= 1.11"

  required_providers {
    vault = {
      source  = "hashicorp/vault"
      version = ">= 5.0"
    }
  }
}

# VAULT_ADDR and VAULT_TOKEN, or what your pipeline logs in with.
provider "vault" {}

resource "vault_kv_secret_v2" "openstack" {
  mount = "secret"
  name  = "backup/openstack"

  data_json_wo = jsonencode({
    OS_AUTH_TYPE                     = "v3applicationcredential"
    OS_AUTH_URL                      = rekey_application_credential.backup.auth_url
    OS_REGION_NAME                   = rekey_application_credential.backup.region_name
    OS_APPLICATION_CREDENTIAL_ID     = rekey_application_credential.backup.id
    OS_APPLICATION_CREDENTIAL_SECRET = rekey_application_credential.backup.secret
  })

  # Terraform cannot see that a write-only value has changed: this number tells it.
  data_json_wo_version = rekey_application_credential.backup.generation
}
