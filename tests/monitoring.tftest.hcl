# The input `monitoring` of the root module.

mock_provider "aws" {
  source = "./tests/mocks"

  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }

  mock_resource "aws_kms_key" {
    defaults = {
      arn    = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-4333-8444-555555555555"
      key_id = "11111111-2222-4333-8444-555555555555"
    }
  }
}

variables {
  external_ids = ["org-abc123"]
}

run "watches_nothing_by_default" {
  command = plan

  assert {
    condition     = length(module.monitoring) == 0 && output.alarm_topic_arns == tomap({})
    error_message = "Without the input there must be no monitoring."
  }
}

run "watches_a_key_in_us_east_1" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::111122223333:policy/boundary"
    monitoring           = { silence_hours = 24 }
  }

  assert {
    condition     = contains(module.monitoring[0].alarm_names, "openai-ekm.silence")
    error_message = "The members must be handed on."
  }
}
