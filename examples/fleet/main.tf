# One instance of the module is one external key: one KMS key, one role, one registration.
module "ekm" {
  source   = "../.."
  for_each = var.keys

  external_ids        = [var.organization_id]
  name                = "${var.name_prefix}-${each.key}"
  deletion_protection = var.deletion_protection
  tags                = var.tags

  projects = each.value.projects

  # Null: `ekm register --from-terraform .` registers all of them after the apply.
  registration = var.register_in_apply ? {} : null
}
