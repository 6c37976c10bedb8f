# In place of a variable: an ephemeral resource of your secret manager.
variable "secret" {
  type      = string
  ephemeral = true
  sensitive = true
}

# Your own secret: it is in no state and no plan. Needs Terraform 1.11 or OpenTofu 1.11.
resource "rekey_application_credential" "service" {
  name_prefix = "service-"
  roles       = ["member"]
  overlap     = "1d"

  secret_wo         = var.secret
  secret_wo_version = 1 # raise it whenever the secret changes
}
