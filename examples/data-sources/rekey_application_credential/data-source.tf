resource "rekey_application_credential" "ci" {
  name_prefix = "ci-"
}

# One credential, by its id or its name.
data "rekey_application_credential" "ci" {
  id = rekey_application_credential.ci.id
}

output "roles" {
  value = data.rekey_application_credential.ci.roles
}
