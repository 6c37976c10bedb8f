# A CI/CD variable of the type `file`: GitLab writes it to a file, and the variable holds the path of that file.
# Id and secret are in one variable, so that no job can get the one of the old and the other of the new credential.

terraform {
  required_providers {
    gitlab = {
      source = "gitlabhq/gitlab"
    }
  }
}

# GITLAB_TOKEN, and GITLAB_BASE_URL for a GitLab of your own.
provider "gitlab" {}

# openstacksdk reads the file that this variable names.
resource "gitlab_project_variable" "clouds_yaml" {
  project       = "infra/deploy"
  key           = "OS_CLIENT_CONFIG_FILE"
  variable_type = "file"
  protected     = true # only for protected branches and tags
  raw           = true # a $ in the text stays a $

  value = provider::rekey::clouds_yaml("mycloud", {
    auth_url                      = rekey_application_credential.ci.auth_url
    region_name                   = rekey_application_credential.ci.region_name
    application_credential_id     = rekey_application_credential.ci.id
    application_credential_secret = rekey_application_credential.ci.secret
  })
}
