locals {
  # Built, not read back: a plan shows the whole key policy, which names it.
  arn = "arn:aws:iam::${var.account_id}:role${var.path}${var.name}"
}

resource "aws_iam_role" "this" {
  name                 = var.name
  path                 = var.path
  description          = "Assumed by OpenAI's Enterprise Key Management to use one KMS key"
  assume_role_policy   = local.trust_policy_json
  permissions_boundary = var.permissions_boundary
  max_session_duration = var.max_session_duration
  tags                 = var.tags

  lifecycle {
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    precondition {
      condition     = var.mocked || can(regex("^arn:aws:iam::(aws|${var.account_id}):", coalesce(var.permissions_boundary, "arn:aws:iam::aws:")))
      error_message = "permissions_boundary must be a policy of the account ${var.account_id} or of AWS, as IAM accepts; found ${coalesce(var.permissions_boundary, "none")}. Give a policy of this account."
    }

    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    precondition {
      condition     = length(local.trust_policy_json) <= 4096
      error_message = "The trust policy must have at most 4096 characters, the most that IAM can be raised to; found ${length(local.trust_policy_json)}. Use fewer external_ids or fewer extra_trust_conditions."
    }

    postcondition {
      condition     = var.mocked || self.arn == local.arn
      error_message = "The role's ARN must be ${local.arn}, which the key policy admits; AWS made ${self.arn}. Check that the provider's credentials are for the account that the plan was made with."
    }
  }
}

resource "aws_iam_role_policy" "use" {
  name   = var.policy_name
  role   = aws_iam_role.this.name
  policy = local.permission_policy_json
}
