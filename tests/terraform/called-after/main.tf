# Two ways of calling the module in which Terraform puts off reading what the module looks up: after something else
# (depends_on), and with a key that the same configuration makes and changes.

variable "revision" {
  description = "Changed, it changes what the module is called after, and the given key."
  type        = string
  default     = "1"
  nullable    = false
}

locals {
  registration = { projects = ["kept"] }
}

resource "terraform_data" "before" {
  input = var.revision
}

resource "aws_kms_key" "given" {
  description = "A key that the module does not make"
  tags        = { revision = var.revision }
}

module "after" {
  source     = "../../.."
  depends_on = [terraform_data.before]

  external_ids = ["org-abc123"]
  name         = "after"
  registration = local.registration
}

module "given" {
  source = "../../.."

  external_ids = ["org-abc123"]
  name         = "given"
  kms_key_arn  = coalesce(aws_kms_key.given.arn)
  registration = local.registration
}
