# A secret of GitHub Actions with the whole clouds.yaml. Id and secret are in one secret, so that no job can get the one
# of the old and the other of the new credential.

terraform {
  required_providers {
    github = {
      source  = "integrations/github"
      version = ">= 6.12"
    }
  }
}

# GITHUB_TOKEN and GITHUB_OWNER.
provider "github" {}

resource "github_actions_secret" "clouds_yaml" {
  repository  = "deploy"
  secret_name = "CLOUDS_YAML"

  value = provider::rekey::clouds_yaml("mycloud", {
    auth_url                      = rekey_application_credential.ci.auth_url
    region_name                   = rekey_application_credential.ci.region_name
    application_credential_id     = rekey_application_credential.ci.id
    application_credential_secret = rekey_application_credential.ci.secret
  })
}
