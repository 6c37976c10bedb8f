# A credential for this run only. It is revoked at the end, and expires by itself if the run dies.
ephemeral "rekey_application_credential" "run" {
  roles      = ["reader"]
  expires_in = "30m"
}

# For every provider that logs in to OpenStack, for example another configuration of this one.
provider "rekey" {
  alias = "reader"

  openstack = {
    auth_url                      = ephemeral.rekey_application_credential.run.auth_url
    application_credential_id     = ephemeral.rekey_application_credential.run.id
    application_credential_secret = ephemeral.rekey_application_credential.run.secret
  }
}
