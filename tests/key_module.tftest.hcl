# What only data can tell of a new key: who applies, and in which account.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  account_id               = "111122223333"
  role_arn                 = "arn:aws:iam::111122223333:role/openai-ekm"
  alias                    = "openai-ekm"
  description              = "For OpenAI"
  multi_region             = false
  rotation_period_in_days  = 365
  deletion_window_in_days  = 30
  role_unique_id           = "AROAEXAMPLE"
  policy_mode              = "least_privilege"
  administrators           = ["arn:aws:iam::111122223333:role/deployer"]
  account_root_administers = false
  deletion_protection      = true
  tags                     = {}
}

run "accepts_a_caller_among_the_administrators" {
  command = plan

  module {
    source = "./modules/key"
  }
}

run "refuses_a_policy_that_locks_the_caller_out" {
  command = plan

  module {
    source = "./modules/key"
  }

  variables {
    administrators = ["arn:aws:iam::111122223333:role/security"]
  }

  expect_failures = [aws_kms_key.this]
}

run "refuses_an_administrator_of_another_account" {
  command = plan

  module {
    source = "./modules/key"
  }

  variables {
    administrators           = ["arn:aws:iam::444455556666:role/security"]
    account_root_administers = true
  }

  expect_failures = [aws_kms_key.this]
}

run "refuses_the_role_itself_as_administrator" {
  command = plan

  module {
    source = "./modules/key"
  }

  variables {
    administrators           = ["arn:aws:iam::111122223333:role/OpenAI-EKM"] # to IAM the same name
    account_root_administers = true
  }

  expect_failures = [aws_kms_key.this]
}
