# Two resources, because one is unsafe: a create provisioner that fails taints its resource, and the destroy provisioner
# of a tainted resource never runs. So what unregisters (guard) has no create provisioner, and what registers (register)
# has no destroy provisioner. A failed registration is still unregistered at destroy; a refused one keeps everything
# that guard depends on: key, policy, role and alias.

resource "terraform_data" "guard" {
  # All that the destroy provisioner sees. A setting changed here alone is an update in place, and counts once applied.
  # No path is stored: the state is the same wherever it is applied from.
  input = {
    role_arn          = var.role_arn
    kms_arn           = var.kms_arn
    external_id       = var.external_id
    name              = var.name
    record            = var.record
    region            = var.region
    wait_seconds      = var.wait_seconds
    base_url          = var.base_url
    admin_key_from    = var.admin_key_from
    registrar_command = var.registrar_command

    # Terraform shows the attributes of what it is about to destroy.
    when_destroyed = "Destroying this unregisters ${var.name} at OpenAI. It is refused while projects are active. If it was not meant, undo the edit: registration = null, a renamed module label or for_each key (or write a `moved` block), an entry taken out of a map."
  }

  # OpenAI has no update: any of these changed is another registration. A replacement runs the provisioner below, which
  # refuses as long as projects are active.
  # Not the role's ARN: with depends_on at the module's call the account in it is unknown in every plan in which that
  # other thing changes, and what is unknown replaces.
  triggers_replace = {
    role        = var.role
    kms_arn     = var.kms_arn
    external_id = var.external_id
    name        = var.name
  }

  # No shell reads the line. Its last word stands under `command`, and Terraform heads a failure with it alone: the
  # registrar takes a sentence there, which says what could not be done and decides nothing.
  provisioner "local-exec" {
    when = destroy
    interpreter = concat(
      self.input.registrar_command == null ? ["${path.module}/launcher/ekm-register"] : self.input.registrar_command,
      ["--retire", "--delete-record"],
    )
    command = "unregister ${self.input.name} from OpenAI (record ${self.input.record})"
    environment = {
      EKM_ROLE_ARN       = self.input.role_arn
      EKM_KMS_ARN        = self.input.kms_arn
      EKM_EXTERNAL_ID    = self.input.external_id
      EKM_NAME           = self.input.name
      EKM_RECORD         = self.input.record
      EKM_WAIT_SECONDS   = self.input.wait_seconds
      EKM_ADMIN_KEY_FROM = self.input.admin_key_from
      OPENAI_BASE_URL    = self.input.base_url
      AWS_REGION         = self.input.region
      AWS_DEFAULT_REGION = self.input.region
    }
  }
}

resource "terraform_data" "register" {
  # The plan that it was made by.
  input = plantimestamp()

  lifecycle {
    replace_triggered_by = [terraform_data.guard.id]
    ignore_changes       = [input, triggers_replace] # the latter held the projects in earlier versions
  }

  provisioner "local-exec" {
    interpreter = var.registrar_command == null ? ["${path.module}/launcher/ekm-register"] : var.registrar_command
    command     = "register ${var.name} with OpenAI (record ${var.record})"
    environment = local.registrar_environment
  }
}

locals {
  registrar_environment = {
    EKM_ROLE_ARN       = var.role_arn
    EKM_KMS_ARN        = var.kms_arn
    EKM_EXTERNAL_ID    = var.external_id
    EKM_NAME           = var.name
    EKM_PROJECTS       = jsonencode(var.projects)
    EKM_RECORD         = var.record
    EKM_WAIT_SECONDS   = var.wait_seconds
    EKM_ADMIN_KEY_FROM = var.admin_key_from
    OPENAI_BASE_URL    = var.base_url
    AWS_REGION         = var.region
    AWS_DEFAULT_REGION = var.region
  }

  new_here = terraform_data.register.output == plantimestamp()
}

# A resource a project, so that a plan that adds one replaces nothing. Where `register` is made by the same plan it makes
# all of them in one run, and these run nothing. A project added later runs the registrar, which adopts what is there.
resource "terraform_data" "project" {
  for_each = toset(var.projects)
  input    = each.key

  provisioner "local-exec" {
    quiet       = true
    interpreter = local.new_here ? tolist(["/bin/sh", "-c"]) : tolist(var.registrar_command == null ? ["${path.module}/launcher/ekm-register"] : var.registrar_command)
    command     = local.new_here ? "true" : "--record=${var.record}"
    environment = local.new_here ? { OPENAI_ADMIN_KEY = "" } : local.registrar_environment
  }

  provisioner "local-exec" {
    when        = destroy
    quiet       = true
    interpreter = ["/bin/sh", "-c"]
    command     = "echo \"The project $PROJECT is taken out of the configuration. Nothing is archived by that.\""
    environment = {
      OPENAI_ADMIN_KEY = "" # as in the deletion guard
      PROJECT          = self.input
    }
  }
}
