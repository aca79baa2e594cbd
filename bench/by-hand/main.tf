# What the module makes in AWS, written by hand: the yardstick of bench/run.py. It registers nothing.
terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

provider "aws" {}

data "aws_caller_identity" "current" {}

variable "organization_id" {
  description = "The external id."
  type        = string
  nullable    = false
}

locals {
  account_root_arn = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root"
}

resource "aws_kms_key" "this" {
  description             = "Encrypts OpenAI data"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { AWS = local.account_root_arn }
        Action    = ["kms:DescribeKey", "kms:DisableKey", "kms:EnableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]
        Resource  = "*"
      },
      {
        Effect    = "Allow"
        Principal = { AWS = local.account_root_arn }
        Action    = ["kms:Decrypt", "kms:Encrypt"]
        Resource  = "*"
        Condition = {
          ArnEquals = { "aws:PrincipalArn" = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/openai-ekm" }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/openai-ekm"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_iam_role" "this" {
  name = "openai-ekm"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.organization_id } }
    }]
  })
}

resource "aws_iam_role_policy" "use" {
  name = "use"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:Encrypt"]
      Resource = aws_kms_key.this.arn
    }]
  })
}

output "role_arn" {
  description = "For the registration."
  value       = aws_iam_role.this.arn
}

output "kms_arn" {
  description = "For the registration."
  value       = aws_kms_key.this.arn
}
