output "ekm" {
  description = "Everything that the module tells of each key: for `ekm register --from-terraform`."
  value       = module.ekm
}

output "external_key_ids" {
  description = "OpenAI's ids of the registrations by key. Null where the apply registers none."
  value       = { for name, key in module.ekm : name => key.external_key_id }
}
