# The key: one that this module makes, or one that exists.

# Existing key

variable "kms_key_arn" {
  description = "ARN of an existing symmetric key of this account and Region, or of an alias of one. The module leaves the key's policy to you: add the output `key_policy_statement` to it. Null (default): the module makes a key. Details: docs/inputs.md."
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

variable "accept_alias" {
  description = "Whether `kms_key_arn` is an alias on purpose. If true, the module gives no warning. It refuses a moved alias in any case. Default false."
  type        = bool
  default     = false
  nullable    = false
}

locals {
  # The pattern of scripts/openai_ekm/arns.py, which names its sources.
  registered_arn = join("", [
    "^arn:aws:kms:[a-z]{2}-[a-z]+-\\d+:\\d{12}:",
    "(key/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})|alias/[A-Za-z0-9/_-]{1,250})$",
  ])

  role_or_user_arn = "^arn:aws:iam::\\d{12}:(role|user)/[\\w+=,.@/-]+$"

  settings_of_a_new_key = [
    for name, given in {
      account_root_administers    = !var.account_root_administers
      administrators              = length(var.administrators) > 0
      alias                       = var.alias != null
      aliases                     = length(var.aliases) > 0
      extra_key_policy_statements = length(var.extra_key_policy_statements) > 0
      key_tags                    = length(var.key_tags) > 0
      deletion_window_in_days     = var.deletion_window_in_days != 30
      key_description             = var.key_description != null
      key_policy_mode             = var.key_policy_mode != "least_privilege"
      multi_region                = var.multi_region
      rotation_period_in_days     = var.rotation_period_in_days != 365
    } : name if given
  ]
}

# New key

variable "alias" {
  description = "Alias of the new key, without `alias/`: 1 to 250 letters, digits, `/`, `_` and `-`. It is for people; OpenAI gets the key's ARN. Null (default): as `name`."
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

variable "aliases" {
  description = "Further aliases of the new key, in the form of `alias`. None of them is registered. Default: none."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.aliases : can(regex("^[A-Za-z0-9/_-]{1,250}$", name)) && !can(regex("^(alias|aws)/", name))])
    error_message = "aliases must be 1 to 250 letters, digits, /, _ and -, and begin neither with alias/ nor with aws/; found ${jsonencode([for name in var.aliases : name if !can(regex("^[A-Za-z0-9/_-]{1,250}$", name)) || can(regex("^(alias|aws)/", name))])}. Choose others."
  }

  validation {
    condition     = !contains(var.aliases, coalesce(var.alias, var.name))
    error_message = "aliases must not hold ${coalesce(var.alias, var.name)}, the key's first alias already. Remove it."
  }
}

variable "key_tags" {
  description = "Tags of the new key alone. They are added to `tags` and win over a tag with the same key. Default: none."
  type        = map(string)
  default     = {}
  nullable    = false

  # What the validations of `tags` ask, one by one, asked of what comes together.
  validation {
    condition = alltrue([for tags in [merge(var.tags, var.key_tags)] : try(
      length(tags) <= 50 && length(distinct([for key in keys(tags) : lower(key)])) == length(tags) && alltrue([
        for key, value in tags : length(key) >= 1 && length(key) <= 128 && length(value) <= 256 &&
        !startswith(lower(key), "aws:") && can(regex(local.tag_characters, join("", [key, value])))
      ]),
      false,
    )])
    error_message = "key_tags, together with tags, must be at most 50, with keys of 1 to 128 and values of at most 256 characters: letters, digits, spaces and _.:/=+@-, none beginning with aws:, no two alike but for case. Correct ${jsonencode(keys(var.key_tags))}."
  }
}

variable "key_description" {
  description = "Description of the new key, at most 8192 characters. Null (default): a text that says what the key is for and names the role."
  type        = string
  default     = null

  # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
  validation {
    condition     = length(coalesce(var.key_description, "none")) <= 8192
    error_message = "key_description must have at most 8192 characters, as KMS accepts; found ${length(coalesce(var.key_description, "none"))}. Shorten it."
  }
}

