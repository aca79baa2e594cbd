output "key_policy_statement" {
  description = "The statement to add to the key's policy."
  value       = module.ekm.key_policy_statement
}

output "ekm" {
  description = "Everything that the module tells: for `ekm-register --from-terraform`."
  value       = module.ekm
}
