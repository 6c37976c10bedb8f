# Whatever of the login's own user expires within two weeks, or has expired already.
data "rekey_application_credentials" "expiring" {
  expires_within = "14d"
}

output "expiring" {
  value = {
    for credential in data.rekey_application_credentials.expiring.credentials :
    credential.name => credential.days_left
  }
}
