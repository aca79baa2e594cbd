# A private module: the root module's variables are the interface and hold the validations.

variable "account_id" {
  description = "The account that the role is made in, 12 digits."
  type        = string
  nullable    = false
}

variable "name" {
  description = "Name of the role."
  type        = string
  nullable    = false
}

variable "policy_name" {
  description = "Name of the role's inline policy."
  type        = string
  default     = "AllowEncryptDecrypt"
  nullable    = false
}

variable "path" {
  description = "IAM path of the role, `/` or `/…/`."
  type        = string
  nullable    = false
}

variable "external_ids" {
  description = "The external ids that the trust policy accepts."
  type        = list(string)
  nullable    = false
}

variable "key_arn" {
  description = "ARN of the key that the role may use; never an alias."
  type        = string
  nullable    = false
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds the role, or null for none."
  type        = string
}

variable "max_session_duration" {
  description = "Longest session, in seconds."
  type        = number
  nullable    = false
}

variable "extra_trust_conditions" {
  description = "Conditions added to the trust policy: operator, then condition key, then values."
  type        = map(map(list(string)))
  nullable    = false
}

variable "extra_use_conditions" {
  description = "Conditions added to the identity policy: operator, then condition key, then values."
  type        = map(map(list(string)))
  nullable    = false
}

variable "tags" {
  description = "Tags of the role."
  type        = map(string)
  nullable    = false
}

variable "mocked" {
  description = "Whether the provider makes its answers up, as in `terraform test`: what AWS would say is then not asked for."
  type        = bool
  default     = false
  nullable    = false
}
