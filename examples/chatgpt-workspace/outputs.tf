output "handoff" {
  description = "What to send to your OpenAI contact."
  value       = module.ekm.handoff
}

output "ekm" {
  description = "Everything that the module tells: for `ekm handoff` and `ekm diagnose`."
  value       = module.ekm
}
