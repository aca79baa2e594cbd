# A private module: what is in us-east-1. modules/monitoring is the interface.

variable "name" {
  description = "Begins the name of each rule and alarm."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the key, where the events go."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "Account of the key."
  type        = string
  nullable    = false
}

variable "rules" {
  description = "The rules by id: state and pattern."
  type        = map(object({ state = string, pattern = string }))
  nullable    = false
}

variable "role_name" {
  description = "Name of the role that may put events on the bus of the key's Region."
  type        = string
  nullable    = false
}

variable "queue_name" {
  description = "Name of the queue of undelivered messages."
  type        = string
  nullable    = false
}

variable "alarm_descriptions" {
  description = "What the alarms `delivery-failed` and `messages-undelivered` say."
  type        = map(string)
  nullable    = false
}

variable "topic_arn" {
  description = "ARN of a topic of yours in us-east-1 that is told when events cannot be forwarded to the key's Region. Null (default): the two alarms in us-east-1 tell nobody."
  type        = string
  default     = null

  validation {
    condition     = var.topic_arn == null || can(regex("^arn:aws:sns:us-east-1:\\d{12}:[A-Za-z0-9_-]{1,256}$", var.topic_arn))
    error_message = "us_east_1_topic_arn must be the ARN of a standard topic in us-east-1: an alarm sends to its own Region only. Give a topic there, or leave it out."
  }
}

variable "tags" {
  description = "Tags of everything that the module makes."
  type        = map(string)
  nullable    = false
}

variable "mocked" {
  description = "Whether the provider makes its answers up, as in `terraform test`: what AWS would say is then not asked for."
  type        = bool
  default     = false
  nullable    = false
}
