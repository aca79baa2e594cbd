# What the monitoring refuses, and what it leaves out.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "./tests/mocks"

  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }
}

variables {
  forwarded = true
  region    = "eu-west-1"
  key_arn   = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
  role_arn  = "arn:aws:iam::111122223333:role/openai-ekm"
}

run "watches_a_key_with_nothing_else_set" {
  command = plan

  module {
    source = "./modules/monitoring/watches"
  }

  assert {
    condition     = length(setintersection(keys(aws_cloudwatch_event_rule.this), ["silence", "maintenance-of-key", "role-managed-policy-changed"])) == 0
    error_message = "Without the settings for them there must be no such watches."
  }

  assert {
    condition     = contains(keys(aws_cloudwatch_event_rule.this), "forwarder-changed")
    error_message = "The forwarder must be watched."
  }
}

run "makes_no_topic_and_no_key_where_all_are_given" {
  command = plan

  module {
    source = "./modules/monitoring/watches"
  }

  variables {
    topics = { for severity in ["critical", "warning", "info"] : severity => "arn:aws:sns:eu-west-1:111122223333:ours-${severity}" }
  }

  assert {
    condition     = length(aws_kms_key.topics) == 0 && length(aws_sns_topic.this) == 0
    error_message = "Nothing must be made where the topics are given."
  }

  assert {
    condition     = aws_cloudwatch_event_target.this["key-disabled"].arn == "arn:aws:sns:eu-west-1:111122223333:ours-critical"
    error_message = "Messages must go to the topic that was given."
  }

  # Everything is known, so the plan shows every pattern.
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this["key-rotated"].event_pattern).resources == [var.key_arn]
    error_message = "The pattern must hold the key."
  }
}

run "refuses_a_provider_of_another_region" {
  command = plan

  module {
    source = "./modules/monitoring/watches"
  }

  variables {
    region  = "eu-central-1"
    key_arn = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-4333-8444-555555555555"
  }

  expect_failures = [aws_sqs_queue.undelivered]
}

run "refuses_a_key_and_a_role_of_two_accounts" {
  command = plan

  module {
    source = "./modules/monitoring/watches"
  }

  variables {
    role_arn = "arn:aws:iam::444455556666:role/openai-ekm"
  }

  expect_failures = [aws_sqs_queue.undelivered]
}

run "refuses_a_key_of_another_region" {
  command = plan

  module {
    source = "./modules/monitoring/watches"
  }

  variables {
    key_arn = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-4333-8444-555555555555"
  }

  expect_failures = [aws_sqs_queue.undelivered]
}

run "refuses_a_forwarding_provider_of_another_region" {
  command = plan

  module {
    source = "./modules/monitoring/forwarder"
  }

  variables {
    name               = "openai-ekm"
    account_id         = "111122223333"
    rules              = { forward-role = { state = "ENABLED", pattern = "{}" } }
    role_name          = "forwarder"
    queue_name         = "undelivered"
    alarm_descriptions = { delivery-failed = "x", messages-undelivered = "x" }
    tags               = {}
  }

  expect_failures = [aws_iam_role.this]
}

run "refuses_a_topic_for_us_east_1_that_is_elsewhere" {
  command = plan

  module {
    source = "./modules/monitoring/forwarder"
  }

  providers = { aws = aws.us_east_1 }

  variables {
    name               = "openai-ekm"
    account_id         = "111122223333"
    rules              = {}
    role_name          = "forwarder"
    queue_name         = "undelivered"
    alarm_descriptions = { delivery-failed = "x", messages-undelivered = "x" }
    topic_arn          = "arn:aws:sns:eu-west-1:111122223333:ours"
    tags               = {}
  }

  expect_failures = [var.topic_arn]
}

run "refuses_patterns_that_are_too_long" {
  command = plan

  module {
    source = "./modules/monitoring/watches"
  }

  variables {
    maintenance = [for n in range(30) : "arn:aws:iam::111122223333:role/deployer-of-a-name-that-is-rather-long-${n}"]
    topics      = { for severity in ["critical", "warning", "info"] : severity => "arn:aws:sns:eu-west-1:111122223333:ours-${severity}" }
  }

  expect_failures = [aws_cloudwatch_event_rule.this]
}

run "refuses_what_no_input_takes" {
  command = plan

  module {
    source = "./modules/monitoring/watches"
  }

  variables {
    key_arn             = "arn:aws:kms:eu-west-1:111122223333:alias/openai-ekm"
    role_arn            = "arn:aws:sts::111122223333:assumed-role/openai-ekm/s"
    alias_names         = ["alias/openai-ekm"]
    managed_policy_arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    name                = "a23456789012345678901234567890123" # 33 characters
    topics              = { high = "arn:aws:sns:eu-west-1:111122223333:ours" }
    maintenance         = ["arn:aws:sts::111122223333:assumed-role/deployer/s"]
    silence_hours       = 0
    runbook             = "https://example.com/\""
  }

  expect_failures = [var.key_arn, var.role_arn, var.alias_names, var.managed_policy_arns, var.name, var.topics, var.maintenance, var.silence_hours, var.runbook]
}

run "refuses_a_topic_of_another_region_and_a_name_with_a_dot" {
  command = plan

  module {
    source = "./modules/monitoring/watches"
  }

  variables {
    topics        = { critical = "arn:aws:sns:us-east-1:111122223333:ours" }
    name          = "openai.ekm"
    silence_hours = 169
  }

  expect_failures = [var.topics, var.name, var.silence_hours]
}

run "refuses_a_fifo_topic_and_half_an_hour" {
  command = plan

  module {
    source = "./modules/monitoring/watches"
  }

  variables {
    topics        = { critical = "arn:aws:sns:eu-west-1:111122223333:ours.fifo" }
    silence_hours = 1.5
  }

  expect_failures = [var.topics, var.silence_hours]
}

run "refuses_a_region_that_is_none" {
  command = plan

  module {
    source = "./modules/monitoring/watches"
  }

  variables {
    region = "Ireland"
  }

  expect_failures = [var.region]
}
