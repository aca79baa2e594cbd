# A private module: what is in the key's Region. Here are the validations, for the root module, which calls it for a key in
# us-east-1, and for modules/monitoring, which adds the forwarder.

# What is watched

variable "key_arn" {
  description = "ARN of the key, never of an alias: `module.ekm.key_arn`, or that of a key that another configuration made."
  type        = string
  nullable    = false

  validation {
    condition     = var.mocked || can(regex("^arn:aws:kms:[a-z]{2}-[a-z]+-\\d+:\\d{12}:key/[A-Za-z0-9-]+$", var.key_arn))
    error_message = "key_arn must be arn:aws:kms:<region>:<account>:key/<id>, not an alias: events name the key itself. Copy the key's ARN."
  }
}

variable "role_arn" {
  description = "ARN of the role that OpenAI assumes, with its path: `module.ekm.role_arn`."
  type        = string
  nullable    = false

  validation {
    condition     = var.mocked || can(regex("^arn:aws:iam::\\d{12}:role/[\\w+=,.@/-]+$", var.role_arn))
    error_message = "role_arn must be arn:aws:iam::<account>:role/<path and name>, not a session. Copy the role's ARN."
  }
}

variable "region" {
  description = "Region of the key, written out (`eu-west-1`): the plan must know it before the key exists. The provider `aws` is for this Region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-\\d+$", var.region))
    error_message = "region must be a Region like eu-west-1. Write the Region of the key."
  }
}

variable "alias_names" {
  description = "Names of the key's aliases, without `alias/`: changes that call the key by them, and that move them, are seen. Default: none."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.alias_names : can(regex("^[A-Za-z0-9/_-]{1,250}$", name)) && !startswith(name, "alias/")])
    error_message = "alias_names must hold names of 1 to 250 letters, digits, /, _ and -, without alias/; found ${jsonencode(var.alias_names)}. Leave the prefix out."
  }
}

variable "managed_policy_arns" {
  description = "ARNs of managed policies of the role: attached ones, and its permissions boundary. New versions of them are seen. Policies of AWS are not watched. Default: none."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.managed_policy_arns : can(regex("^arn:aws:iam::\\d{12}:policy/[\\w+=,.@/-]+$", arn))])
    error_message = "managed_policy_arns must hold ARNs of policies of an account, arn:aws:iam::<account>:policy/<name>; found ${jsonencode(var.managed_policy_arns)}. Leave out those of AWS: nobody here can change them."
  }
}

# Who is told

variable "name" {
  description = "Begins the name of each rule, topic, queue and alarm. 1 to 32 letters, digits, `_` and `-`; unique in the account and Region. Default `openai-ekm`."
  type        = string
  default     = "openai-ekm"
  nullable    = false

  # A rule's name has 64 characters, the longest watch id 27.
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,32}$", var.name))
    error_message = "name must be 1 to 32 letters, digits, _ and -, as names of rules, topics, queues and alarms accept in common. Choose another name."
  }
}

variable "topics" {
  description = "ARNs of your own SNS topics by severity: `critical`, `warning`, `info`. A severity that is left out gets a topic of the module's. The output `topic_policies` has what yours must allow. Default: none."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.topics), ["critical", "warning", "info"])) == 0
    error_message = "topics must have the keys critical, warning and info only; found ${jsonencode(keys(var.topics))}. Correct the key."
  }

  # A target of a rule, and of an alarm, is in the rule's Region; AWS refuses another one late, or never.
  validation {
    condition     = var.mocked || alltrue([for arn in values(var.topics) : can(regex("^arn:aws:sns:${var.region}:\\d{12}:[A-Za-z0-9_-]{1,256}$", arn))])
    error_message = "topics must hold ARNs of standard topics in ${var.region}, the Region of the key; found ${jsonencode(var.topics)}. A rule and an alarm send to their own Region only: give topics there."
  }
}

variable "maintenance" {
  description = "ARNs of roles and users whose changes are sent as `info`, such as the role that applies Terraform. Nothing of theirs is dropped. Use of the key and refused attempts keep their severity. Default: none."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.maintenance : can(regex("^arn:aws:iam::\\d{12}:(role|user)/[\\w+=,.@/-]+$", arn))])
    error_message = "maintenance must hold ARNs of roles and users, arn:aws:iam::<account>:role/<path and name>; found ${jsonencode(var.maintenance)}. Give the role itself, not a session of it."
  }
}

variable "silence_hours" {
  description = "Hours without a use by OpenAI after which the alarm `silence` goes off, 1 to 168. Null (default): no such alarm."
  type        = number
  default     = null

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html: seven days at most
  validation {
    condition     = var.silence_hours == null || try(var.silence_hours >= 1 && var.silence_hours <= 168 && floor(var.silence_hours) == var.silence_hours, false)
    error_message = "silence_hours must be a whole number from 1 to 168; an alarm looks back seven days at most. Choose another number, or leave it out."
  }
}

variable "runbook" {
  description = "Address of the runbook in every message; `#` and the watch's id are added. Default: the page of this repository, docs/operate/runbook.md."
  type        = string
  default     = "docs/operate/runbook.md"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._~:/?@!$()*+,;=%-]{1,500}$", var.runbook))
    error_message = "runbook must be an address of 1 to 500 characters without spaces, quotes and #. Correct it."
  }
}

variable "forwarded" {
  description = "Whether modules/monitoring/forwarder sends events from us-east-1 here: its role is then watched, too."
  type        = bool
  nullable    = false
}

# Tags

variable "tags" {
  description = "Tags of everything that the module makes. Default: none."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "mocked" {
  description = "Whether the provider makes its answers up, as in `terraform test`: what AWS would say is then not asked for."
  type        = bool
  default     = false
  nullable    = false
}
