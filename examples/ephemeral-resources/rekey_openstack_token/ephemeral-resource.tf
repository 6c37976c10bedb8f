# A token of the provider's own login; it is in no state and no plan, and revoked at the end of the run.
ephemeral "rekey_openstack_token" "this" {}

# For every provider that takes a token, for example another configuration of this one.
provider "rekey" {
  alias = "by_token"

  openstack = {
    auth_url = ephemeral.rekey_openstack_token.this.auth_url
    token    = ephemeral.rekey_openstack_token.this.token
  }
}
