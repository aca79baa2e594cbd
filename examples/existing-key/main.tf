module "ekm" {
  source = "../.."

  external_ids        = [var.organization_id]
  name                = var.name
  kms_key_arn         = var.kms_key_arn
  deletion_protection = var.deletion_protection
  tags                = var.tags
}
