output "external_key_id" {
  description = "OpenAI's id of the registration, from the record."
  value       = try(local.record.external_key_id, null)
}

output "project_ids" {
  description = "OpenAI's ids of the projects by name, from the record."
  value       = { for name, project in try(local.record.projects, {}) : name => project.id }
}
