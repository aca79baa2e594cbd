# What may be said of the registration.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  external_ids = ["org-abc123"]
}

# Its check has no answer in a plan, which fails a run; tests/record.tftest.hcl tests the module itself.
override_module {
  target  = module.registration
  outputs = { external_key_id = "extkey_1", project_ids = {} }
}

run "registers_nothing_by_default" {
  command = plan

  assert {
    condition     = length(module.registration) == 0 && output.external_key_id == null && length(output.project_ids) == 0
    error_message = "Nothing must be registered unless asked for."
  }

  assert {
    condition     = output.record == "ssm:/openai-ekm/openai-ekm" && output.name == "openai-ekm"
    error_message = "A later registration must find name and record."
  }
}

run "accepts_an_empty_registration" {
  command = plan

  variables {
    registration = {}
  }

  assert {
    condition     = output.name == "openai-ekm" && length(output.projects) == 0
    error_message = "The registration must be named as the module instance."
  }
}

run "accepts_a_whole_registration" {
  command = plan

  variables {
    projects = ["chat", "batch"]
    registration = {
      name              = "Production key"
      wait_seconds      = 0
      base_url          = "https://eu.api.openai.com/v1"
      admin_key_from    = "secretsmanager:arn:aws:secretsmanager:eu-west-1:111122223333:secret:openai/admin-AbCdEf"
      registrar_command = ["ekm-register"]
    }
  }

  assert {
    condition     = output.name == "Production key" && output.projects == tolist(["batch", "chat"])
    error_message = "Name and projects must be passed on."
  }
}

run "tells_of_the_projects_where_the_apply_does_not_register" {
  command = plan

  variables {
    projects = ["chat", "batch"]
  }

  assert {
    condition     = length(module.registration) == 0 && output.projects == tolist(["batch", "chat"])
    error_message = "A registration apart from the apply must find the projects."
  }
}

run "refuses_projects_within_the_registration" {
  command = plan

  variables {
    registration = {
      projects = []
    }
  }

  expect_failures = [var.registration]
}

run "accepts_a_loopback_address" {
  command = plan

  variables {
    registration = { base_url = "http://127.0.0.1:8080/v1", admin_key_from = "ssm:/openai/admin" }
  }
}

run "refuses_an_empty_registration_name" {
  command = plan

  variables {
    registration = {
      name = ""
    }
  }

  expect_failures = [var.registration]
}

run "refuses_a_registration_name_with_a_line_break" {
  command = plan

  variables {
    registration = {
      name = "a\nb"
    }
  }

  expect_failures = [var.registration]
}

run "refuses_an_empty_project_name" {
  command = plan

  variables {
    projects = [""]
  }

  expect_failures = [var.projects]
}

run "refuses_a_project_name_with_a_space_at_its_end" {
  command = plan

  variables {
    projects = ["chat "]
  }

  expect_failures = [var.projects]
}

run "refuses_to_wait_less_than_no_time" {
  command = plan

  variables {
    registration = {
      wait_seconds = -1
    }
  }

  expect_failures = [var.registration]
}

run "refuses_to_wait_more_than_an_hour" {
  command = plan

  variables {
    registration = {
      wait_seconds = 3601
    }
  }

  expect_failures = [var.registration]
}

run "refuses_a_base_url_on_another_host" {
  command = plan

  variables {
    registration = {
      base_url = "https://api.openai.com.example.com/v1"
    }
  }

  expect_failures = [var.registration]
}

run "refuses_a_base_url_without_tls" {
  command = plan

  variables {
    registration = {
      base_url = "http://api.openai.com/v1"
    }
  }

  expect_failures = [var.registration]
}

run "refuses_a_base_url_with_credentials" {
  command = plan

  variables {
    registration = {
      base_url = "https://user:secret@api.openai.com/v1" # checkov:skip=CKV_SECRET_4: made up; the run refuses it
    }
  }

  expect_failures = [var.registration]
}

run "refuses_a_base_url_with_a_query" {
  command = plan

  variables {
    registration = {
      base_url = "https://api.openai.com/v1?to=elsewhere"
    }
  }

  expect_failures = [var.registration]
}

run "refuses_an_admin_key_in_place_of_a_reference" {
  command = plan

  variables {
    registration = {
      admin_key_from = "sk-admin-123"
    }
  }

  expect_failures = [var.registration]
}

run "refuses_a_registrar_command_without_words" {
  command = plan

  variables {
    registration = {
      registrar_command = []
    }
  }

  expect_failures = [var.registration]
}

run "refuses_a_registrar_command_with_an_empty_word" {
  command = plan

  variables {
    registration = {
      registrar_command = ["ekm-register", ""]
    }
  }

  expect_failures = [var.registration]
}
