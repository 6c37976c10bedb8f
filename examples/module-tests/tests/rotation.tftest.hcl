# Against a Keystone, real or the sandbox: the login is the one of clouds.yaml or of the OS_* variables.

provider "rekey" {}

run "the_first_one" {
  assert {
    condition     = rekey_application_credential.this.generation == 1
    error_message = "It is not the first generation."
  }
}

run "a_rotation" {
  variables {
    reissue = "2"
  }

  assert {
    condition     = output.id != run.the_first_one.id
    error_message = "The credential is still the first one."
  }

  assert {
    condition     = rekey_application_credential.this.previous_generations["1"].id == run.the_first_one.id
    error_message = "The first one is not kept for the overlap."
  }
}

run "then_nothing_changes" {
  command = plan

  variables {
    reissue = "2"
  }

  assert {
    condition     = rekey_application_credential.this.generation == 2
    error_message = "It is rotated once more."
  }
}
