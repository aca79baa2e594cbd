# The module once in every mode that changes a policy, so that one apply gives all documents to judge.

data "aws_caller_identity" "current" {}

locals {
  administrator = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/security/key-admin"
  modes = {
    default         = {}
    unprotected     = { deletion_protection = false }
    administrators  = { administrators = [local.administrator] }
    root-delegation = { key_policy_mode = "root_delegation" }
    multi-region    = { multi_region = true, role_path = "/security/" }
    narrowed = {
      external_ids           = ["org-abc123", "proj_abc123"]
      extra_trust_conditions = { DateLessThan = { "aws:CurrentTime" = ["2030-01-01T00:00:00Z"] } }
      extra_use_conditions   = { StringEquals = { "aws:ResourceAccount" = [data.aws_caller_identity.current.account_id] } }
    }
  }
}

module "ekm" {
  source   = "../../.."
  for_each = local.modes

  name                   = "ekm-${each.key}"
  external_ids           = lookup(each.value, "external_ids", ["org-abc123"])
  role_path              = lookup(each.value, "role_path", "/")
  key_policy_mode        = lookup(each.value, "key_policy_mode", "least_privilege")
  administrators         = lookup(each.value, "administrators", [])
  multi_region           = lookup(each.value, "multi_region", false)
  deletion_protection    = lookup(each.value, "deletion_protection", true)
  extra_trust_conditions = lookup(each.value, "extra_trust_conditions", {})
  extra_use_conditions   = lookup(each.value, "extra_use_conditions", {})
}

# A key that somebody else made, with AWS's default policy, used by the module as it is.
# trivy:ignore:AVD-AWS-0065 It is as AWS makes a key by default.
resource "aws_kms_key" "existing" {
  # checkov:skip=CKV_AWS_7: stands for a key that somebody else made, as AWS makes it by default
  # checkov:skip=CKV2_AWS_64: stands for a key with AWS's default policy
  description = "Stands for a key that was there before"
}

module "existing" {
  source = "../../.."

  name         = "ekm-existing"
  external_ids = ["org-abc123"]
  kms_key_arn  = coalesce(aws_kms_key.existing.arn)
}

output "modes" {
  description = "Everything that the module tells, by mode."
  value       = merge(module.ekm, { existing = module.existing })
}

output "administrator" {
  description = "The named administrator of the mode administrators."
  value       = local.administrator
}
