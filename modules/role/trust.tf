# Who may assume the role: OpenAI's one role, and only when it names an external id of ours.

locals {
  # https://help.openai.com/en/articles/20000947 (OpenAI / AWS EKM integration instructions)
  openai_role_arn = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"

  # https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
  # StringEquals is literal and false when the key is missing: a call without the external id is refused.
  required_trust_conditions = {
    StringEquals = { "sts:ExternalId" = var.external_ids }
  }

  # All conditions of a statement must hold, so what is added can only narrow it.
  trust_conditions = {
    for operator in distinct(concat(keys(local.required_trust_conditions), keys(var.extra_trust_conditions))) :
    operator => merge(
      { for key, values in lookup(var.extra_trust_conditions, operator, {}) : key => values },
      lookup(local.required_trust_conditions, operator, {}),
    )
  }

  trust_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AllowAssumeRoleByOpenAI"
      Effect    = "Allow"
      Principal = { AWS = local.openai_role_arn }
      Action    = "sts:AssumeRole"
      Condition = local.trust_conditions
    }]
  }

  trust_policy_json = jsonencode(local.trust_policy)
}
