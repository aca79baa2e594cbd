variable "organization_id" {
  description = "Your OpenAI organization id (`org-…`), the external id."
  type        = string
  nullable    = false
}

# What there is to set

variable "region" {
  description = "Region of the key. In us-east-1 pass the same provider twice."
  type        = string
  default     = "eu-west-1"
  nullable    = false
}

variable "name" {
  description = "Names the role, the key's alias, and the rules, topics and alarms."
  type        = string
  default     = "openai-ekm"
  nullable    = false
}

variable "maintenance" {
  description = "ARNs of the roles that apply Terraform: their changes are sent as `info`."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "silence_hours" {
  description = "Hours without a use by OpenAI after which you are told. Null: never."
  type        = number
  default     = null
}

variable "deletion_protection" {
  description = "Whether a destroy is refused; turning it off is an apply of its own."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
  nullable    = false
}
