module "ekm" {
  source = "../.."

  external_ids        = [var.organization_id]
  name                = var.name
  deletion_protection = var.deletion_protection
  administrators      = var.administrators
  tags                = var.tags
}
