output "topic_arns" {
  description = "ARN of the topic of each severity, `critical`, `warning` and `info`: subscribe to these."
  value       = module.watches.topic_arns
}

output "topic_policies" {
  description = "The policy of each topic as an object. For topics of your own: add the statements to their policies."
  value       = module.watches.topic_policies
}

output "topic_key_arn" {
  description = "ARN of the key of the topics that the module makes: for a subscriber's policies. Null when all topics are yours."
  value       = module.watches.topic_key_arn
}

output "topic_key_policy" {
  description = "The policy of that key as an object. For topics of your own that are encrypted: their key needs its two statements for services."
  value       = module.watches.topic_key_policy
}

output "patterns" {
  description = "The event pattern of each rule as JSON, by watch: for a review, and for `aws events test-event-pattern`."
  value = merge(module.watches.patterns, var.region == "us-east-1" ? {} : {
    for id, forward in module.watches.forwards : id => forward.pattern
  })
}

output "alarm_names" {
  description = "Names of the alarms in the key's Region: for a dashboard."
  value       = module.watches.alarm_names
}

output "undelivered_queue_arns" {
  description = "ARNs of the queues of undelivered messages: in the key's Region, and in us-east-1 where events are forwarded."
  value       = concat([module.watches.undelivered_queue_arn], module.forwarder[*].undelivered_queue_arn)
}
