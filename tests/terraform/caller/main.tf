# A root that calls the module, as a user's does. The two `removed` roots beside it take over its state.

variable "external_ids" {
  description = "The external ids, the first of them registered."
  type        = list(string)
  default     = ["org-abc123"]
  nullable    = false
}

variable "name" {
  description = "Names role, alias, record and registration."
  type        = string
  default     = "openai-ekm"
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether the key is kept from deletion."
  type        = bool
  default     = false
  nullable    = false
}

variable "multi_region" {
  description = "Whether the key is a multi-Region key; changing it replaces the key."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "An existing key instead of a new one."
  type        = string
  default     = null
}

variable "projects" {
  description = "Names of the projects under the key."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "registration" {
  description = "The registration, or null for none."
  type = object({
    name              = optional(string)
    wait_seconds      = optional(number, 180)
    base_url          = optional(string)
    admin_key_from    = optional(string)
    registrar_command = optional(list(string))
  })
  default = null
}

variable "monitoring" {
  description = "What is watched, or null for nothing."
  type        = object({ silence_hours = optional(number) })
  default     = null
}

module "ekm" {
  source = "../../.."

  external_ids        = var.external_ids
  name                = var.name
  deletion_protection = var.deletion_protection
  multi_region        = var.multi_region
  kms_key_arn         = var.kms_key_arn
  projects            = var.projects
  registration        = var.registration
  monitoring          = var.monitoring
}

output "ekm" {
  description = "Everything that the module tells."
  value       = module.ekm
}
