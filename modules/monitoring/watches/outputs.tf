output "topic_arns" {
  description = "ARN of the topic of each severity, `critical`, `warning` and `info`: subscribe to these."
  value       = local.topic_arns
  depends_on  = [aws_sns_topic_policy.this]
}

output "topic_policies" {
  description = "The policy of each topic as an object. For topics of your own: add the statements to their policies."
  value       = local.topic_policies
}

output "topic_key_arn" {
  description = "ARN of the key of the topics that the module makes: for a subscriber's policies. Null when all topics are yours."
  value       = one(aws_kms_key.topics[*].arn)
}

output "topic_key_policy" {
  description = "The policy of that key as an object. For topics of your own that are encrypted: their key needs its two statements for services."
  value       = local.topic_key_policy
}

output "patterns" {
  description = "The event pattern of each rule as JSON, by watch: for a review, and for `aws events test-event-pattern`."
  value       = local.patterns
}

output "alarm_names" {
  description = "Names of the alarms in the key's Region: for a dashboard."
  value       = sort([for name in keys(local.alarms) : "${local.prefix}${name}"])
}

output "undelivered_queue_arn" {
  description = "ARN of the queue of undelivered messages."
  value       = aws_sqs_queue.undelivered.arn
}

output "forwards" {
  description = "The rules that the forwarder makes in us-east-1, by id: state and pattern."
  value = { for number, forward in local.table.forwards : forward.id => {
    state   = forward.state
    pattern = jsonencode(local.rendered.forwards[number].pattern)
  } }
}

output "account_id" {
  description = "Account of the key."
  value       = local.account_id
}

output "forwarder_name" {
  description = "Name of the forwarder's role."
  value       = local.forwarder_name
}

output "queue_name" {
  description = "Name of each queue of undelivered messages."
  value       = local.queue_name
}

output "alarm_descriptions" {
  description = "What the alarms on the delivery say, by watch."
  value = { for id in ["delivery-failed", "messages-undelivered"] :
    id => "${local.watches[id].summary} Runbook: ${var.runbook}#${id}"
  }
}
