resource "rekey_application_credential" "ci" {
  name_prefix = "ci-"
}

output "openrc" {
  sensitive = true
  value = provider::rekey::openrc({
    auth_url                      = rekey_application_credential.ci.auth_url
    region_name                   = rekey_application_credential.ci.region_name
    application_credential_id     = rekey_application_credential.ci.id
    application_credential_secret = rekey_application_credential.ci.secret
  })
}
