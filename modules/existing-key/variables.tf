# A private module: the root module's variables are the interface and hold the validations.

variable "account_id" {
  description = "The account that the key must be in, 12 digits."
  type        = string
  nullable    = false
}

variable "region" {
  description = "The Region that the key must be in."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the key or of an alias, as it will be registered."
  type        = string
  nullable    = false
}

variable "role_arn" {
  description = "ARN of the role that must be let use the key."
  type        = string
  nullable    = false
}

variable "mocked" {
  description = "Whether the provider makes its answers up, as in `terraform test`: what AWS would say is then not asked for."
  type        = bool
  default     = false
  nullable    = false
}
