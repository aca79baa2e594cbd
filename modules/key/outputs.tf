output "arn" {
  description = "ARN of the key, for the role's identity policy."
  value       = aws_kms_key.this.arn
}

output "ready_arn" {
  description = "ARN of the key once its policy and alias are in place, for the registration."
  value       = aws_kms_key.this.arn
  depends_on  = [aws_kms_key.this, aws_kms_alias.this]
}

output "alias_arn" {
  description = "ARN of the key's alias."
  value       = aws_kms_alias.this.arn
}

output "policy" {
  description = "The key policy as an object."
  value       = local.policy
}

output "policy_json" {
  description = "The key policy as JSON."
  value       = local.policy_json
}

output "use_statement" {
  description = "The statement of the key policy that lets the role use the key."
  value       = local.allow_use_by_role
}
