# What the state keeps of the instance, and what keeps the instance.
#
# An input that is ignored stays what it was when the resource was made. So the plan can compare what is there now with
# what was there first, whatever `depends_on` at the module's call puts off. Nothing in AWS depends on these two: a
# `-target` that destroys one instance's would reach the keys of others (docs/traps.md).

# Which key it is. Replaced by another key, and by nothing else: the ARN as it was given is known when the key is not.
resource "terraform_data" "key" {
  input            = { key_arn = local.key_arn }
  triggers_replace = local.makes_key ? module.key[0].arn : var.kms_key_arn

  lifecycle {
    ignore_changes = [input]

    postcondition {
      condition     = local.mocked || !local.by_alias || !var.deletion_protection || self.output.key_arn == local.key_arn
      error_message = <<-EOT
        kms_key_arn is the alias ${coalesce(var.kms_key_arn, "none")}, and it now leads to another key; found ${local.key_arn}, wanted ${self.output.key_arn}, the key that this instance was made with. What OpenAI encrypted under that one cannot be read through the alias.
        Move the alias back: aws kms update-alias --alias-name ${try(regex("alias/.*", var.kms_key_arn), "none")} --target-key-id ${self.output.key_arn}
        If nothing is encrypted under it: apply with deletion_protection = false, then with true and -replace=ADDRESS, ADDRESS being that of terraform_data.key in this module.
      EOT
    }
  }
}

# Where it is. With a provider for elsewhere Terraform would find no key, and plan to make one.
resource "terraform_data" "location" {
  input = { account_id = local.account_id, region = local.region }

  lifecycle {
    ignore_changes = [input]

    postcondition {
      condition     = local.mocked || self.output == { account_id = local.account_id, region = local.region }
      error_message = <<-EOT
        ${var.name} is in account ${self.output.account_id}, Region ${self.output.region}, as the state says; the provider is for account ${local.account_id}, Region ${local.region}. There Terraform would make another key, and take this one out of the state.
        Undo the change: give the provider that account's credentials and region = "${self.output.region}". Fixed `region` and `allowed_account_ids` in the provider block prevent it.
        A second set-up elsewhere needs a module call (or a workspace) of its own.
      EOT
    }
  }
}

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
    deletion_protection = local.mocked ? false : var.deletion_protection
    consequence = (local.makes_key ?
      "All data that OpenAI keeps under this key is lost with it." :
      "OpenAI is cut off from all data that it keeps under this key; the key itself stays."
    )
  }

  lifecycle {
    # Another key is the end of this one.
    replace_triggered_by = [terraform_data.key]
    # What earlier versions compared instead: unknown, and so another one, whenever `depends_on` put the reading off.
    ignore_changes = [triggers_replace]
  }

  # Destroyed first, as it depends on everything.
  depends_on = [
    module.registration,
    module.role,
    module.key,
    module.existing_key,
    module.monitoring,
    terraform_data.documents,
    terraform_data.location,
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
        If this was not to be taken down, undo the edit that led here: a renamed module label or for_each key (or write a `moved` block for it), an entry taken out of a map, another kms_key_arn. Plan again, and see it gone from the plan.
        ${try(self.input.consequence, "All data that OpenAI keeps under this key is lost with it.")}
        To take it down:
          1. archive the key's active projects at OpenAI (an archived project cannot be brought back);
          2. set deletion_protection = false and run terraform apply;
          3. run terraform destroy.
      EOT
    }
  }
}
