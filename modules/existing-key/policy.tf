# What the key's policy needs. It is not ours to write; this says exactly what to add.

locals {
  # The same statement as AllowUseByRole in modules/key/policy.tf, where the reasons stand.
  use_statement = {
    Sid       = "AllowUseByRole"
    Effect    = "Allow"
    Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
    Action    = ["kms:Decrypt", "kms:Encrypt"]
    Resource  = "*"
    Condition = { ArnEquals = { "aws:PrincipalArn" = var.role_arn } }
  }
}
