locals {
  # Only then can the policy lock out the identity that applies it; otherwise IAM policies of the account decide.
  named_administrators_only = var.policy_mode == "least_privilege" && !var.account_root_administers
}

data "aws_caller_identity" "current" {
  count = local.named_administrators_only ? 1 : 0
}

# The role behind a session: a key policy names roles, the caller's ARN is the session's.
data "aws_iam_session_context" "caller" {
  count = local.named_administrators_only ? 1 : 0
  arn   = data.aws_caller_identity.current[0].arn
}

resource "aws_kms_key" "this" {
  description              = var.description
  key_usage                = "ENCRYPT_DECRYPT"
  customer_master_key_spec = "SYMMETRIC_DEFAULT"
  multi_region             = var.multi_region
  enable_key_rotation      = true
  rotation_period_in_days  = var.rotation_period_in_days
  deletion_window_in_days  = var.deletion_window_in_days
  # Here, never as aws_kms_key_policy: destroying that one puts the default policy back, in which the account may use
  # the key, and it would lift the deletion protection just before the key goes.
  policy = local.policy_json
  tags   = var.tags

  lifecycle {
    # Disabling the key is the kill switch: the next apply must not undo it.
    ignore_changes = [is_enabled]

    # The key is made after the role. A second set-up with the same name ends at AWS's EntityAlreadyExists for the role,
    # and no second key is left behind. A condition, since an attribute would make the key policy unknown in a plan.
    precondition {
      condition     = var.role_unique_id != ""
      error_message = "The role ${var.role_arn} must exist before its key; found none. Apply again."
    }

    precondition {
      condition     = var.mocked || length(local.foreign_administrators) == 0
      error_message = "administrators must be roles or users of the account ${var.account_id}; found ${jsonencode(local.foreign_administrators)}. Name principals of this account."
    }

    precondition {
      condition     = !contains([for arn in var.administrators : lower(arn)], lower(var.role_arn))
      error_message = "administrators must not hold ${var.role_arn}, the role that OpenAI assumes: it could give itself everything. Remove it."
    }

    # https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html (BypassPolicyLockoutSafetyCheck)
    precondition {
      condition = var.mocked || !local.named_administrators_only || anytrue([
        for caller in data.aws_iam_session_context.caller : contains(var.administrators, caller.issuer_arn)
      ])
      error_message = format(
        "With account_root_administers = false the caller must be among administrators; found %s, wanted one of %s. AWS refuses a key policy that its author could not change again: add the caller, or let the account administer.",
        try(data.aws_iam_session_context.caller[0].issuer_arn, "an unknown caller"), jsonencode(var.administrators),
      )
    }
  }
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.alias}"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_kms_alias" "further" {
  for_each      = var.further_aliases
  name          = "alias/${each.key}"
  target_key_id = aws_kms_key.this.key_id
}
