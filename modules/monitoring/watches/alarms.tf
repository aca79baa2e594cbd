# Alarms on metrics: where a message for each event would be thousands, and where the trouble is that no event comes.
# The metrics are EventBridge's and SQS's own: nothing is paid for but the alarms.

locals {
  # An alarm adds at most ten metrics up.
  rules_of_events = sort(keys(local.events))
  failure_alarms = { for number, ids in chunklist(local.rules_of_events, 10) : "delivery-failed-${number + 1}" => {
    id = "delivery-failed", severity = local.watches["delivery-failed"].severity, summary = local.watches["delivery-failed"].summary, ids = ids
  } }

  rule_alarms = { for id, watch in local.watches : id => {
    id = id, severity = watch.severity, summary = watch.summary, ids = []
  } if contains(["errors", "silence", "queue"], watch.notified_by) }

  alarms       = merge(local.rule_alarms, local.failure_alarms)
  descriptions = { for name, alarm in local.alarms : name => "${alarm.summary} Runbook: ${var.runbook}#${alarm.id}" }
}

# Errors of OpenAI's session, by class: at least one in five minutes, and a message when five minutes pass without.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = { for id, watch in local.watches : id => watch if watch.notified_by == "errors" }

  alarm_name          = "${local.prefix}${each.key}"
  alarm_description   = local.descriptions[each.key]
  namespace           = "AWS/Events"
  metric_name         = "MatchedEvents"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.this[each.key].name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.topic_arns[each.value.severity]]
  ok_actions          = [local.topic_arns[each.value.severity]]
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "silence" {
  for_each = { for id, watch in local.watches : id => watch if watch.notified_by == "silence" }

  alarm_name          = "${local.prefix}${each.key}"
  alarm_description   = local.descriptions[each.key]
  namespace           = "AWS/Events"
  metric_name         = "MatchedEvents"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.this[each.key].name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = var.silence_hours
  datapoints_to_alarm = var.silence_hours
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [local.topic_arns[each.value.severity]]
  ok_actions          = [local.topic_arns[each.value.severity]]
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = "${local.prefix}messages-undelivered"
  alarm_description   = local.descriptions["messages-undelivered"]
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.undelivered.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.topic_arns["critical"]]
  ok_actions          = [local.topic_arns["critical"]]
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "delivery" {
  for_each = local.failure_alarms

  alarm_name          = "${local.prefix}${each.key}"
  alarm_description   = local.descriptions[each.key]
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.topic_arns[each.value.severity]]
  ok_actions          = [local.topic_arns[each.value.severity]]
  tags                = var.tags

  metric_query {
    id          = "failed"
    expression  = "SUM(METRICS())"
    label       = "Failed invocations"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value.ids

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
