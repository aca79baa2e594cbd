# What only data can tell of the role.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  account_id             = "111122223333"
  name                   = "openai-ekm"
  path                   = "/"
  external_ids           = ["org-abc123"]
  key_arn                = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
  permissions_boundary   = null
  max_session_duration   = 3600
  extra_trust_conditions = {}
  extra_use_conditions   = {}
  tags                   = {}
}

run "refuses_a_trust_policy_that_no_quota_admits" {
  command = plan

  module {
    source = "./modules/role"
  }

  variables {
    external_ids = [for n in range(120) : format("org-%032d", n)]
  }

  expect_failures = [aws_iam_role.this]
}

run "refuses_a_boundary_of_another_account" {
  command = plan

  module {
    source = "./modules/role"
  }

  variables {
    permissions_boundary = "arn:aws:iam::444455556666:policy/boundary"
  }

  expect_failures = [aws_iam_role.this]
}

run "accepts_a_boundary_of_aws" {
  command = plan

  module {
    source = "./modules/role"
  }

  variables {
    permissions_boundary = "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser"
  }
}

run "refuses_a_role_made_in_another_account" {
  command = apply

  override_resource {
    target = aws_iam_role.this
    values = { arn = "arn:aws:iam::444455556666:role/openai-ekm" }
  }

  module {
    source = "./modules/role"
  }

  expect_failures = [aws_iam_role.this]
}
