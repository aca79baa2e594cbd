# Many keys: for_each over the module, each instance with a name of its own.

variable "keys" {
  description = "Names of the projects by the name of the key."
  type        = map(set(string))
  default     = { red = ["red-chat"], green = [], blue = ["blue-chat"] }
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether the keys are kept from deletion."
  type        = bool
  default     = false
  nullable    = false
}

variable "registrar_command" {
  description = "Words of the command that registers. Null: the module's launcher."
  type        = list(string)
  default     = null
}

module "ekm" {
  source   = "../../.."
  for_each = var.keys

  external_ids        = ["org-abc123"]
  name                = "openai-ekm-${each.key}"
  deletion_protection = var.deletion_protection

  projects     = each.value
  registration = { registrar_command = var.registrar_command }
}

output "keys" {
  description = "Everything that the module tells, by the name of the key."
  value       = module.ekm
}
