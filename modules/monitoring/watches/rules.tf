# A rule for each watch. Those that send a message have a target; the others exist for the metric that EventBridge keeps
# of each rule, which alarms.tf reads.

locals {
  events = { for id, watch in local.watches : id => watch if watch.notified_by == "event" }

  # EventBridge puts a value in for <name>, with its quotes and escaped, where <name> stands alone as a value. In a quoted
  # text it would not be escaped, and names in events are whatever the caller chose.
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
  placed = ["who", "what", "when", "region", "aws.events.event.json"]
  messages = { for id, watch in local.events : id => jsonencode({
    watch    = id
    severity = watch.severity
    summary  = watch.summary
    runbook  = "${var.runbook}#${id}"
    key      = var.key_arn
    role     = var.role_arn
    who      = watch.maker == "aws" ? "AWS KMS" : "@who@"
    what     = "@what@"
    when     = "@when@"
    region   = "@region@"
    event    = "@aws.events.event.json@"
  }) }
  input_templates = { for id, message in local.messages : id => replace(message, "/\"@([a-z.]+)@\"/", "<$1>") }
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = { for id, watch in local.watches : id => watch if watch.state != null }

  name          = "${local.prefix}${each.key}"
  description   = each.value.summary
  event_pattern = local.patterns[each.key]
  state         = each.value.state
  tags          = var.tags

  lifecycle {
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
    precondition {
      condition     = length(local.patterns[each.key]) <= 2048
      error_message = "The pattern of the watch ${each.key} must have at most 2048 characters, as EventBridge accepts; found ${length(local.patterns[each.key])}. Use fewer entries in maintenance, alias_names or managed_policy_arns, or shorter names."
    }
  }
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.events

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = "topic"
  arn       = local.topic_arns[each.value.severity]

  input_transformer {
    input_paths = merge(
      { what = each.value.maker == "aws" ? "$.detail-type" : "$.detail.eventName", when = "$.time", region = "$.region" },
      each.value.maker == "aws" ? {} : { who = "$.detail.userIdentity" },
    )
    input_template = local.input_templates[each.key]
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 21600
    maximum_retry_attempts       = 185
  }

  # A message that goes out before the topic's policy is there goes to the queue instead.
  depends_on = [aws_sns_topic_policy.this]
}
