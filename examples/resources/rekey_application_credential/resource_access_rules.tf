# A credential that can look at servers, and start and stop them.
resource "rekey_application_credential" "inventory" {
  name_prefix = "inventory-"
  roles       = ["member"]

  access_rules = [
    {
      service = "compute"
      method  = "GET"
      path    = "/v2.1/servers/**"
    },
    {
      service = "compute"
      method  = "POST"
      path    = "/v2.1/servers/*/action"
    },
  ]
}
