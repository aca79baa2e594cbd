output "arn" {
  description = "ARN of the role, for the key's policy; built, so that a plan shows it."
  value       = local.arn
}

output "unique_id" {
  description = "The role's unique id, once the role exists."
  value       = aws_iam_role.this.unique_id
}

output "ready_arn" {
  description = "ARN of the role once its policies are in place, for the registration."
  value       = local.arn
  depends_on  = [aws_iam_role.this, aws_iam_role_policy.use]
}

output "trust_policy" {
  description = "The trust policy as an object."
  value       = local.trust_policy
}

output "trust_policy_json" {
  description = "The trust policy as JSON."
  value       = local.trust_policy_json
}

output "permission_policy" {
  description = "The identity policy as an object."
  value       = local.permission_policy
}

output "permission_policy_json" {
  description = "The identity policy as JSON."
  value       = local.permission_policy_json
}
