# Every form of key, registered by the apply and not, called after something else (depends_on): as long as that is to
# change, Terraform puts off reading what the module looks up.

variable "revision" {
  description = "Changed, it changes what the module is called after, and the given key."
  type        = string
  default     = "1"
  nullable    = false
}

variable "key_arn" {
  description = "A key that is not of this configuration."
  type        = string
  nullable    = false
}

variable "alias_arn" {
  description = "An alias of a key that is not of this configuration."
  type        = string
  nullable    = false
}

locals {
  registrations = { registered = {}, apart = null }
}

resource "terraform_data" "before" {
  input = var.revision
}

# trivy:ignore:AVD-AWS-0065 Stands for a key that somebody else made, as AWS makes it by default.
resource "aws_kms_key" "given" {
  # checkov:skip=CKV_AWS_7: stands for a key that somebody else made, as AWS makes it by default
  # checkov:skip=CKV2_AWS_64: stands for a key with AWS's default policy
  description = "A key that the module does not make"
  tags        = { revision = var.revision }
}

module "new" {
  source     = "../../.."
  for_each   = local.registrations
  depends_on = [terraform_data.before]

  external_ids = ["org-abc123"]
  name         = "new-${each.key}"
  projects     = ["kept"]
  registration = each.value
}

module "known" {
  source     = "../../.."
  for_each   = local.registrations
  depends_on = [terraform_data.before]

  external_ids = ["org-abc123"]
  name         = "known-${each.key}"
  kms_key_arn  = var.key_arn
  projects     = ["kept"]
  registration = each.value
}

module "given" {
  source     = "../../.."
  for_each   = local.registrations
  depends_on = [terraform_data.before]

  external_ids = ["org-abc123"]
  name         = "given-${each.key}"
  kms_key_arn  = coalesce(aws_kms_key.given.arn)
  projects     = ["kept"]
  registration = each.value
}

module "alias" {
  source     = "../../.."
  for_each   = local.registrations
  depends_on = [terraform_data.before]

  external_ids = ["org-abc123"]
  name         = "alias-${each.key}"
  kms_key_arn  = var.alias_arn
  projects     = ["kept"]
  registration = each.value
}

# Not called after anything: only the key of the same configuration changes.
module "alone" {
  source = "../../.."

  external_ids = ["org-abc123"]
  name         = "alone"
  kms_key_arn  = coalesce(aws_kms_key.given.arn)
  projects     = ["kept"]
  registration = {}
}
