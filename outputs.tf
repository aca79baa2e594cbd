# To hand over

output "role_arn" {
  description = "ARN of the role that OpenAI assumes, its policies in place: for the registration, or for your OpenAI contact (ChatGPT Enterprise)."
  value       = module.role.ready_arn
}

output "kms_arn" {
  description = "ARN of the key as it is registered, policy and alias in place: for the registration, or for your OpenAI contact. The same as `key_arn`, unless `kms_key_arn` is an alias."
  value       = local.ready_kms_arn
}

output "external_id" {
  description = "The external id that is registered: for the registration."
  value       = var.external_ids[0]
}

output "external_ids" {
  description = "Every external id that the role accepts: for whoever reviews the trust."
  value       = var.external_ids
}

output "name" {
  description = "Name of the registration at OpenAI: for `ekm-register --from-terraform`."
  value       = local.registration_name
}

output "handoff" {
  description = "What your OpenAI contact needs to switch on EKM for a ChatGPT Enterprise workspace."
  value = {
    role_arn = module.role.ready_arn
    kms_arn  = local.ready_kms_arn
  }
}

# Registration

output "record" {
  description = "Where the registrar keeps its record, as `ssm:PREFIX`: for `ekm-register --from-terraform` and `ekm status`."
  value       = local.record
}

output "projects" {
  description = "Names of the projects asked for: for `ekm-register --from-terraform`."
  value       = local.projects
}

output "external_key_id" {
  description = "OpenAI's id of the registration (`extkey_…`), read from the record: for `external_key_id` of further projects, and for EKM_CONFIRM_ARCHIVE. Null without a registration."
  value       = one(module.registration[*].external_key_id)
}

output "project_ids" {
  description = "OpenAI's ids of the projects by name, read from the record: for your API clients."
  value       = length(module.registration) == 0 ? {} : module.registration[0].project_ids
}

# Key

output "key_arn" {
  description = "ARN of the key itself, never an alias: for IAM policies and alarms."
  value       = local.key_arn
}

output "alias_arn" {
  description = "ARN of the new key's alias: for people who look for the key. Null for an existing key."
  value       = one(module.key[*].alias_arn)
}

output "key_policy_statement" {
  description = "The statement that lets the role use the key. For the owner of an existing key: add it to the key's policy. A new key has it."
  value       = local.makes_key ? module.key[0].use_statement : module.existing_key[0].use_statement
}

# Policies

output "trust_policy_json" {
  description = "The role's trust policy: for review and tests."
  value       = module.role.trust_policy_json
}

output "permission_policy_json" {
  description = "The role's identity policy: for review and tests."
  value       = module.role.permission_policy_json
}

output "key_policy_json" {
  description = "The new key's policy: for review and tests. Null for an existing key."
  value       = one(module.key[*].policy_json)
}

output "policies" {
  description = "The three policies as objects, `trust_policy`, `permission_policy` and `key_policy`, of which a plan shows every known part: for tests before an apply."
  value       = local.documents
}
