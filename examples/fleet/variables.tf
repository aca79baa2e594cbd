variable "organization_id" {
  description = "Your OpenAI organization id (`org-…`), the external id of every key."
  type        = string
  nullable    = false
}

variable "keys" {
  description = <<-EOT
    The fleet: one external key for each entry, by a short name that goes into the names of role, alias, record and registration.
    - `projects`: names of the API projects to create under the key.
  EOT
  type = map(object({
    projects = optional(set(string), [])
  }))
  nullable = false
}

# What there is to set

variable "register_in_apply" {
  description = "Whether the apply registers the keys at OpenAI. False: `ekm register --from-terraform .` does, afterwards; better for more than about 20 keys."
  type        = bool
  default     = true
  nullable    = false
}

variable "name_prefix" {
  description = "Stands before each key's name."
  type        = string
  default     = "openai-ekm"
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether the keys are kept from deletion; turning it off is an apply of its own."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags of the keys and the roles."
  type        = map(string)
  default     = {}
  nullable    = false
}
