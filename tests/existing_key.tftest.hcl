# A key that exists: which forms are accepted.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  external_ids = ["org-abc123"]
}

run "registers_an_existing_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
  }

  assert {
    condition     = output.kms_arn == "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555" && output.handoff.kms_arn == output.kms_arn
    error_message = "The key must be registered as given."
  }

  assert {
    condition     = output.key_policy_json == null && output.alias_arn == null
    error_message = "The policy and the alias of an existing key are not the output of this module."
  }

  assert {
    condition     = output.key_policy_statement.Condition.ArnEquals["aws:PrincipalArn"] == "arn:aws:iam::111122223333:role/openai-ekm"
    error_message = "The statement must name the role."
  }

  assert {
    condition     = output.policies.permission_policy.Statement[0].Resource == "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
    error_message = "The role must use that key."
  }
}

run "registers_a_multi_region_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef"
  }
}

run "warns_of_an_alias_and_permits_the_key_behind_it" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/team/openai"
  }

  expect_failures = [check.registered_arn_is_not_an_alias]

  assert {
    condition     = output.kms_arn == "arn:aws:kms:eu-west-1:111122223333:alias/team/openai"
    error_message = "The alias must be registered as given."
  }

  assert {
    condition     = output.policies.permission_policy.Statement[0].Resource == "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
    error_message = "The role must be given the key, never the alias."
  }
}

run "refuses_a_key_id_without_its_arn" {
  command = plan

  variables {
    kms_key_arn = "11111111-2222-4333-8444-555555555555"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_key_of_another_partition" {
  command = plan

  variables {
    kms_key_arn = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
  }

  expect_failures = [var.kms_key_arn]
}

run "says_nothing_of_an_alias_that_is_meant" {
  command = plan

  variables {
    kms_key_arn  = "arn:aws:kms:eu-west-1:111122223333:alias/team/openai"
    accept_alias = true
  }
}

run "refuses_key_tags_for_a_key_that_is_not_made" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
    key_tags    = { team = "a" }
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_the_alias_of_an_aws_managed_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/aws/s3"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_settings_of_a_new_key_with_an_existing_one" {
  command = plan

  variables {
    kms_key_arn  = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
    multi_region = true
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_rotation_period_for_an_existing_key" {
  command = plan

  variables {
    kms_key_arn             = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
    rotation_period_in_days = 90
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_deletion_window_for_an_existing_key" {
  command = plan

  variables {
    kms_key_arn             = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
    deletion_window_in_days = 7
  }

  expect_failures = [var.kms_key_arn]
}
