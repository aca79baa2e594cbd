# Stops a plain `terraform destroy` before anything is changed. Without it Terraform would unregister the key and delete
# the role's policy first, and only then be refused the key by its policy (modules/key/policy.tf, DenyKeyDeletion).
# A destroy provisioner sees what was last applied: turning the protection off is an apply of its own.
# It does not run when the module block is removed from the configuration; the key policy holds then, too.
resource "terraform_data" "deletion_guard" {
  input = {
    name                = var.name
    key_arn             = local.key_arn
    deletion_protection = local.makes_key && var.deletion_protection
  }

  # Destroyed first, as it depends on everything.
  depends_on = [module.registration, module.role, module.key, module.existing_key]

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["/bin/sh", "-c"]
    quiet       = true
    environment = {
      EKM_DELETION_PROTECTION = self.input.deletion_protection
      EKM_NAME                = self.input.name
      EKM_KEY_ARN             = self.input.key_arn
    }
    command = <<-EOT
      [ "$EKM_DELETION_PROTECTION" = true ] || exit 0
      cat >&2 <<MESSAGE
      Refused: deletion protection is on for "$EKM_NAME" ($EKM_KEY_ARN). Nothing was changed.
      Everything that OpenAI stored under this key is lost with it. To go on:
        1. archive the key's active projects at OpenAI (an archived project cannot be brought back);
        2. set deletion_protection = false and run terraform apply;
        3. run terraform destroy.
      MESSAGE
      exit 1
    EOT
  }
}
