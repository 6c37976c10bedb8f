import {
  to = rekey_application_credential.ci
  identity = {
    id = "3ee6a6eae4ec4f3a91d1b9d0a84a9d9c"
  }
}
