# A credential of your own, by its id
terraform import rekey_application_credential.ci 3ee6a6eae4ec4f3a91d1b9d0a84a9d9c

# Another user's, as an administrator: the user's id, a slash, the credential's id
terraform import rekey_application_credential.ci 8d5e9a1d0b7f4a4f9c3cf27ad4a1f4a2/3ee6a6eae4ec4f3a91d1b9d0a84a9d9c