variable "multi_region" {
  description = "Whether the new key is a multi-Region primary key (`mrk-…`). The module makes no replica, and gives nobody `kms:ReplicateKey`. Changing it makes another key. Default false."
  type        = bool
  default     = false
  nullable    = false
}

variable "rotation_period_in_days" {
  description = "Days between two automatic rotations of the new key, 90 to 2560. Rotation is always on. The ARN stays, and all data stays readable. Default 365."
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
  description = "Days from the destruction of the new key to the end of its material, 7 to 30. Until then the deletion can be cancelled. After it all data under the key is lost. Default 30."
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
  description = "Whether `terraform destroy` stops before it changes anything, and a new key's policy denies `kms:ScheduleKeyDeletion` to everyone. Turning it off takes an apply of its own. Default true."
  type        = bool
  default     = true
  nullable    = false
}

# Key policy

variable "administrators" {
  description = "ARNs of roles and users of this account that administer the new key by its own policy. They can change the policy, disable and delete; they cannot encrypt, decrypt or grant. They must exist. Default: none but the account."
  type        = set(string)
  default     = []
  nullable    = false

  # https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
  validation {
    condition     = alltrue([for arn in var.administrators : !strcontains(arn, ":role/AWSReservedSSO_")])
    error_message = "administrators must name a role of IAM Identity Center with its path, arn:aws:iam::ACCOUNT:role/aws-reserved/sso.amazonaws.com/REGION/AWSReservedSSO_… (without REGION where Identity Center is in us-east-1); found ${jsonencode([for arn in var.administrators : arn if strcontains(arn, ":role/AWSReservedSSO_")])}, and KMS knows no such principal. Ask for it: aws iam get-role --role-name NAME --query Role.Arn"
  }

  validation {
    condition     = alltrue([for arn in var.administrators : can(regex(local.role_or_user_arn, arn))])
    error_message = "administrators must be ARNs of IAM roles or users, like arn:aws:iam::111122223333:role/security; found ${jsonencode([for arn in var.administrators : arn if !can(regex(local.role_or_user_arn, arn))])}. For a session (arn:aws:sts::…) name its role; groups and wildcards cannot be principals."
  }
}

variable "account_root_administers" {
  description = "Whether IAM policies of this account may give the administration of the new key, never its use. If false, only `administrators` have it, and they must include the identity that plans and applies (docs/inputs.md). Default true."
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
  description = "`least_privilege` (default): the account administers the new key, and the role alone may use it. `root_delegation`: AWS's default policy, with which every IAM administrator of the account can read what the key protects."
  type        = string
  default     = "least_privilege"
  nullable    = false

  validation {
    condition     = contains(["least_privilege", "root_delegation"], var.key_policy_mode)
    error_message = "key_policy_mode must be least_privilege or root_delegation. Leave it out for least_privilege."
  }
}

