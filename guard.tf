# Stops a plain `terraform destroy`, and a plan that would replace the key, before anything is changed. Without it
# Terraform would unregister the key and delete the role's policy first, and only then be refused the key by its policy
# (modules/key/policy.tf, DenyKeyDeletion).
# With an existing key it stands before the role alone, without which OpenAI is cut off from the data.
# A destroy provisioner sees what was last applied: turning the protection off is an apply of its own.
# It does not run when the module block is removed from the configuration; the key policy holds then, too.
resource "terraform_data" "deletion_guard" {
  input = {
    name                = var.name
    key_arn             = local.key_arn
    deletion_protection = var.deletion_protection
    consequence = (local.makes_key ?
      "All data that OpenAI keeps under this key is lost with it." :
      "OpenAI is cut off from all data that it keeps under this key; the key itself stays."
    )
  }

  # Another key is the end of this one.
  triggers_replace = { key_arn = local.key_arn }

  # Destroyed first, as it depends on everything.
  depends_on = [
    module.registration,
    module.role,
    module.key,
    module.existing_key,
    terraform_data.documents,
  ]

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["/bin/sh", "-c"]
    quiet       = true
    command     = "if [ \"$PROTECTED\" = true ]; then echo \"$REFUSAL\" >&2; exit 1; fi"
    environment = {
      OPENAI_ADMIN_KEY = "" # Terraform hands on its own environment otherwise, and this needs no key.
      PROTECTED        = self.input.deletion_protection
      REFUSAL          = <<-EOT
        Refused: deletion protection is on for ${self.input.name} (${self.input.key_arn}). Nothing was changed.
        ${try(self.input.consequence, "All data that OpenAI keeps under this key is lost with it.")}
        Unless you asked for that, find in the plan what destroys or replaces it, and undo that (a change of Region or account, too).
        To go on:
          1. archive the key's active projects at OpenAI (an archived project cannot be brought back);
          2. set deletion_protection = false and run terraform apply;
          3. run terraform destroy.
      EOT
    }
  }
}
