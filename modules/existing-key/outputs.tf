output "arn" {
  description = "ARN of the key itself, for the role's identity policy, whatever form was given."
  value       = local.arn
}

output "ready_arn" {
  description = "The ARN as it was given, for the registration."
  value       = var.kms_key_arn
  depends_on  = [data.aws_kms_key.this]
}

output "use_statement" {
  description = "The statement that the key's policy needs."
  value       = local.use_statement
}
