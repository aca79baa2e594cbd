# The key that the module makes, and its policy.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  external_ids = ["org-abc123"]
}

run "lets_the_role_alone_use_the_key" {
  command = plan

  assert {
    condition     = [for statement in output.policies.key_policy.Statement : statement.Sid] == ["AllowAdministration", "AllowUseByRole", "DenyKeyDeletion"]
    error_message = "The default policy must have these three statements."
  }

  assert {
    condition     = output.policies.key_policy.Statement[1] == output.key_policy_statement
    error_message = "The statement for the role must be the one that the output names."
  }

  assert {
    condition     = length(setintersection(output.policies.key_policy.Statement[0].Action, ["kms:*", "kms:Encrypt", "kms:Decrypt", "kms:CreateGrant", "kms:ReplicateKey"])) == 0 && !strcontains(join(" ", output.policies.key_policy.Statement[0].Action), "*")
    error_message = "Administrators must not reach plaintext."
  }

  assert {
    condition     = jsondecode(output.key_policy_json) == jsondecode(jsonencode(output.policies.key_policy))
    error_message = "The JSON and the object must be the same policy."
  }
}

run "adds_administrators_to_the_account" {
  command = plan

  variables {
    administrators = ["arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:role/ops/security"]
  }

  assert {
    condition     = output.policies.key_policy.Statement[0].Principal.AWS == tolist(["arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:role/ops/security", "arn:aws:iam::111122223333:user/ann"])
    error_message = "The account and both administrators must administer."
  }
}

run "adds_statements_aliases_and_tags_of_the_key" {
  command = plan

  variables {
    aliases   = ["team/openai"]
    tags      = { team = "a", cost = "1" }
    key_tags  = { cost = "2" }
    role_tags = { boundary = "b" }
    extra_key_policy_statements = [
      {
        sid        = "AllowReadingByAudit"
        effect     = "Allow"
        principals = { AWS = ["arn:aws:iam::444455556666:role/audit"] }
        actions    = ["kms:DescribeKey", "kms:GetKeyPolicy"]
      },
      {
        sid        = "DenyWithoutTls"
        effect     = "Deny"
        principals = { AWS = ["*"] }
        actions    = ["kms:Decrypt", "kms:Encrypt"]
        conditions = { Bool = { "aws:SecureTransport" = ["false"] } }
      },
    ]
  }

  assert {
    condition = slice(jsondecode(jsonencode(output.policies.key_policy)).Statement, 3, 5) == [
      {
        Sid       = "AllowReadingByAudit", Effect = "Allow", Resource = "*"
        Principal = { AWS = ["arn:aws:iam::444455556666:role/audit"] }, Action = ["kms:DescribeKey", "kms:GetKeyPolicy"]
      },
      {
        Sid       = "DenyWithoutTls", Effect = "Deny", Resource = "*"
        Principal = { AWS = ["*"] }, Action = ["kms:Decrypt", "kms:Encrypt"]
        Condition = { Bool = { "aws:SecureTransport" = ["false"] } }
      },
    ]
    error_message = "The statements must stand behind the module's own, as they were given."
  }

  assert {
    condition     = jsondecode(output.key_policy_json) == jsondecode(jsonencode(output.policies.key_policy))
    error_message = "The JSON and the object must be the same policy."
  }
}

run "refuses_a_statement_with_another_effect" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "allow"
      principals = { AWS = ["arn:aws:iam::111122223333:role/a"] }
      actions    = ["kms:DescribeKey"]
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_with_a_sid_of_the_modules_own" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "DenyKeyDeletion"
      effect     = "Allow"
      principals = { AWS = ["arn:aws:iam::111122223333:role/a"] }
      actions    = ["kms:DescribeKey"]
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_without_a_principal" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "Allow"
      principals = {}
      actions    = ["kms:DescribeKey"]
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_that_allows_everybody" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "Allow"
      principals = { AWS = ["*"] }
      actions    = ["kms:DescribeKey"]
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_of_a_principal_of_another_kind" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "Allow"
      principals = { Federated = ["arn:aws:iam::111122223333:saml-provider/x"] }
      actions    = ["kms:DescribeKey"]
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_with_a_wildcard_in_an_action" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "Allow"
      principals = { AWS = ["arn:aws:iam::111122223333:role/a"] }
      actions    = ["kms:Describe*"]
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_without_an_action" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "Allow"
      principals = { AWS = ["arn:aws:iam::111122223333:role/a"] }
      actions    = []
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_that_allows_use" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "Allow"
      principals = { AWS = ["arn:aws:iam::111122223333:role/a"] }
      actions    = ["kms:DescribeKey", "kms:Decrypt"]
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_that_allows_a_grant" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "Allow"
      principals = { AWS = ["arn:aws:iam::111122223333:role/a"] }
      actions    = ["kms:CreateGrant"]
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_that_allows_to_change_the_policy" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "Allow"
      principals = { AWS = ["arn:aws:iam::111122223333:role/a"] }
      actions    = ["kms:PutKeyPolicy"]
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_that_denies_to_change_the_policy" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "Deny"
      principals = { AWS = ["arn:aws:iam::111122223333:role/a"] }
      actions    = ["kms:PutKeyPolicy"]
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_that_denies_to_bring_the_key_back" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "Deny"
      principals = { AWS = ["arn:aws:iam::111122223333:role/a"] }
      actions    = ["kms:CancelKeyDeletion"]
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_a_statement_with_an_unknown_operator" {
  command = plan

  variables {
    extra_key_policy_statements = [{
      sid        = "One"
      effect     = "Allow"
      principals = { AWS = ["arn:aws:iam::111122223333:role/a"] }
      actions    = ["kms:DescribeKey"]
      conditions = { StringIs = { "aws:PrincipalOrgID" = ["o-1"] } }
    }]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_two_statements_with_one_sid" {
  command = plan

  variables {
    extra_key_policy_statements = [
      { sid = "One", effect = "Allow", principals = { Service = ["config.amazonaws.com"] }, actions = ["kms:DescribeKey"] },
      { sid = "One", effect = "Allow", principals = { Service = ["config.amazonaws.com"] }, actions = ["kms:DescribeKey"] },
    ]
  }

  expect_failures = [var.extra_key_policy_statements]
}

