# What may be said of the role.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  external_ids = ["org-abc123"]
}

run "makes_the_documented_role" {
  command = plan

  assert {
    condition     = output.role_arn == "arn:aws:iam::111122223333:role/openai-ekm"
    error_message = "The role ARN must be known in the plan."
  }

  assert {
    condition = jsondecode(output.trust_policy_json) == {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "AllowAssumeRoleByOpenAI"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement" }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "sts:ExternalId" = ["org-abc123"] } }
      }]
    }
    error_message = "The trust policy must be the documented one."
  }
}

run "accepts_a_role_path" {
  command = plan

  variables {
    role_path = "/security/openai/"
  }

  assert {
    condition     = output.role_arn == "arn:aws:iam::111122223333:role/security/openai/openai-ekm"
    error_message = "The path must be part of the ARN."
  }

  assert {
    condition     = output.policies.key_policy.Statement[1].Condition.ArnEquals["aws:PrincipalArn"] == "arn:aws:iam::111122223333:role/security/openai/openai-ekm"
    error_message = "The key policy must name the role with its path."
  }
}

run "keeps_the_name_of_a_role_that_exists" {
  command = plan

  variables {
    role_name        = "OpenAI.EKM@prod"
    role_policy_name = "kms-use"
  }

  assert {
    condition     = output.role_arn == "arn:aws:iam::111122223333:role/OpenAI.EKM@prod" && output.record == "ssm:/openai-ekm/openai-ekm"
    error_message = "The role must have its own name, and the record the instance's."
  }

  assert {
    condition     = output.policies.key_policy.Statement[1].Condition.ArnEquals["aws:PrincipalArn"] == "arn:aws:iam::111122223333:role/OpenAI.EKM@prod"
    error_message = "The key policy must name the role by its own name."
  }
}

run "refuses_a_role_name_that_iam_does_not_take" {
  command = plan

  variables {
    role_name = "openai/*"
  }

  expect_failures = [var.role_name]
}

run "refuses_a_policy_name_that_iam_does_not_take" {
  command = plan

  variables {
    role_policy_name = "use key"
  }

  expect_failures = [var.role_policy_name]
}

run "accepts_a_permissions_boundary" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::111122223333:policy/team/boundary"
  }
}

run "accepts_the_longest_session" {
  command = plan

  variables {
    max_session_duration = 43200
  }
}

run "refuses_a_name_with_a_character_that_an_alias_does_not_take" {
  command = plan

  variables {
    name = "openai.ekm"
  }

  expect_failures = [var.name]
}

run "refuses_a_name_of_65_characters" {
  command = plan

  variables {
    name = join("", [for n in range(65) : "a"])
  }

  expect_failures = [var.name]
}

run "refuses_an_empty_name" {
  command = plan

  variables {
    name = ""
  }

  expect_failures = [var.name]
}

run "refuses_a_role_path_without_a_slash_at_its_end" {
  command = plan

  variables {
    role_path = "/security"
  }

  expect_failures = [var.role_path]
}

run "refuses_a_role_path_with_a_wildcard" {
  command = plan

  variables {
    role_path = "/*/"
  }

  expect_failures = [var.role_path]
}

run "refuses_a_role_path_of_more_than_512_characters" {
  command = plan

  variables {
    role_path = format("/%s/", join("", [for n in range(511) : "a"]))
  }

  expect_failures = [var.role_path]
}

run "refuses_a_permissions_boundary_that_is_a_role" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::111122223333:role/boundary"
  }

  expect_failures = [var.permissions_boundary]
}

run "refuses_a_session_shorter_than_an_hour" {
  command = plan

  variables {
    max_session_duration = 3599
  }

  expect_failures = [var.max_session_duration]
}

run "refuses_a_session_longer_than_twelve_hours" {
  command = plan

  variables {
    max_session_duration = 43201
  }

  expect_failures = [var.max_session_duration]
}

run "refuses_a_session_of_half_a_second" {
  command = plan

  variables {
    max_session_duration = 3600.5
  }

  expect_failures = [var.max_session_duration]
}


run "refuses_more_than_50_tags" {
  command = plan

  variables {
    tags = { for n in range(51) : "key-${n}" => "value" }
  }

  expect_failures = [var.tags]
}

run "refuses_a_tag_key_of_129_characters" {
  command = plan

  variables {
    tags = { (join("", [for n in range(129) : "a"])) = "value" }
  }

  expect_failures = [var.tags]
}

run "refuses_a_tag_key_that_aws_keeps_for_itself" {
  command = plan

  variables {
    tags = { "aws:owner" = "me" }
  }

  expect_failures = [var.tags]
}

run "refuses_a_tag_value_of_257_characters" {
  command = plan

  variables {
    tags = { owner = join("", [for n in range(257) : "a"]) }
  }

  expect_failures = [var.tags]
}

run "accepts_the_characters_that_tags_may_have" {
  command = plan

  variables {
    tags = { "Kosten:Stelle/1" = "ä ö_.:/=+@-", empty = "" }
  }
}

run "refuses_a_tag_with_a_character_that_iam_does_not_take" {
  command = plan

  variables {
    tags = { owner = "us & them" }
  }

  expect_failures = [var.tags]
}

run "refuses_tag_keys_that_differ_in_case_alone" {
  command = plan

  variables {
    tags = { Owner = "a", owner = "b" }
  }

  expect_failures = [var.tags]
}

run "refuses_a_tag_without_a_value" {
  command = plan

  variables {
    tags = { owner = null }
  }

  expect_failures = [var.tags]
}

run "refuses_a_partition_other_than_aws" {
  command = plan

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-us-gov", dns_suffix = "amazonaws.com" }
  }

  expect_failures = [data.aws_partition.current]
}

# Last, because what is applied stays for the runs behind it.
run "gives_exactly_encrypt_and_decrypt_on_the_key" {
  command = apply

  variables {
    deletion_protection = false # or the test could not clean up
  }

  assert {
    condition = jsondecode(output.permission_policy_json) == {
      Version = "2012-10-17"
      Statement = [{
        Sid      = "AllowEncryptDecrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:Encrypt"]
        Resource = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
      }]
    }
    error_message = "The identity policy must be the documented one."
  }
}
