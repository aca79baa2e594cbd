# The record that the registrar wrote, so that outputs tell what happened, not what was asked for.

locals {
  record_path = trimprefix(var.record, "ssm:")

  # Sensitive by the provider's schema for SecureString parameters; the record is none and holds no secret.
  record_json = var.mocked ? local.mocked_record : one([
    for index, name in data.aws_ssm_parameters_by_path.record.names :
    nonsensitive(data.aws_ssm_parameters_by_path.record.values)[index] if name == "${local.record_path}/record"
  ])
  record = try(jsondecode(local.record_json), null)

  # What a registration would have left, so that a test finds an id for every project.
  mocked_record = jsonencode({
    external_key_id = "extkey_mocked"
    projects        = { for name in var.projects : name => { id = "proj_mocked_${name}" } }
  })
}

# By path, because aws_ssm_parameter fails every plan, a destroy's too, when the record is gone.
data "aws_ssm_parameters_by_path" "record" {
  path       = local.record_path
  depends_on = [terraform_data.register, terraform_data.project]
}

locals {
  intent = {
    role_arn    = var.role_arn
    kms_arn     = var.kms_arn
    external_id = var.external_id
    name        = var.name
  }

  # What is wrong with the record, the worst first.
  record_faults = var.mocked ? [] : local.record == null ? ["none that can be read"] : concat(
    try(local.record.state, null) == "registered" ? [] : ["the state ${jsonencode(try(local.record.state, null))}"],
    [for member, wanted in local.intent : "${member} ${jsonencode(try(local.record[member], null))}, wanted ${jsonencode(wanted)}" if try(local.record[member], null) != wanted],
    [for name in var.projects : "no project ${jsonencode(name)}" if !can(local.record.projects[name].id)],
  )
}

# One assertion, because each is one more warning in the first plan, when there is no record to read yet.
check "record_tells_of_this_registration" {
  assert {
    condition     = length(local.record_faults) == 0
    error_message = "The record ${var.record}/record must tell of this registration; found ${join("; ", local.record_faults)}. See what OpenAI has: ekm status. To adopt it and write the record again: terraform apply -replace=ADDRESS, ADDRESS being that of terraform_data.register in this module."
  }
}
