# What only the existing key itself can tell.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  account_id  = "111122223333"
  region      = "eu-west-1"
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
  role_arn    = "arn:aws:iam::111122223333:role/openai-ekm"
}

run "accepts_an_enabled_symmetric_key" {
  command = plan

  module {
    source = "./modules/existing-key"
  }

  assert {
    condition     = output.ready_arn == var.kms_key_arn
    error_message = "The ARN must be passed on as given."
  }
}

run "takes_the_given_arn_for_the_keys_own_without_reading_it" {
  command = plan

  override_data {
    target = data.aws_kms_key.this
    values = {
      arn         = "arn:aws:kms:eu-west-1:111122223333:key/99999999-2222-4333-8444-555555555555"
      key_spec    = "SYMMETRIC_DEFAULT"
      key_usage   = "ENCRYPT_DECRYPT"
      key_state   = "Enabled"
      key_manager = "CUSTOMER"
    }
  }

  module {
    source = "./modules/existing-key"
  }

  assert {
    condition     = output.arn == var.kms_key_arn
    error_message = "Read, it is unknown as long as the key is to change, and reads as another key."
  }
}

run "refuses_a_key_of_another_region" {
  command = plan

  module {
    source = "./modules/existing-key"
  }

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-4333-8444-555555555555"
  }

  expect_failures = [data.aws_kms_key.this]
}

run "refuses_a_key_of_another_account" {
  command = plan

  module {
    source = "./modules/existing-key"
  }

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:444455556666:key/11111111-2222-4333-8444-555555555555"
  }

  expect_failures = [data.aws_kms_key.this]
}

run "refuses_a_disabled_key" {
  command = plan

  override_data {
    target = data.aws_kms_key.this
    values = {
      arn         = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
      key_spec    = "SYMMETRIC_DEFAULT"
      key_usage   = "ENCRYPT_DECRYPT"
      key_state   = "Disabled"
      key_manager = "CUSTOMER"
    }
  }

  module {
    source = "./modules/existing-key"
  }

  expect_failures = [data.aws_kms_key.this]
}

run "refuses_a_key_that_waits_for_deletion" {
  command = plan

  override_data {
    target = data.aws_kms_key.this
    values = {
      arn         = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
      key_spec    = "SYMMETRIC_DEFAULT"
      key_usage   = "ENCRYPT_DECRYPT"
      key_state   = "PendingDeletion"
      key_manager = "CUSTOMER"
    }
  }

  module {
    source = "./modules/existing-key"
  }

  expect_failures = [data.aws_kms_key.this]
}

run "refuses_an_asymmetric_key" {
  command = plan

  override_data {
    target = data.aws_kms_key.this
    values = {
      arn         = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
      key_spec    = "RSA_3072"
      key_usage   = "ENCRYPT_DECRYPT"
      key_state   = "Enabled"
      key_manager = "CUSTOMER"
    }
  }

  module {
    source = "./modules/existing-key"
  }

  expect_failures = [data.aws_kms_key.this]
}

run "refuses_a_key_for_messages_authentication" {
  command = plan

  override_data {
    target = data.aws_kms_key.this
    values = {
      arn         = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
      key_spec    = "HMAC_256"
      key_usage   = "GENERATE_VERIFY_MAC"
      key_state   = "Enabled"
      key_manager = "CUSTOMER"
    }
  }

  module {
    source = "./modules/existing-key"
  }

  expect_failures = [data.aws_kms_key.this]
}

run "refuses_a_key_that_aws_manages" {
  command = plan

  override_data {
    target = data.aws_kms_key.this
    values = {
      arn         = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
      key_spec    = "SYMMETRIC_DEFAULT"
      key_usage   = "ENCRYPT_DECRYPT"
      key_state   = "Enabled"
      key_manager = "AWS"
    }
  }

  module {
    source = "./modules/existing-key"
  }

  expect_failures = [data.aws_kms_key.this]
}

run "asks_for_the_same_statement_that_a_new_key_has" {
  command = plan

  module {
    source = "./modules/key"
  }

  variables {
    role_unique_id           = "AROAEXAMPLE"
    alias                    = "openai-ekm"
    description              = "For OpenAI"
    multi_region             = false
    rotation_period_in_days  = 365
    deletion_window_in_days  = 30
    policy_mode              = "least_privilege"
    administrators           = []
    account_root_administers = true
    deletion_protection      = true
    tags                     = {}
  }

  assert {
    condition     = output.use_statement == run.accepts_an_enabled_symmetric_key.use_statement
    error_message = "An existing key must need what a new key has."
  }
}
