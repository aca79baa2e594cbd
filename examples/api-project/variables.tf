variable "organization_id" {
  description = "Your OpenAI organization id (`org-…`), the external id."
  type        = string
  nullable    = false
}

# What there is to set

variable "name" {
  description = "Names role, alias, record and registration."
  type        = string
  default     = "openai-ekm"
  nullable    = false
}

variable "projects" {
  description = "Names of the API projects to create under the key."
  type        = set(string)
  default     = ["ekm-first"]
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

# How to register

variable "wait_seconds" {
  description = "How long to wait for IAM to settle, in seconds."
  type        = number
  default     = 180
  nullable    = false
}

variable "base_url" {
  description = "Where OpenAI's API is. Null: `OPENAI_BASE_URL`, else `https://api.openai.com/v1`."
  type        = string
  default     = null
}

variable "admin_key_from" {
  description = "Where the admin key is kept, `secretsmanager:ARN` or `ssm:NAME`. Null: the environment variable `OPENAI_ADMIN_KEY`."
  type        = string
  default     = null
}

variable "registrar_command" {
  description = "Words of the command that registers. Null: the module's launcher."
  type        = list(string)
  default     = null
}
