# The validations stand in modules/monitoring/watches/variables.tf and modules/monitoring/forwarder/variables.tf.

# What is watched

variable "key_arn" {
  description = "ARN of the key, never of an alias: `module.ekm.key_arn`, or that of a key that another configuration made."
  type        = string
  nullable    = false
}

variable "role_arn" {
  description = "ARN of the role that OpenAI assumes, with its path: `module.ekm.role_arn`."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the key, written out (`eu-west-1`): the plan must know it before the key exists. The provider `aws` is for this Region."
  type        = string
  nullable    = false
}

variable "alias_names" {
  description = "Names of the key's aliases, without `alias/`: changes that call the key by them, and that move them, are seen. Default: none."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "managed_policy_arns" {
  description = "ARNs of managed policies of the role: attached ones, and its permissions boundary. New versions of them are seen. Policies of AWS are not watched. Default: none."
  type        = set(string)
  default     = []
  nullable    = false
}

# Who is told

variable "name" {
  description = "Begins the name of each rule, topic, queue and alarm. 1 to 32 letters, digits, `_` and `-`; unique in the account and Region. Default `openai-ekm`."
  type        = string
  default     = "openai-ekm"
  nullable    = false
}

variable "topics" {
  description = "ARNs of your own SNS topics by severity: `critical`, `warning`, `info`. A severity that is left out gets a topic of the module's. The output `topic_policies` has what yours must allow. Default: none."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "us_east_1_topic_arn" {
  description = "ARN of a topic of yours in us-east-1 that is told when events cannot be forwarded to the key's Region. Null (default): the two alarms in us-east-1 tell nobody."
  type        = string
  default     = null
}

variable "maintenance" {
  description = "ARNs of roles and users whose changes are sent as `info`, such as the role that applies Terraform. Nothing of theirs is dropped. Use of the key and refused attempts keep their severity. Default: none."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "silence_hours" {
  description = "Hours without a use by OpenAI after which the alarm `silence` goes off, 1 to 168. Null (default): no such alarm."
  type        = number
  default     = null
}

variable "runbook" {
  description = "Address of the runbook in every message; `#` and the watch's id are added. Default: the page of this repository, docs/operate/runbook.md."
  type        = string
  default     = "docs/operate/runbook.md"
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
