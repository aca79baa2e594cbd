# The key: one that this module makes, or one that exists.

# Existing key

variable "kms_key_arn" {
  description = "ARN of an existing symmetric key of this account and Region to register instead of a new one: `…:key/<uuid>`, `…:key/mrk-…` or `…:alias/<name>` (registered as given; moving that alias cuts OpenAI off, so a warning is given). Its policy stays yours: output `key_policy_statement` is what it needs. For a key of the same configuration write `coalesce(aws_kms_key.mine.arn)`. Null (default): a key is made."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex(local.registered_arn, var.kms_key_arn))
    error_message = "kms_key_arn must be arn:aws:kms:<region>:<account>:key/<uuid>, …:key/mrk-<32 hexadecimal digits> or …:alias/<name>; OpenAI accepts full ARNs only. Copy the key's ARN, or leave it out to have a key made."
  }

  validation {
    condition     = !can(regex(":alias/aws/", coalesce(var.kms_key_arn, "none")))
    error_message = "kms_key_arn must not be an alias of an AWS managed key (alias/aws/…); the policy of such a key cannot admit the role. Choose a customer managed key."
  }

  validation {
    condition = var.kms_key_arn == null || length(local.settings_of_a_new_key) == 0
    error_message = format(
      "kms_key_arn names an existing key, whose settings are not this module's to change; found also %s. Leave those out, or leave kms_key_arn out.",
      jsonencode(local.settings_of_a_new_key),
    )
  }
}

locals {
  # https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
  registered_arn = join("", [
    "^arn:aws:kms:[a-z]{2,}(-[a-z]+)+-\\d+:\\d{12}:",
    "(key/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})|alias/[A-Za-z0-9/_-]{1,250})$",
  ])

  role_or_user_arn = "^arn:aws:iam::\\d{12}:(role|user)/[\\w+=,.@/-]+$"

  settings_of_a_new_key = [
    for name, given in {
      account_root_administers = !var.account_root_administers
      administrators           = length(var.administrators) > 0
      alias                    = var.alias != null
      deletion_window_in_days  = var.deletion_window_in_days != 30
      key_description          = var.key_description != null
      key_policy_mode          = var.key_policy_mode != "least_privilege"
      multi_region             = var.multi_region
      rotation_period_in_days  = var.rotation_period_in_days != 365
    } : name if given
  ]
}

# New key

variable "alias" {
  description = "Alias of the new key, without `alias/`: 1 to 250 letters, digits, `/`, `_` and `-`. OpenAI is given the key's ARN, so an alias is for people. Null (default): as `name`."
  type        = string
  default     = null

  # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
  validation {
    condition     = var.alias == null || can(regex("^[A-Za-z0-9/_-]{1,250}$", var.alias))
    error_message = "alias must be 1 to 250 letters, digits, /, _ and -, as KMS accepts. Choose another, or leave it out."
  }

  validation {
    condition     = !can(regex("^(alias|aws)/", coalesce(var.alias, "none")))
    error_message = "alias must not begin with alias/ (the module adds it) or aws/ (AWS keeps it for itself). Remove the beginning."
  }
}

variable "key_description" {
  description = "Description of the new key, at most 8192 characters. Null (default): says what the key is for and names the role."
  type        = string
  default     = null

  # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
  validation {
    condition     = length(coalesce(var.key_description, "none")) <= 8192
    error_message = "key_description must have at most 8192 characters, as KMS accepts; found ${length(coalesce(var.key_description, "none"))}. Shorten it."
  }
}

variable "multi_region" {
  description = "Whether the new key is a multi-Region primary key (`mrk-…`). Changing it makes another key. No replica is made, and nobody is given `kms:ReplicateKey`. Default false."
  type        = bool
  default     = false
  nullable    = false
}

variable "rotation_period_in_days" {
  description = "Days between two automatic rotations of the new key, 90 to 2560. Rotation is always on; the ARN stays and the data stays readable. Default 365."
  type        = number
  default     = 365
  nullable    = false

  # https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
  validation {
    condition     = var.rotation_period_in_days >= 90 && var.rotation_period_in_days <= 2560 && floor(var.rotation_period_in_days) == var.rotation_period_in_days
    error_message = "rotation_period_in_days must be a whole number from 90 to 2560, as KMS accepts. Leave it out for 365."
  }
}

variable "deletion_window_in_days" {
  description = "Days between the destruction of the new key and the end of its material, 7 to 30; in between it can be cancelled, afterwards all data under it is lost. Default 30."
  type        = number
  default     = 30
  nullable    = false

  # https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
  validation {
    condition     = var.deletion_window_in_days >= 7 && var.deletion_window_in_days <= 30 && floor(var.deletion_window_in_days) == var.deletion_window_in_days
    error_message = "deletion_window_in_days must be a whole number from 7 to 30, as KMS accepts. Leave it out for 30."
  }
}

variable "deletion_protection" {
  description = "Whether OpenAI's way to the data is kept: `terraform destroy` stops before anything is changed, and a new key's policy denies `kms:ScheduleKeyDeletion` to everyone. Turning it off is an apply of its own. Default true."
  type        = bool
  default     = true
  nullable    = false
}

# Key policy

variable "administrators" {
  description = "ARNs of roles and users of this account that administer the new key by its own policy: they change the policy, disable and delete, and can neither encrypt nor decrypt nor grant. They must exist. Default: none but the account."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.administrators : can(regex(local.role_or_user_arn, arn))])
    error_message = "administrators must be ARNs of IAM roles or users, like arn:aws:iam::111122223333:role/security; found ${jsonencode([for arn in var.administrators : arn if !can(regex(local.role_or_user_arn, arn))])}. For a session (arn:aws:sts::…) name its role; groups and wildcards cannot be principals."
  }
}

variable "account_root_administers" {
  description = "Whether IAM policies of this account may give the administration of the new key (never its use). False: only `administrators`, who must include whoever plans and applies; if they are all deleted, only AWS support can help. Default true."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.account_root_administers || length(var.administrators) > 0
    error_message = "account_root_administers = false must come with administrators; nobody could change the key's policy otherwise. Name the caller's role at least."
  }

  validation {
    condition     = var.account_root_administers || var.key_policy_mode != "root_delegation"
    error_message = "account_root_administers = false must not come with key_policy_mode = \"root_delegation\", which lets the account do everything. Leave one of them out."
  }
}

variable "key_policy_mode" {
  description = "`least_privilege` (default): the account administers the new key, and the role alone may use it. `root_delegation`: AWS's default policy, in which any IAM policy of the account may give any action, so that every IAM administrator can read what the key protects."
  type        = string
  default     = "least_privilege"
  nullable    = false

  validation {
    condition     = contains(["least_privilege", "root_delegation"], var.key_policy_mode)
    error_message = "key_policy_mode must be least_privilege or root_delegation. Leave it out for least_privilege."
  }
}
