# Conditions that are added as data.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  external_ids = ["org-abc123"]
}

run "adds_a_condition_to_the_trust_policy" {
  command = plan

  variables {
    extra_trust_conditions = {
      DateLessThan = { "aws:CurrentTime" = ["2030-01-01T00:00:00Z"] }
    }
  }

  assert {
    condition = jsondecode(output.trust_policy_json).Statement[0].Condition == {
      DateLessThan = { "aws:CurrentTime" = ["2030-01-01T00:00:00Z"] }
      StringEquals = { "sts:ExternalId" = ["org-abc123"] }
    }
    error_message = "The condition must be added to the external id, not replace it."
  }
}

run "adds_a_key_to_the_operator_of_the_external_id" {
  command = plan

  variables {
    extra_trust_conditions = {
      StringEquals = { "aws:PrincipalAccount" = ["790389265272"] }
    }
  }

  assert {
    condition = jsondecode(output.trust_policy_json).Statement[0].Condition == {
      StringEquals = { "aws:PrincipalAccount" = ["790389265272"], "sts:ExternalId" = ["org-abc123"] }
    }
    error_message = "Both keys must stand under the operator."
  }
}

run "adds_a_condition_to_the_identity_policy" {
  command = apply

  variables {
    deletion_protection = false
    extra_use_conditions = {
      Bool = { "aws:SecureTransport" = ["true"] }
    }
  }

  assert {
    condition     = jsondecode(output.permission_policy_json).Statement[0].Condition == { Bool = { "aws:SecureTransport" = ["true"] } }
    error_message = "The condition must stand in the identity policy."
  }
}

run "refuses_an_extra_trust_condition_on_the_external_id" {
  command = plan

  variables {
    extra_trust_conditions = { StringLike = { "STS:externalid" = ["*"] } }
  }

  expect_failures = [var.extra_trust_conditions]
}

run "refuses_an_extra_trust_condition_with_an_unknown_operator" {
  command = plan

  variables {
    extra_trust_conditions = { StringMatches = { "aws:CurrentTime" = ["x"] } }
  }

  expect_failures = [var.extra_trust_conditions]
}

run "refuses_an_extra_trust_condition_without_a_value" {
  command = plan

  variables {
    extra_trust_conditions = { StringEquals = { "aws:RequestedRegion" = [] } }
  }

  expect_failures = [var.extra_trust_conditions]
}

run "refuses_an_extra_trust_condition_without_a_key" {
  command = plan

  variables {
    extra_trust_conditions = { StringEquals = {} }
  }

  expect_failures = [var.extra_trust_conditions]
}

run "refuses_an_extra_trust_condition_of_null" {
  command = plan

  variables {
    extra_trust_conditions = { StringEquals = null }
  }

  expect_failures = [var.extra_trust_conditions]
}

run "refuses_an_extra_use_condition_with_null_for_a_value" {
  command = plan

  variables {
    extra_use_conditions = { StringEquals = { "aws:PrincipalAccount" = [null] } }
  }

  expect_failures = [var.extra_use_conditions]
}

run "refuses_an_extra_use_condition_with_an_unknown_operator" {
  command = plan

  variables {
    extra_use_conditions = { stringequals = { "aws:RequestedRegion" = ["eu-west-1"] } }
  }

  expect_failures = [var.extra_use_conditions]
}

run "refuses_an_extra_use_condition_without_a_value" {
  command = plan

  variables {
    extra_use_conditions = { StringEquals = { "aws:RequestedRegion" = [] } }
  }

  expect_failures = [var.extra_use_conditions]
}

run "warns_of_a_trust_condition_that_openai_may_not_meet" {
  command = plan

  variables {
    extra_trust_conditions = { StringEquals = { "sts:RoleSessionName" = ["OpenAI-EKM-Service"] } }
  }

  expect_failures = [check.openai_can_meet_the_extra_conditions]
}

run "warns_of_the_region_that_openai_calls_sts_in" {
  command = plan

  variables {
    extra_trust_conditions = { StringEquals = { "aws:RequestedRegion" = ["eu-west-1"] } }
  }

  expect_failures = [check.openai_can_meet_the_extra_conditions]
}

run "warns_of_a_use_condition_that_openai_may_not_meet" {
  command = plan

  variables {
    extra_use_conditions = { StringEquals = { "kms:EncryptionContext:tenant" = ["a"] } }
  }

  expect_failures = [check.openai_can_meet_the_extra_conditions]
}
