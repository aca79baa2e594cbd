# Who may use the key: the external ids, and the role that OpenAI assumes.
# The other variables stand by concern in variables.key.tf, variables.monitoring.tf and variables.registration.tf.

locals {
  # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
  external_id_characters = "^[\\w+=,.@:/-]+$"

  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
  condition_operator = join("", [
    "^(ForAllValues:|ForAnyValue:)?(",
    join("|", [
      "String(Not)?(Equals(IgnoreCase)?|Like)",
      "(Numeric|Date)((Not)?Equals|(Less|Greater)Than(Equals)?)",
      "Bool",
      "BinaryEquals",
      "(Not)?IpAddress",
      "Arn(Not)?(Equals|Like)",
    ]),
    ")(IfExists)?$|^Null$",
  ])
}

variable "external_ids" {
  description = "External ids that the role accepts. The first one is registered: your organization's id (`org-…`), or the id of one of its API projects (`proj_…`), which is for the API alone. They are no secret and are shown even when given as sensitive. Details: docs/inputs.md."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.external_ids) > 0
    error_message = "external_ids must hold at least one id; without one the role would trust every customer of OpenAI. Give your organization id (org-…)."
  }

  validation {
    condition     = alltrue([for id in var.external_ids : can(regex(local.external_id_characters, id))])
    error_message = "external_ids must hold ids of letters, digits and the characters _+=,.@:/- only, without spaces or line breaks; found ${jsonencode([for id in var.external_ids : id if !can(regex(local.external_id_characters, id))])}, and STS takes no others. Copy the id from your organization's settings."
  }

  # RE2 repeats at most 1000 times, so the length is no part of the expression above.
  validation {
    condition     = alltrue([for id in var.external_ids : try(length(id) >= 2 && length(id) <= 1224, false)])
    error_message = "external_ids must hold ids of 2 to 1224 characters, as STS accepts; found ${jsonencode([for id in var.external_ids : try(length(id), 0) if !try(length(id) >= 2 && length(id) <= 1224, false)])} characters. Copy the id from your organization's settings."
  }

  validation {
    condition     = alltrue([for id in var.external_ids : !try(startswith(lower(id), "arn:"), false)])
    error_message = "external_ids must hold ids, not ARNs; found ${jsonencode([for id in var.external_ids : id if try(startswith(lower(id), "arn:"), false)])}. An external id is OpenAI's name for your organization (org-…), not a name in AWS."
  }

  validation {
    condition     = length(var.external_ids) == length(distinct(var.external_ids))
    error_message = "external_ids must hold each id once; found ${jsonencode([for id in distinct(var.external_ids) : id if length([for other in var.external_ids : other if other == id]) > 1])} more than once. Remove the repetition."
  }
}

# Role

variable "name" {
  description = "Name of this instance: of the role, of the key's alias and of the record. 1 to 64 letters, digits, `_` and `-`; unique in the account. Changing it makes another role and another registration."
  type        = string
  default     = "openai-ekm"
  nullable    = false

  # The characters that role names, aliases and parameter names have in common.
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, _ and -; IAM, KMS aliases and Parameter Store accept no others in common. Choose another name."
  }
}

variable "role_name" {
  description = "Name of the role, if it differs from `name`: for a role that you adopt (`ekm adopt`). 1 to 64 letters, digits and `_+=,.@-`. Changing it makes another role and another registration. Null (default): as `name`."
  type        = string
  default     = null

  # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
  validation {
    condition     = var.role_name == null || can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.role_name))
    error_message = "role_name must be 1 to 64 letters, digits and _+=,.@-, as IAM accepts. Choose another name, or leave it out."
  }
}

variable "role_policy_name" {
  description = "Name of the role's inline policy: for a policy that you adopt (`ekm adopt`). 1 to 128 letters, digits and `_+=,.@-`. Changing it can cut OpenAI off for seconds. Default `AllowEncryptDecrypt`."
  type        = string
  default     = "AllowEncryptDecrypt"
  nullable    = false

  # https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", var.role_policy_name))
    error_message = "role_policy_name must be 1 to 128 letters, digits and _+=,.@-, as IAM accepts. Choose another name, or leave it out."
  }
}

