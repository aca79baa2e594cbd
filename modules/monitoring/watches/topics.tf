# A topic for each severity: yours, or one of the module's, with a policy and a key of its own.

locals {
  severities  = toset(["critical", "warning", "info"])
  made_topics = setsubtract(local.severities, keys(var.topics))

  # Built, not read back: the policies show in a plan.
  topic_names = { for severity in local.severities : severity => "${var.name}-${severity}" }
  topic_arns = { for severity in local.severities : severity => lookup(
    var.topics, severity, "arn:aws:sns:${var.region}:${local.account_id}:${local.topic_names[severity]}",
  ) }

  rules_of = { for severity in local.severities : severity => sort([
    for id, watch in local.events : "arn:aws:events:${var.region}:${local.account_id}:rule/${local.prefix}${id}" if watch.severity == severity
  ]) }
  alarms_of = { for severity in local.severities : severity => sort([
    for name, watch in local.alarms : "arn:aws:cloudwatch:${var.region}:${local.account_id}:alarm:${local.prefix}${name}" if watch.severity == severity
  ]) }

  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
  # The account's own IAM policies need no statement here.
  topic_policies = { for severity in local.severities : severity => {
    Version = "2012-10-17"
    Statement = [for it in [
      {
        Sid       = "AllowPublishByRules"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = local.topic_arns[severity]
        Condition = { ArnEquals = { "aws:SourceArn" = local.rules_of[severity] } }
      },
      {
        Sid       = "AllowPublishByAlarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = local.topic_arns[severity]
        Condition = { ArnEquals = { "aws:SourceArn" = local.alarms_of[severity] } }
      },
    ] : it if length(it.Condition.ArnEquals["aws:SourceArn"]) > 0]
  } }

  topic_key_policy = {
    Version = "2012-10-17"
    Statement = [
      # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-administrators
      {
        Sid       = "AllowAdministration"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account_id}:root" }
        Action = [
          "kms:CancelKeyDeletion",
          "kms:CreateAlias",
          "kms:DeleteAlias",
          "kms:DescribeKey",
          "kms:DisableKey",
          "kms:DisableKeyRotation",
          "kms:EnableKey",
          "kms:EnableKeyRotation",
          "kms:GetKeyPolicy",
          "kms:GetKeyRotationStatus",
          "kms:ListGrants",
          "kms:ListKeyPolicies",
          "kms:ListKeyRotations",
          "kms:ListResourceTags",
          "kms:PutKeyPolicy",
          "kms:RevokeGrant",
          "kms:RotateKeyOnDemand",
          "kms:ScheduleKeyDeletion",
          "kms:TagResource",
          "kms:UntagResource",
          "kms:UpdateAlias",
          "kms:UpdateKeyDescription",
        ]
        Resource = "*"
      },
      # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
      # AWS asks for GenerateDataKey* as a pattern, and supports no source conditions for EventBridge's deliveries. The
      # topic's policy is what holds other rules off.
      {
        Sid       = "AllowUseByRules"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
      },
      {
        Sid       = "AllowUseByAlarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.account_id }
          ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:${var.region}:${local.account_id}:alarm:${local.prefix}*" }
        }
      },
    ]
  }
}

# Never OpenAI's key: disabled, that one would silence its own alarm. Never AWS's key for SNS: its policy admits neither
# EventBridge nor CloudWatch, and the messages are lost without a word.
resource "aws_kms_key" "topics" {
  count = length(local.made_topics) > 0 ? 1 : 0

  description             = "Encrypts the messages of the monitoring ${var.name} in its SNS topics"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode(local.topic_key_policy)
  tags                    = var.tags
}

resource "aws_sns_topic" "this" {
  for_each = local.made_topics

  name              = local.topic_names[each.key]
  display_name      = "OpenAI key: ${each.key}"
  kms_master_key_id = aws_kms_key.topics[0].arn
  tags              = var.tags
}

resource "aws_sns_topic_policy" "this" {
  for_each = local.made_topics

  arn    = aws_sns_topic.this[each.key].arn
  policy = jsonencode(local.topic_policies[each.key])
}
