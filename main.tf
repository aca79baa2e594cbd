# One instance of this module is one external key at OpenAI: one KMS key, one role, one registration, any number of
# projects. This file composes; what each policy says stands in modules/role/trust.tf, modules/role/use.tf and
# modules/key/policy.tf.

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

data "aws_partition" "current" {
  lifecycle {
    # OpenAI's principal lives in the partition aws, and its API takes role ARNs of that partition only.
    postcondition {
      condition     = self.partition == "aws" || local.mocked_caller || !strcontains(self.dns_suffix, ".")
      error_message = "The AWS partition must be aws; found ${self.partition}. OpenAI's role cannot assume a role in GovCloud or China: use an account of the partition aws."
    }
  }
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.id

  # AWS names every caller by an ARN, and has a domain. A provider that `terraform test` mocks makes something up in their
  # place, and so do the mocks that this module ships (mocks/). Then nothing is real: nothing is registered, nothing is
  # kept, and what AWS alone could answer is not asked.
  mocked_caller = !startswith(data.aws_caller_identity.current.arn, "arn:")
  mocked        = local.mocked_caller || !strcontains(data.aws_partition.current.dns_suffix, ".")

  # An external id is no secret: it stands in the trust policy, in the state and in the record. Kept as one it would hide
  # the registration's progress, and every policy with it.
  external_ids = tolist(nonsensitive([for id in var.external_ids : nonsensitive(id)]))

  role_name     = coalesce(var.role_name, var.name)
  makes_key     = var.kms_key_arn == null
  by_alias      = strcontains(coalesce(var.kms_key_arn, "none"), ":alias/")
  key_arn       = local.makes_key ? module.key[0].arn : module.existing_key[0].arn
  ready_kms_arn = local.makes_key ? module.key[0].ready_arn : module.existing_key[0].ready_arn

  # The prefix of the registration's record in Parameter Store; unique to this instance, as `name` is.
  record = "ssm:/openai-ekm/${var.name}"

  registration_name = var.registration == null ? var.name : coalesce(var.registration.name, var.name)

  # What the monitoring watches beside the key and the role.
  alias_names = toset(local.makes_key ?
    concat([coalesce(var.alias, var.name)], tolist(var.aliases)) :
    [for name in [trimprefix(regex("[^:]*$", var.kms_key_arn), "alias/")] : name if local.by_alias]
  )
  boundaries_of_the_account = toset([for arn in var.permissions_boundary[*] : arn if !startswith(arn, "arn:aws:iam::aws:")])

  documents = {
    trust_policy      = module.role.trust_policy
    permission_policy = module.role.permission_policy
    key_policy        = local.makes_key ? module.key[0].policy : null
  }
}

module "role" {
  source = "./modules/role"

  account_id             = local.account_id
  name                   = local.role_name
  policy_name            = var.role_policy_name
  path                   = var.role_path
  external_ids           = local.external_ids
  key_arn                = local.key_arn
  permissions_boundary   = var.permissions_boundary
  max_session_duration   = var.max_session_duration
  extra_trust_conditions = var.extra_trust_conditions
  extra_use_conditions   = var.extra_use_conditions
  tags                   = merge(var.tags, var.role_tags)
  mocked                 = local.mocked
}

module "key" {
  source = "./modules/key"
  count  = local.makes_key ? 1 : 0

  account_id               = local.account_id
  role_arn                 = module.role.arn
  role_unique_id           = module.role.unique_id
  alias                    = coalesce(var.alias, var.name)
  description              = coalesce(var.key_description, "Encrypts OpenAI data (Enterprise Key Management), used by OpenAI through the role ${local.role_name}")
  multi_region             = var.multi_region
  rotation_period_in_days  = var.rotation_period_in_days
  deletion_window_in_days  = var.deletion_window_in_days
  policy_mode              = var.key_policy_mode
  administrators           = var.administrators
  account_root_administers = var.account_root_administers
  deletion_protection      = var.deletion_protection
  further_aliases          = var.aliases
  extra_statements         = var.extra_key_policy_statements
  tags                     = merge(var.tags, var.key_tags)
  mocked                   = local.mocked
}

module "existing_key" {
  source = "./modules/existing-key"
  count  = local.makes_key ? 0 : 1

  account_id  = local.account_id
  region      = local.region
  kms_key_arn = var.kms_key_arn
  role_arn    = module.role.arn
  mocked      = local.mocked
}

module "registration" {
  source = "./modules/registration"
  count  = var.registration == null ? 0 : 1

  # The ready ARNs, so that registration starts after the policies and the alias exist, and a refused destroy keeps them.
  role_arn       = module.role.ready_arn
  role           = "${var.role_path}${local.role_name}"
  kms_arn        = local.ready_kms_arn
  external_id    = local.external_ids[0]
  name           = local.registration_name
  projects       = sort(tolist(var.projects))
  record         = local.record
  region         = local.region
  wait_seconds   = var.registration.wait_seconds
  base_url       = var.registration.base_url
  admin_key_from = var.registration.admin_key_from
  mocked         = local.mocked

  # Under a mocked provider the role and the key are made up, and OpenAI is real.
  registrar_command = local.mocked ? tolist(["/bin/sh", "-c", "echo 'Nothing is registered: the AWS provider is mocked.'"]) : var.registration.registrar_command
}

# Without the forwarder, which needs a second provider: this module asks its callers for none. So this is for a key in
# us-east-1, and a key elsewhere is watched by modules/monitoring beside this module (docs/decisions/0008).
module "monitoring" {
  source = "./modules/monitoring/watches"
  count  = var.monitoring == null ? 0 : 1

  region              = "us-east-1"
  key_arn             = local.key_arn
  role_arn            = module.role.arn
  name                = coalesce(var.monitoring.name, var.name)
  alias_names         = local.alias_names
  managed_policy_arns = setunion(var.monitoring.managed_policy_arns, local.boundaries_of_the_account)
  topics              = var.monitoring.topics
  maintenance         = var.monitoring.maintenance
  silence_hours       = var.monitoring.silence_hours
  runbook             = var.monitoring.runbook
  forwarded           = false
  tags                = var.tags
  mocked              = local.mocked
}

# The policies as objects. A policy that is encoded as JSON is unknown as a whole in a plan as long as one ARN in it is;
# here every known leaf shows, also when another root calls this module, so that a plan can be judged before it is applied.
resource "terraform_data" "documents" {
  input = local.documents
}
