# Without any cloud: what the module hands to the provider, and what it makes of the answer.

mock_provider "rekey" {
  mock_resource "rekey_application_credential" {
    defaults = {
      id          = "3ee6a6eae4ec4f3a91d1b9d0a84a9d9c"
      secret      = "a secret that no cloud knows"
      auth_url    = "https://keystone.example.com:5000/v3"
      region_name = "RegionOne"
    }
  }
}

run "the_name_begins_with_the_service" {
  command = plan

  variables {
    service = "monitoring"
  }

  assert {
    condition     = rekey_application_credential.this.name_prefix == "monitoring-"
    error_message = "The credential is not named after its service."
  }

  assert {
    condition     = rekey_application_credential.this.roles == toset(["member"])
    error_message = "The credential has other roles than member."
  }
}

run "the_file_has_the_login" {
  assert {
    condition     = yamldecode(output.clouds_yaml).clouds.backup.auth.application_credential_id == "3ee6a6eae4ec4f3a91d1b9d0a84a9d9c"
    error_message = "clouds.yaml has another login."
  }
}

run "a_name_with_a_digit_is_refused" {
  command = plan

  variables {
    service = "backup2"
  }

  expect_failures = [var.service]
}
