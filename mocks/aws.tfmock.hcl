# For `terraform test` in a configuration that calls this module: docs/terraform-test.md.

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "111122223333"
    arn        = "mocked" # no ARN: by this the module knows that nothing is real
  }
}

mock_data "aws_partition" {
  defaults = {
    partition  = "aws"
    dns_suffix = "amazonaws.com"
  }
}

mock_data "aws_region" {
  defaults = {
    id   = "eu-west-1"
    name = "eu-west-1"
  }
}

mock_data "aws_iam_session_context" {
  defaults = { issuer_arn = "arn:aws:iam::111122223333:role/mocked" }
}

mock_data "aws_kms_key" {
  defaults = {
    arn         = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
    key_id      = "00000000-0000-4000-8000-000000000000"
    key_spec    = "SYMMETRIC_DEFAULT"
    key_usage   = "ENCRYPT_DECRYPT"
    key_state   = "Enabled"
    key_manager = "CUSTOMER"
  }
}

mock_resource "aws_kms_key" {
  defaults = {
    arn    = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
    key_id = "00000000-0000-4000-8000-000000000000"
  }
}

mock_resource "aws_kms_alias" {
  defaults = { arn = "arn:aws:kms:eu-west-1:111122223333:alias/mocked" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::111122223333:role/mocked" }
}