variable "role_path" {
  description = "IAM path of the role: `/`, or `/…/` with letters, digits and `._+=,@-` between slashes, at most 512 characters. Changing it makes another role and another registration."
  type        = string
  default     = "/"
  nullable    = false

  # IAM takes more characters; `*` and `?` would widen the key policy, which names the role by its ARN.
  validation {
    condition     = can(regex("^/([A-Za-z0-9._+=,@-]+/)*$", var.role_path))
    error_message = "role_path must be / or begin and end with /, with letters, digits and ._+=,@- between. Write it like /security/openai/."
  }

  validation {
    condition     = length(var.role_path) <= 512
    error_message = "role_path must have at most 512 characters, as IAM accepts; found ${length(var.role_path)}. Shorten it."
  }
}

variable "permissions_boundary" {
  description = "ARN of the IAM policy that bounds the role, of this account or of AWS. It must allow `kms:Encrypt` and `kms:Decrypt` on the key. Null (default): no boundary."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws:iam::(aws|\\d{12}):policy/[\\w+=,.@/-]+$", var.permissions_boundary))
    error_message = "permissions_boundary must be the ARN of an IAM policy, like arn:aws:iam::111122223333:policy/boundary. Copy the policy's ARN, or leave it out."
  }
}

variable "max_session_duration" {
  description = "Longest session of the role, 3600 to 43200 seconds. AWS ends OpenAI's sessions after 3600 seconds in any case (docs/inputs.md). Default 3600."
  type        = number
  default     = 3600
  nullable    = false

  # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
  validation {
    condition     = var.max_session_duration >= 3600 && var.max_session_duration <= 43200 && floor(var.max_session_duration) == var.max_session_duration
    error_message = "max_session_duration must be a whole number of seconds from 3600 to 43200, as IAM accepts. Leave it out for 3600."
  }
}

variable "extra_trust_conditions" {
  description = "Conditions added to the role's trust policy: condition operator, then condition key, then the list of values. They only narrow it. Example: `{ DateLessThan = { \"aws:CurrentTime\" = [\"2030-01-01T00:00:00Z\"] } }`."
  type        = map(map(list(string)))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for operator in keys(var.extra_trust_conditions) : can(regex(local.condition_operator, operator))])
    error_message = "extra_trust_conditions must name IAM's condition operators as AWS spells them; found ${jsonencode([for operator in keys(var.extra_trust_conditions) : operator if !can(regex(local.condition_operator, operator))])}. Write them like StringEquals or DateLessThan."
  }

  validation {
    condition     = alltrue(flatten([for keys in var.extra_trust_conditions : [for key in try(keys(keys), []) : lower(key) != "sts:externalid"]]))
    error_message = "extra_trust_conditions must leave sts:ExternalId alone; the module requires it from external_ids. Put the ids there."
  }

  validation {
    condition     = alltrue([for keys in var.extra_trust_conditions : try(length(keys) > 0 && alltrue([for values in keys : length(values) > 0 && alltrue([for value in values : value != null])]), false)])
    error_message = "extra_trust_conditions must give each operator a key and each key a value; found ${jsonencode([for operator, keys in var.extra_trust_conditions : operator if !try(length(keys) > 0 && alltrue([for values in keys : length(values) > 0 && alltrue([for value in values : value != null])]), false)])} without. An empty list would match nothing: remove it or fill it."
  }
}

