# A private module: the root module's variables are the interface and hold the validations.

variable "account_id" {
  description = "The account that the key is made in, 12 digits."
  type        = string
  nullable    = false
}

variable "role_arn" {
  description = "ARN of the role that alone may use the key."
  type        = string
  nullable    = false
}

variable "role_unique_id" {
  description = "The role's unique id, known once the role exists: the key is made after it."
  type        = string
  nullable    = false
}

variable "alias" {
  description = "Name of the key's alias, without `alias/`."
  type        = string
  nullable    = false
}

variable "description" {
  description = "Description of the key."
  type        = string
  nullable    = false
}

variable "multi_region" {
  description = "Whether the key is a multi-Region primary key."
  type        = bool
  nullable    = false
}

variable "rotation_period_in_days" {
  description = "Days between two automatic rotations."
  type        = number
  nullable    = false
}

variable "deletion_window_in_days" {
  description = "Days that a scheduled deletion can still be cancelled."
  type        = number
  nullable    = false
}

variable "policy_mode" {
  description = "`least_privilege` or `root_delegation`."
  type        = string
  nullable    = false
}

variable "administrators" {
  description = "ARNs of the roles and users that administer the key by its own policy."
  type        = set(string)
  nullable    = false
}

variable "account_root_administers" {
  description = "Whether the account, by its IAM policies, administers the key."
  type        = bool
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether the policy denies everyone to schedule the key's deletion."
  type        = bool
  nullable    = false
}

variable "tags" {
  description = "Tags of the key."
  type        = map(string)
  nullable    = false
}

variable "mocked" {
  description = "Whether the provider makes its answers up, as in `terraform test`: what AWS would say is then not asked for."
  type        = bool
  default     = false
  nullable    = false
}

variable "further_aliases" {
  description = "Names of further aliases, without `alias/`."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "extra_statements" {
  description = "Statements added to the key's policy."
  type = list(object({
    sid        = string
    effect     = string
    principals = map(list(string))
    actions    = list(string)
    conditions = map(map(list(string)))
  }))
  default  = []
  nullable = false
}
