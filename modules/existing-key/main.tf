locals {
  given = {
    region     = split(":", var.kms_key_arn)[3]
    account_id = split(":", var.kms_key_arn)[4]
  }

  # As given where that is the key's own: Terraform puts off reading the key as long as anything about it is to change
  # in the same plan, and an ARN that is not known would read as another key.
  arn = strcontains(var.kms_key_arn, ":alias/") ? data.aws_kms_key.this.arn : var.kms_key_arn
}

data "aws_kms_key" "this" {
  key_id = var.kms_key_arn

  lifecycle {
    precondition {
      condition     = var.mocked || local.given.region == var.region
      error_message = "kms_key_arn must name a key in the provider's Region; found ${local.given.region}, wanted ${var.region}. Give the module an aws provider for ${local.given.region}, or another key."
    }

    # The key policy's delegation, and so the role's identity policy, reaches principals of the key's own account only.
    precondition {
      condition     = var.mocked || local.given.account_id == var.account_id
      error_message = "kms_key_arn must name a key of the provider's account; found ${local.given.account_id}, wanted ${var.account_id}. Apply with credentials for ${local.given.account_id}, or choose a key of this account."
    }

    postcondition {
      condition     = var.mocked || (self.key_spec == "SYMMETRIC_DEFAULT" && self.key_usage == "ENCRYPT_DECRYPT")
      error_message = "kms_key_arn must name a symmetric key for encryption; found ${self.key_spec} for ${self.key_usage}, wanted SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT. A key's type never changes: choose another key, or leave kms_key_arn out to have one made."
    }

    postcondition {
      condition     = var.mocked || self.key_state == "Enabled"
      error_message = "kms_key_arn must name an enabled key; found ${self.key_state}, wanted Enabled. ${lookup(local.remedies, self.key_state, "Wait until the key is available, then plan again.")}"
    }

    # https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
    postcondition {
      condition     = var.mocked || self.key_manager == "CUSTOMER"
      error_message = "kms_key_arn must name a customer managed key; found one managed by ${self.key_manager}, wanted CUSTOMER. The policy of an AWS managed key cannot admit the role: choose another key."
    }
  }
}

locals {
  # https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
  remedies = {
    Disabled               = "Enable it: aws kms enable-key --key-id ${var.kms_key_arn}"
    PendingDeletion        = "Cancel the deletion, then enable it: aws kms cancel-key-deletion --key-id ${var.kms_key_arn}"
    PendingReplicaDeletion = "Its replicas are waiting for deletion: cancel theirs and its own, or choose another key."
    PendingImport          = "Import its key material first."
    Unavailable            = "Connect its custom key store first."
  }
}
