# The cluster that the provider's kubernetes block leads to.
data "rekey_openshift_credentials_mode" "prod" {}

check "the_operator_works_as_the_runbook_says" {
  assert {
    condition     = data.rekey_openshift_credentials_mode.prod.mode == "mint"
    error_message = "The Cloud Credential Operator is in mode ${data.rekey_openshift_credentials_mode.prod.mode}: a rotation goes another way than the runbook says."
  }
}

output "what_keeps_a_rotation_from_being_begun" {
  value = data.rekey_openshift_credentials_mode.prod.refusals
}
