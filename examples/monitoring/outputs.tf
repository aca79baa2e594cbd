output "topic_arns" {
  description = "SNS topics by severity: subscribe to these."
  value       = module.monitoring.topic_arns
}

output "ekm" {
  description = "For `ekm-register --from-terraform`."
  value       = module.ekm.summary
}
