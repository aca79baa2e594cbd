# The monitoring of a key and a role that this configuration does not make.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

provider "aws" {}

provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"
}

variable "region" {
  type = string
}

variable "key_arn" {
  type = string
}

variable "role_arn" {
  type = string
}

variable "settings" {
  type = object({
    alias_names         = optional(set(string), [])
    managed_policy_arns = optional(set(string), [])
    maintenance         = optional(set(string), [])
    silence_hours       = optional(number)
    topics              = optional(map(string), {})
  })
  default = {}
}

module "monitoring" {
  source    = "../../../modules/monitoring"
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  region              = var.region
  key_arn             = var.key_arn
  role_arn            = var.role_arn
  alias_names         = var.settings.alias_names
  managed_policy_arns = var.settings.managed_policy_arns
  maintenance         = var.settings.maintenance
  silence_hours       = var.settings.silence_hours
  topics              = var.settings.topics
}

output "monitoring" {
  value = module.monitoring
}