run "refuses_an_administrator_of_identity_center_without_its_path" {
  command = plan

  variables {
    administrators = ["arn:aws:iam::111122223333:role/AWSReservedSSO_Admin_0123456789abcdef"]
  }

  expect_failures = [var.administrators]
}

run "accepts_an_administrator_of_identity_center_with_its_path" {
  command = plan

  variables {
    administrators = [
      "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef",
      "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef",
    ]
  }
}

run "refuses_a_further_alias_that_aws_keeps" {
  command = plan

  variables {
    aliases = ["aws/openai"]
  }

  expect_failures = [var.aliases]
}

run "refuses_the_first_alias_as_a_further_one" {
  command = plan

  variables {
    aliases = ["openai-ekm"]
  }

  expect_failures = [var.aliases]
}

run "refuses_tags_that_are_too_many_together" {
  command = plan

  variables {
    tags     = { for n in range(30) : "a${n}" => "" }
    key_tags = { for n in range(21) : "b${n}" => "" }
  }

  expect_failures = [var.key_tags]
}

run "refuses_role_tags_that_differ_from_tags_by_case" {
  command = plan

  variables {
    tags      = { team = "a" }
    role_tags = { Team = "a" }
  }

  expect_failures = [var.role_tags]
}

run "lets_named_administrators_alone_administer" {
  command = plan

  variables {
    administrators           = ["arn:aws:iam::111122223333:role/deployer"]
    account_root_administers = false
  }

  assert {
    condition     = output.policies.key_policy.Statement[0].Principal.AWS == tolist(["arn:aws:iam::111122223333:role/deployer"])
    error_message = "The account must not administer."
  }
}

run "delegates_to_the_account_when_asked" {
  command = plan

  variables {
    key_policy_mode     = "root_delegation"
    deletion_protection = false
  }

  assert {
    condition = jsondecode(output.key_policy_json).Statement == [{
      Sid       = "DelegateToAccount"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::111122223333:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
    error_message = "The policy must be the default of AWS."
  }
}

run "leaves_the_protection_out_when_it_is_off" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = [for statement in output.policies.key_policy.Statement : statement.Sid] == ["AllowAdministration", "AllowUseByRole"]
    error_message = "Without the protection nothing must be denied."
  }
}

run "accepts_the_longest_rotation_and_the_shortest_window" {
  command = plan

  variables {
    rotation_period_in_days = 2560
    deletion_window_in_days = 7
    multi_region            = true
    alias                   = "team/openai"
    key_description         = "For OpenAI"
  }
}

run "refuses_an_administrator_that_is_a_session" {
  command = plan

  variables {
    administrators = ["arn:aws:sts::111122223333:assumed-role/ops/me"]
  }

  expect_failures = [var.administrators]
}

run "refuses_an_administrator_that_is_a_wildcard" {
  command = plan

  variables {
    administrators = ["arn:aws:iam::111122223333:role/*"]
  }

  expect_failures = [var.administrators]
}

run "refuses_to_take_administration_from_the_account_without_administrators" {
  command = plan

  variables {
    account_root_administers = false
  }

  expect_failures = [var.account_root_administers]
}

run "refuses_root_delegation_without_the_account" {
  command = plan

  variables {
    administrators           = ["arn:aws:iam::111122223333:role/deployer"]
    account_root_administers = false
    key_policy_mode          = "root_delegation"
  }

  expect_failures = [var.account_root_administers]
}

run "refuses_an_unknown_key_policy_mode" {
  command = plan

  variables {
    key_policy_mode = "open"
  }

  expect_failures = [var.key_policy_mode]
}

run "refuses_a_rotation_period_under_90_days" {
  command = plan

  variables {
    rotation_period_in_days = 89
  }

  expect_failures = [var.rotation_period_in_days]
}

run "refuses_a_rotation_period_over_2560_days" {
  command = plan

  variables {
    rotation_period_in_days = 2561
  }

  expect_failures = [var.rotation_period_in_days]
}

run "refuses_a_deletion_window_under_7_days" {
  command = plan

  variables {
    deletion_window_in_days = 6
  }

  expect_failures = [var.deletion_window_in_days]
}

run "refuses_a_deletion_window_over_30_days" {
  command = plan

  variables {
    deletion_window_in_days = 31
  }

  expect_failures = [var.deletion_window_in_days]
}

run "refuses_an_alias_with_a_dot" {
  command = plan

  variables {
    alias = "openai.ekm"
  }

  expect_failures = [var.alias]
}

run "refuses_an_alias_with_its_prefix" {
  command = plan

  variables {
    alias = "alias/openai-ekm"
  }

  expect_failures = [var.alias]
}

run "refuses_an_alias_that_aws_keeps_for_itself" {
  command = plan

  variables {
    alias = "aws/openai"
  }

  expect_failures = [var.alias]
}

run "refuses_a_key_description_of_8193_characters" {
  command = plan

  variables {
    key_description = format("%08193d", 0)
  }

  expect_failures = [var.key_description]
}
