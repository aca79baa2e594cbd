# Who may do what with the key. In a key policy, Resource "*" means this key.
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html

locals {
  account_root_arn = "arn:aws:iam::${var.account_id}:root"

  foreign_administrators = [
    for arn in var.administrators : arn if !startswith(arn, "arn:aws:iam::${var.account_id}:")
  ]

  # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-administrators
  # AWS's list spelt out, without wildcards: `kms:Create*` would contain CreateGrant, and a grant is one step to plaintext,
  # as ReplicateKey is, which sets the replica's policy. No action here makes or reads ciphertext. Imported key material is
  # left out: this module's keys have none.
  administration_actions = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
  ]

  # The account stands for its IAM policies: they decide who of the account may do these actions.
  # A named administrator needs no IAM policy.
  allow_administration = {
    Sid    = "AllowAdministration"
    Effect = "Allow"
    Principal = {
      AWS = concat(local.account_administers ? [local.account_root_arn] : [], sort(tolist(var.administrators)))
    }
    Action   = local.administration_actions
    Resource = "*"
  }
  account_administers = var.account_root_administers && var.policy_mode == "least_privilege"

  # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-root-enable-iam
  # narrowed to two actions and one role, so that the role's identity policy is what grants.
  # The role is named in a condition, not as principal: AWS would store a principal as the role's unique id, and a role
  # made anew under the same name would be cut off from the data.
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
  allow_use_by_role = {
    Sid       = "AllowUseByRole"
    Effect    = "Allow"
    Principal = { AWS = local.account_root_arn }
    Action    = ["kms:Decrypt", "kms:Encrypt"]
    Resource  = "*"
    Condition = { ArnEquals = { "aws:PrincipalArn" = var.role_arn } }
  }

  # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-root-enable-iam
  # AWS's default, for those who need it: IAM policies of the account decide over every action, use included.
  delegate_to_account = {
    Sid       = "DelegateToAccount"
    Effect    = "Allow"
    Principal = { AWS = local.account_root_arn }
    Action    = "kms:*"
    Resource  = "*"
  }

  # https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-adding-permission.html
  # Holds against everyone, the account root included, and also when this module is removed from the configuration.
  # DisableKey stays possible: it is the kill switch, and it can be undone.
  deny_key_deletion = {
    Sid       = "DenyKeyDeletion"
    Effect    = "Deny"
    Principal = "*"
    Action    = "kms:ScheduleKeyDeletion"
    Resource  = "*"
  }

  statements = {
    least_privilege = concat([local.allow_administration], [local.allow_use_by_role])
    root_delegation = concat([local.delegate_to_account], length(var.administrators) == 0 ? [] : [local.allow_administration])
  }

  policy = {
    Version = "2012-10-17"
    Statement = concat(
      local.statements[var.policy_mode],
      var.deletion_protection ? [local.deny_key_deletion] : [],
      [for it in var.extra_statements : merge(
        { Sid = it.sid, Effect = it.effect, Principal = it.principals, Action = it.actions, Resource = "*" },
        length(it.conditions) == 0 ? {} : { Condition = it.conditions },
      )],
    )
  }

  policy_json = jsonencode(local.policy)
}
