output "ekm" {
  description = "Everything that the module tells: for `ekm-register --from-terraform` and `ekm status`."
  value       = module.ekm
}

output "external_key_id" {
  description = "OpenAI's id of the registration."
  value       = module.ekm.external_key_id
}

output "project_ids" {
  description = "OpenAI's ids of the projects by name."
  value       = module.ekm.project_ids
}
