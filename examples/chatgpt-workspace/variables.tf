variable "organization_id" {
  description = "Your OpenAI organization id (`org-…`), the external id."
  type        = string
  nullable    = false
}

# What there is to set

variable "name" {
  description = "Names role, alias and record."
  type        = string
  default     = "openai-ekm-chatgpt"
  nullable    = false
}

variable "administrators" {
  description = "ARNs of roles and users that administer the key by its own policy."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether the key is kept from deletion; turning it off is an apply of its own."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags of the key and the role."
  type        = map(string)
  default     = {}
  nullable    = false
}
