# IAM's events arrive in us-east-1 alone, and a rule sends to a topic of its own Region alone. So rules there send what
# belongs to this key on to the event bus of the key's Region. A key in us-east-1 needs none of this.

locals {
  bus_arn = "arn:aws:events:${var.region}:${var.account_id}:event-bus/default"
  prefix  = "${var.name}."

  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
  forwarder_trust = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AllowAssumeRoleByRules"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:aws:events:us-east-1:${var.account_id}:rule/${local.prefix}*" }
      }
    }]
  }
  forwarder_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid      = "AllowPutEvents"
      Effect   = "Allow"
      Action   = "events:PutEvents"
      Resource = local.bus_arn
    }]
  }
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html#eb-dlq-perms
  queue_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AllowSendMessageByRules"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = "arn:aws:sqs:us-east-1:${var.account_id}:${var.queue_name}"
      Condition = { ArnEquals = { "aws:SourceArn" = sort([
        for id in keys(var.rules) : "arn:aws:events:us-east-1:${var.account_id}:rule/${local.prefix}${id}"
      ]) } }
    }]
  }
}

data "aws_region" "current" {}

resource "aws_iam_role" "this" {
  name               = var.role_name
  description        = "Forwards events about OpenAI's role from us-east-1 to ${var.region}"
  assume_role_policy = jsonencode(local.forwarder_trust)
  tags               = var.tags

  lifecycle {
    precondition {
      condition     = var.mocked || data.aws_region.current.id == "us-east-1"
      error_message = "The provider aws.us_east_1 must be for us-east-1, where IAM's events arrive; found ${data.aws_region.current.id}. Pass a provider for us-east-1: providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }."
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "AllowPutEvents"
  role   = aws_iam_role.this.name
  policy = jsonencode(local.forwarder_policy)
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = var.rules

  name          = "${local.prefix}${each.key}"
  description   = "Forwards what happens to OpenAI's role to ${var.region}"
  event_pattern = each.value.pattern
  state         = each.value.state
  tags          = var.tags

  lifecycle {
    precondition {
      condition     = length(each.value.pattern) <= 2048
      error_message = "The pattern of ${each.key} must have at most 2048 characters, as EventBridge accepts; found ${length(each.value.pattern)}. Use fewer entries in managed_policy_arns, or shorter names."
    }
  }
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = var.rules

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = "bus"
  arn       = local.bus_arn
  role_arn  = aws_iam_role.this.arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 21600
    maximum_retry_attempts       = 185
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_sqs_queue" "undelivered" {
  name                      = var.queue_name
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  policy                    = jsonencode(local.queue_policy)
  tags                      = var.tags
}

# These two cannot tell the key's Region: they are about the way there.
resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = "${local.prefix}messages-undelivered"
  alarm_description   = var.alarm_descriptions["messages-undelivered"]
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.undelivered.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = compact([var.topic_arn])
  ok_actions          = compact([var.topic_arn])
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "delivery" {
  alarm_name          = "${local.prefix}delivery-failed"
  alarm_description   = var.alarm_descriptions["delivery-failed"]
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = compact([var.topic_arn])
  ok_actions          = compact([var.topic_arn])
  tags                = var.tags

  metric_query {
    id          = "failed"
    expression  = "SUM(METRICS())"
    label       = "Failed invocations"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = sort(keys(var.rules))

    content {
      id = "rule${metric_query.key}"

      metric {
        namespace   = "AWS/Events"
        metric_name = "FailedInvocations"
        dimensions  = { RuleName = aws_cloudwatch_event_rule.this[metric_query.value].name }
        period      = 300
        stat        = "Sum"
      }
    }
  }
}
