module "ekm" {
  source = "../.."

  external_ids        = [var.organization_id]
  name                = var.name
  deletion_protection = var.deletion_protection
  tags                = var.tags
}

module "monitoring" {
  source    = "../../modules/monitoring"
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  name          = var.name
  region        = var.region
  key_arn       = module.ekm.key_arn
  role_arn      = module.ekm.role_arn
  alias_names   = [var.name]
  maintenance   = var.maintenance
  silence_hours = var.silence_hours
  tags          = var.tags
}
