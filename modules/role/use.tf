# What the role may do: Encrypt and Decrypt with one key, nothing else, anywhere.

locals {
  # https://help.openai.com/en/articles/20000947 asks for exactly this statement.
  # https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html says why the resource is the key,
  # never an alias: for Encrypt and Decrypt the resource is always the key, so an alias would match nothing.
  use_statement = {
    Sid      = "AllowEncryptDecrypt"
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:Encrypt"]
    Resource = var.key_arn
  }

  permission_policy = {
    Version = "2012-10-17"
    Statement = [merge(
      local.use_statement,
      length(var.extra_use_conditions) == 0 ? {} : { Condition = var.extra_use_conditions },
    )]
  }

  permission_policy_json = jsonencode(local.permission_policy)
}
