# Which external ids are accepted, refused, and warned of.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  external_ids = ["org-abc123"]
}

run "accepts_an_organization_id_and_a_project_id" {
  command = plan

  variables {
    external_ids = ["org-abc123", "proj_Abc_123"]
  }

  assert {
    condition     = output.external_id == "org-abc123"
    error_message = "The first id must be the one that is registered."
  }

  assert {
    condition     = jsondecode(output.trust_policy_json).Statement[0].Condition.StringEquals["sts:ExternalId"] == ["org-abc123", "proj_Abc_123"]
    error_message = "The trust policy must accept both ids."
  }
}

run "accepts_an_external_id_of_1224_characters" {
  command = plan

  variables {
    external_ids = [format("org-%01220d", 0)]
  }
}

run "refuses_no_external_id" {
  command = plan

  variables {
    external_ids = []
  }

  expect_failures = [var.external_ids]
}

run "refuses_an_external_id_that_is_null" {
  command = plan

  variables {
    external_ids = [null]
  }

  expect_failures = [var.external_ids]
}

run "refuses_an_external_id_with_whitespace" {
  command = plan

  variables {
    external_ids = ["org-abc 123"]
  }

  expect_failures = [var.external_ids]
}

run "refuses_an_external_id_with_a_line_break" {
  command = plan

  variables {
    external_ids = ["org-abc123\n"]
  }

  expect_failures = [var.external_ids]
}

run "refuses_an_external_id_with_a_character_that_sts_does_not_take" {
  command = plan

  variables {
    external_ids = ["org-abc123", "org-*"]
  }

  expect_failures = [var.external_ids]
}

run "refuses_an_external_id_of_one_character" {
  command = plan

  variables {
    external_ids = ["o"]
  }

  expect_failures = [var.external_ids]
}

run "refuses_an_external_id_of_1225_characters" {
  command = plan

  variables {
    external_ids = [format("org-%01221d", 0)]
  }

  expect_failures = [var.external_ids]
}

run "refuses_an_external_id_that_is_an_arn" {
  command = plan

  variables {
    external_ids = ["arn:aws:iam::111122223333:role/openai-ekm"]
  }

  expect_failures = [var.external_ids]
}

run "refuses_an_external_id_given_twice" {
  command = plan

  variables {
    external_ids = ["org-abc123", "org-abc123"]
  }

  expect_failures = [var.external_ids]
}

run "warns_of_an_external_id_with_an_unknown_prefix" {
  command = plan

  variables {
    external_ids = ["tenant-1"]
  }

  expect_failures = [check.external_ids_look_like_openai_ids]
}

run "warns_of_a_trust_policy_beyond_the_default_quota" {
  command = plan

  variables {
    external_ids = [for n in range(60) : format("org-%032d", n)]
  }

  expect_failures = [check.trust_policy_fits_the_default_quota]
}
