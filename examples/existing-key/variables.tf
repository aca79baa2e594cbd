variable "organization_id" {
  description = "Your OpenAI organization id (`org-…`), the external id."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of your key: symmetric, enabled, in this account and Region."
  type        = string
  nullable    = false
}

# What there is to set

variable "name" {
  description = "Names the role and the record."
  type        = string
  default     = "openai-ekm-existing"
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether a destroy is refused; turning it off is an apply of its own."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags of the role."
  type        = map(string)
  default     = {}
  nullable    = false
}
