# A private module: the root module's variables are the interface and hold the validations.

variable "role_arn" {
  description = "ARN of the role, its policies in place."
  type        = string
  nullable    = false
}

variable "role" {
  description = "Path and name of the role, which are known when its account is not."
  type        = string
  nullable    = false
}

variable "kms_arn" {
  description = "ARN of the key as it is registered."
  type        = string
  nullable    = false
}

variable "external_id" {
  description = "The external id that is registered."
  type        = string
  nullable    = false
}

variable "name" {
  description = "Name of the registration at OpenAI."
  type        = string
  nullable    = false
}

variable "projects" {
  description = "Names of the projects that are created under the key."
  type        = list(string)
  nullable    = false
}

variable "record" {
  description = "Where the registrar keeps its record, as `ssm:PREFIX`."
  type        = string
  nullable    = false
}

variable "region" {
  description = "The Region of the record."
  type        = string
  nullable    = false
}

variable "wait_seconds" {
  description = "How long the registrar waits for IAM to settle, in seconds."
  type        = number
  nullable    = false
}

variable "base_url" {
  description = "Where OpenAI's API is, or null for what the environment says."
  type        = string
}

variable "admin_key_from" {
  description = "Where the registrar reads the admin key, or null for the environment variable OPENAI_ADMIN_KEY."
  type        = string
}

variable "registrar_command" {
  description = "The words that start the registrar, or null for this module's launcher."
  type        = list(string)
}

variable "mocked" {
  description = "Whether the provider makes its answers up, as in `terraform test`: what AWS would say is then not asked for."
  type        = bool
  default     = false
  nullable    = false
}
