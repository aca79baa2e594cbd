module "ekm" {
  source = "../.."

  external_ids        = [var.organization_id]
  name                = var.name
  deletion_protection = var.deletion_protection
  tags                = var.tags

  projects = var.projects
  registration = {
    wait_seconds      = var.wait_seconds
    base_url          = var.base_url
    admin_key_from    = var.admin_key_from
    registrar_command = var.registrar_command
  }
}