variable "extra_key_policy_statements" {
  description = "Statements added to the new key's policy. An Allow gives reading and administration at most, never use. A Deny leaves the policy changeable. `ekm prove` judges them with the rest. Rules: docs/key-policy.md. Default: none."
  type = list(object({
    sid        = string
    effect     = string
    principals = map(list(string))
    actions    = list(string)
    conditions = optional(map(map(list(string))), {})
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for it in var.extra_key_policy_statements : try(can(regex("^[A-Za-z0-9]{1,100}$", it.sid)) && contains(["Allow", "Deny"], it.effect), false)])
    error_message = "extra_key_policy_statements must each have a sid of letters and digits, and the effect Allow or Deny; found ${jsonencode([for it in var.extra_key_policy_statements : "${coalesce(it.sid, "no sid")}: ${coalesce(it.effect, "no effect")}"])}. Correct them."
  }

  validation {
    condition     = length(distinct(concat(local.own_statement_ids, [for it in var.extra_key_policy_statements : it.sid]))) == length(local.own_statement_ids) + length(var.extra_key_policy_statements)
    error_message = "extra_key_policy_statements must each have a sid of its own, other than ${jsonencode(local.own_statement_ids)}; found ${jsonencode([for it in var.extra_key_policy_statements : it.sid])}. Rename them."
  }

  validation {
    condition = alltrue([for it in var.extra_key_policy_statements : try(length(it.principals) > 0 && alltrue(flatten([
      for type, names in it.principals : [length(names) > 0, [for name in names : can(regex(local.principal_forms[it.effect][type], name))]]
    ])), false)])
    error_message = "extra_key_policy_statements must name principals as { AWS = [ARNs of roles, users or accounts] } or { Service = [\"….amazonaws.com\"] }; { AWS = [\"*\"] } for a Deny only; found ${jsonencode([for it in var.extra_key_policy_statements : it.principals])}. Correct them."
  }

  validation {
    condition     = alltrue(flatten([for it in var.extra_key_policy_statements : [length(it.actions) > 0, [for action in it.actions : can(regex("^kms:[A-Za-z]+$", action))]]]))
    error_message = "extra_key_policy_statements must spell out actions of KMS, without wildcards; found ${jsonencode([for it in var.extra_key_policy_statements : it.actions])}. Write them like kms:DescribeKey."
  }

  validation {
    condition     = alltrue([for it in var.extra_key_policy_statements : it.effect != "Allow" || length([for action in it.actions : action if !contains(local.allowable_actions, action)]) == 0])
    error_message = "extra_key_policy_statements may allow ${join(", ", local.allowable_actions)} only; found ${jsonencode(flatten([for it in var.extra_key_policy_statements : [for action in it.actions : action if it.effect == "Allow" && !contains(local.allowable_actions, action)]]))}. What reads data, grants, or changes the policy is nobody's but the role's and the administrators'."
  }

  validation {
    condition     = alltrue([for it in var.extra_key_policy_statements : it.effect != "Deny" || length([for action in it.actions : action if contains(local.undeniable_actions, action)]) == 0])
    error_message = "extra_key_policy_statements must not deny ${join(", ", local.undeniable_actions)}; found that in ${jsonencode([for it in var.extra_key_policy_statements : it.sid if it.effect == "Deny"])}. Nobody could bring the key back, or take the statement out again."
  }

  validation {
    condition     = alltrue(flatten([for it in var.extra_key_policy_statements : [for operator, keys in it.conditions : can(regex(local.condition_operator, operator)) && length(keys) > 0 && alltrue([for values in keys : length(values) > 0])]]))
    error_message = "extra_key_policy_statements must have conditions of the form { StringEquals = { \"aws:PrincipalOrgID\" = [\"o-…\"] } }, operators as AWS spells them, each with a key and a value; found ${jsonencode([for it in var.extra_key_policy_statements : it.conditions])}. Correct them."
  }
}

locals {
  own_statement_ids = ["AllowAdministration", "AllowUseByRole", "DelegateToAccount", "DenyKeyDeletion"]

  principal_forms = {
    Allow = { AWS = local.principal_arn, Service = "^[a-z0-9.-]+\\.amazonaws\\.com$" }
    Deny  = { AWS = "${local.principal_arn}|^\\*$", Service = "^[a-z0-9.-]+\\.amazonaws\\.com$" }
  }
  principal_arn = "^arn:aws:iam::\\d{12}:(root|(role|user)/[\\w+=,.@/-]+)$"

  # Reading and what can be undone: none of them makes or reads ciphertext, grants, changes the policy, or deletes.
  allowable_actions = [
    "kms:CancelKeyDeletion",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:RevokeGrant",
  ]

  undeniable_actions = ["kms:CancelKeyDeletion", "kms:EnableKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"]
}
