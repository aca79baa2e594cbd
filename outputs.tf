# To hand over

output "summary" {
  description = "Ids, ARNs and names, without the policies. Give it to your root's own output `ekm`, which `--from-terraform` reads."
  value = {
    account_id      = local.account_id
    region          = local.region
    name            = local.registration_name
    external_id     = local.external_ids[0]
    role_arn        = module.role.ready_arn
    kms_arn         = local.ready_kms_arn
    key_arn         = local.key_arn
    alias_arn       = one(module.key[*].alias_arn)
    record          = local.record
    projects        = sort(tolist(var.projects))
    external_key_id = one(module.registration[*].external_key_id)
    project_ids     = length(module.registration) == 0 ? {} : module.registration[0].project_ids
  }
}

output "role_arn" {
  description = "ARN of the role that OpenAI assumes, known once its policies are in place: for the registration, or for your OpenAI contact (ChatGPT Enterprise)."
  value       = module.role.ready_arn
}

output "kms_arn" {
  description = "ARN of the key as it is registered, known once policy and alias are in place: for the registration, or for your OpenAI contact. The same as `key_arn`, unless `kms_key_arn` is an alias."
  value       = local.ready_kms_arn
}

output "external_id" {
  description = "The external id that is registered: for the registration."
  value       = local.external_ids[0]
}

output "external_ids" {
  description = "Every external id that the role accepts: for a review of the trust policy."
  value       = local.external_ids
}

output "name" {
  description = "Name of the registration at OpenAI: for `ekm-register --from-terraform`."
  value       = local.registration_name
}

output "handoff" {
  description = "The two ARNs that your OpenAI contact needs to switch on EKM for a ChatGPT Enterprise workspace."
  value = {
    role_arn = module.role.ready_arn
    kms_arn  = local.ready_kms_arn
  }
}

# Registration

output "record" {
  description = "Place of the registrar's record, as `ssm:PREFIX`: for `ekm-register --from-terraform` and `ekm status`."
  value       = local.record
}

output "projects" {
  description = "Names of the projects in `projects`, whether or not the apply registers: for `ekm-register --from-terraform`."
  value       = sort(tolist(var.projects))
}

output "external_key_id" {
  description = "OpenAI's id of the registration (`extkey_…`), read from the record: for `external_key_id` of further projects, and for EKM_CONFIRM_ARCHIVE. Null without a registration."
  value       = one(module.registration[*].external_key_id)
}

output "project_ids" {
  description = "OpenAI's ids of the projects by name, read from the record: for your API clients."
  value       = length(module.registration) == 0 ? {} : module.registration[0].project_ids
}

# Where, and called what

output "account_id" {
  description = "Account of the key and the role: for policies and alarms."
  value       = local.account_id
}

output "region" {
  description = "Region of the key and the record."
  value       = local.region
}

output "role_name" {
  description = "Name of the role: for policies that are attached to it, and for alarms."
  value       = local.role_name
}

# Key

output "key_id" {
  description = "Id of the key: for alarms and commands."
  value       = reverse(split("/", local.key_arn))[0]
}

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
  description = "The trust policy, the permission policy and the key policy as objects: `trust_policy`, `permission_policy`, `key_policy`. A plan shows every known part of them: for tests before an apply."
  value       = local.documents
}

output "alarm_topic_arns" {
  description = "ARNs of the SNS topics of `monitoring` by severity (`critical`, `warning`, `info`): for your subscriptions. Empty without `monitoring`."
  value       = length(module.monitoring) == 0 ? tomap({}) : tomap(module.monitoring[0].topic_arns)
}
