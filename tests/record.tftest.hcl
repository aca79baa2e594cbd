# What is read from the record, and what is said when it is wrong. `true` stands for the registrar.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  role_arn          = "arn:aws:iam::111122223333:role/openai-ekm"
  role              = "/openai-ekm"
  kms_arn           = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
  external_id       = "org-abc123"
  name              = "openai-ekm"
  projects          = ["chat"]
  record            = "ssm:/openai-ekm/openai-ekm"
  region            = "eu-west-1"
  wait_seconds      = 0
  base_url          = null
  admin_key_from    = null
  registrar_command = ["true"]
}

run "reads_the_ids_from_the_record" {
  command = apply

  module {
    source = "./modules/registration"
  }

  override_data {
    target = data.aws_ssm_parameters_by_path.record
    values = {
      names = ["/openai-ekm/openai-ekm/claim-1", "/openai-ekm/openai-ekm/record"]
      values = ["{}", <<-JSON
        {
          "state": "registered",
          "external_key_id": "extkey_1",
          "role_arn": "arn:aws:iam::111122223333:role/openai-ekm",
          "kms_arn": "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555",
          "external_id": "org-abc123",
          "name": "openai-ekm",
          "projects": { "chat": { "id": "proj_1" } }
        }
      JSON
      ]
    }
  }

  assert {
    condition     = output.external_key_id == "extkey_1" && output.project_ids.chat == "proj_1"
    error_message = "The ids must be those of the record."
  }
}

run "warns_of_a_lost_record" {
  command = apply

  module {
    source = "./modules/registration"
  }

  override_data {
    target = data.aws_ssm_parameters_by_path.record
    values = {
      names  = []
      values = []
    }
  }

  expect_failures = [check.record_tells_of_this_registration]
}

run "warns_of_a_record_that_cannot_be_read" {
  command = apply

  module {
    source = "./modules/registration"
  }

  override_data {
    target = data.aws_ssm_parameters_by_path.record
    values = {
      names  = ["/openai-ekm/openai-ekm/claim-1", "/openai-ekm/openai-ekm/record"]
      values = ["{}", "{"]
    }
  }

  expect_failures = [check.record_tells_of_this_registration]
}

run "warns_of_a_record_that_is_retired" {
  command = apply

  module {
    source = "./modules/registration"
  }

  override_data {
    target = data.aws_ssm_parameters_by_path.record
    values = {
      names = ["/openai-ekm/openai-ekm/claim-1", "/openai-ekm/openai-ekm/record"]
      values = ["{}", <<-JSON
        {
          "state": "retired",
          "external_key_id": "extkey_1",
          "role_arn": "arn:aws:iam::111122223333:role/openai-ekm",
          "kms_arn": "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555",
          "external_id": "org-abc123",
          "name": "openai-ekm",
          "projects": { "chat": { "id": "proj_1" } }
        }
      JSON
      ]
    }
  }

  expect_failures = [check.record_tells_of_this_registration]
}

run "warns_of_a_record_of_another_registration" {
  command = apply

  module {
    source = "./modules/registration"
  }

  override_data {
    target = data.aws_ssm_parameters_by_path.record
    values = {
      names = ["/openai-ekm/openai-ekm/claim-1", "/openai-ekm/openai-ekm/record"]
      values = ["{}", <<-JSON
        {
          "state": "registered",
          "external_key_id": "extkey_1",
          "role_arn": "arn:aws:iam::111122223333:role/openai-ekm",
          "kms_arn": "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555",
          "external_id": "org-other",
          "name": "openai-ekm",
          "projects": { "chat": { "id": "proj_1" } }
        }
      JSON
      ]
    }
  }

  expect_failures = [check.record_tells_of_this_registration]
}

run "warns_of_a_project_that_the_record_lacks" {
  command = apply

  module {
    source = "./modules/registration"
  }

  override_data {
    target = data.aws_ssm_parameters_by_path.record
    values = {
      names = ["/openai-ekm/openai-ekm/claim-1", "/openai-ekm/openai-ekm/record"]
      values = ["{}", <<-JSON
        {
          "state": "registered",
          "external_key_id": "extkey_1",
          "role_arn": "arn:aws:iam::111122223333:role/openai-ekm",
          "kms_arn": "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555",
          "external_id": "org-abc123",
          "name": "openai-ekm",
          "projects": {}
        }
      JSON
      ]
    }
  }

  expect_failures = [check.record_tells_of_this_registration]
}
