# Where a message goes that could not be delivered. Encrypted by SQS itself: a key that has trouble would lose it, too.

locals {
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html#eb-dlq-perms
  queue_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AllowSendMessageByRules"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = "arn:aws:sqs:${var.region}:${local.account_id}:${local.queue_name}"
      Condition = { ArnEquals = { "aws:SourceArn" = sort([
        for id in keys(local.events) : "arn:aws:events:${var.region}:${local.account_id}:rule/${local.prefix}${id}"
      ]) } }
    }]
  }
}

resource "aws_sqs_queue" "undelivered" {
  name                      = local.queue_name
  message_retention_seconds = 1209600 # 14 days, the most
  sqs_managed_sse_enabled   = true
  policy                    = jsonencode(local.queue_policy)
  tags                      = var.tags

  lifecycle {
    # A rule and its targets are where the key is. Here once, for all of them.
    precondition {
      condition     = var.mocked || data.aws_region.key.id == var.region
      error_message = <<-EOT
        The provider aws must be for ${var.region}, the Region that `region` names; found ${data.aws_region.key.id}. Correct `region`, or pass a provider for it.
        The input `monitoring` of the module openai-ekm is for a key in us-east-1. For a key elsewhere leave it out, and call modules/monitoring beside that module, with a second provider: docs/operate/monitoring.md.
      EOT
    }

    precondition {
      condition     = var.mocked || local.key_parts[4] == local.account_id
      error_message = "The key and the role must be of one account, where the events of both arrive; found ${var.key_arn} and ${var.role_arn}. Correct one of them."
    }

    precondition {
      condition     = var.mocked || local.key_parts[3] == var.region
      error_message = "The key must be in ${var.region}, the Region that `region` names; found ${var.key_arn}. Correct `region`."
    }
  }
}

data "aws_region" "key" {}