variable "extra_use_conditions" {
  description = "Conditions added to the role's identity policy, in the form of `extra_trust_conditions`. A condition that OpenAI's calls do not meet cuts OpenAI off (docs/inputs.md)."
  type        = map(map(list(string)))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for operator in keys(var.extra_use_conditions) : can(regex(local.condition_operator, operator))])
    error_message = "extra_use_conditions must name IAM's condition operators as AWS spells them; found ${jsonencode([for operator in keys(var.extra_use_conditions) : operator if !can(regex(local.condition_operator, operator))])}. Write them like StringEquals or DateLessThan."
  }

  validation {
    condition     = alltrue([for keys in var.extra_use_conditions : try(length(keys) > 0 && alltrue([for values in keys : length(values) > 0 && alltrue([for value in values : value != null])]), false)])
    error_message = "extra_use_conditions must give each operator a key and each key a value; found ${jsonencode([for operator, keys in var.extra_use_conditions : operator if !try(length(keys) > 0 && alltrue([for values in keys : length(values) > 0 && alltrue([for value in values : value != null])]), false)])} without. An empty list would match nothing: remove it or fill it."
  }
}

# Tags

locals {
  tag_characters = "^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]*$"
}

variable "tags" {
  description = "Tags of the key and the role: at most 50, with keys of 1 to 128 and values of at most 256 characters. Where policies test tags, a change of tags can change who may use the key."
  type        = map(string)
  default     = {}
  nullable    = false

  # https://docs.aws.amazon.com/kms/latest/APIReference/API_Tag.html
  validation {
    condition     = length(var.tags) <= 50
    error_message = "tags must be at most 50, as AWS accepts; found ${length(var.tags)}. Remove some."
  }

  validation {
    condition     = alltrue([for key in keys(var.tags) : length(key) >= 1 && length(key) <= 128])
    error_message = "tags must have keys of 1 to 128 characters, as AWS accepts; found ${jsonencode([for key in keys(var.tags) : key if length(key) < 1 || length(key) > 128])}. Shorten them."
  }

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "tags must not have keys that begin with aws:, which AWS keeps for itself; found ${jsonencode([for key in keys(var.tags) : key if startswith(lower(key), "aws:")])}. Rename them."
  }

  validation {
    condition     = alltrue([for value in values(var.tags) : try(length(value) <= 256, false)])
    error_message = "tags must have values of at most 256 characters, as AWS accepts; the keys ${jsonencode([for key, value in var.tags : key if !try(length(value) <= 256, false)])} have none or longer ones. Shorten them."
  }

  # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules
  validation {
    condition     = alltrue([for key, value in var.tags : can(regex(local.tag_characters, join("", [key, coalesce(value, " ")])))])
    error_message = "tags must have letters, digits, spaces and _.:/=+@- only, as KMS and IAM accept; found others at the keys ${jsonencode([for key, value in var.tags : key if !can(regex(local.tag_characters, join("", [key, coalesce(value, " ")])))])}. Leave them out."
  }

  validation {
    condition     = length(distinct([for key in keys(var.tags) : lower(key)])) == length(var.tags)
    error_message = "tags must have keys that differ by more than case, as IAM asks; found ${jsonencode([for key in keys(var.tags) : key if length([for other in keys(var.tags) : other if lower(other) == lower(key)]) > 1])}. Keep one."
  }
}

variable "role_tags" {
  description = "Tags of the role alone. They are added to `tags` and win over a tag with the same key. Default: none."
  type        = map(string)
  default     = {}
  nullable    = false

  # What the validations of `tags` ask, one by one, asked of what comes together.
  validation {
    condition = alltrue([for tags in [merge(var.tags, var.role_tags)] : try(
      length(tags) <= 50 && length(distinct([for key in keys(tags) : lower(key)])) == length(tags) && alltrue([
        for key, value in tags : length(key) >= 1 && length(key) <= 128 && length(value) <= 256 &&
        !startswith(lower(key), "aws:") && can(regex(local.tag_characters, join("", [key, value])))
      ]),
      false,
    )])
    error_message = "role_tags, together with tags, must be at most 50, with keys of 1 to 128 and values of at most 256 characters: letters, digits, spaces and _.:/=+@-, none beginning with aws:, no two alike but for case. Correct ${jsonencode(keys(var.role_tags))}."
  }
}
