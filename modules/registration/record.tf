# The record that the registrar wrote, so that outputs tell what happened, not what was asked for.

locals {
  record_path = trimprefix(var.record, "ssm:")

  # Sensitive by the provider's schema for SecureString parameters; the record is none and holds no secret.
  record_json = one([
    for index, name in data.aws_ssm_parameters_by_path.record.names :
    nonsensitive(data.aws_ssm_parameters_by_path.record.values)[index] if name == "${local.record_path}/record"
  ])
  record = try(jsondecode(local.record_json), null)
}

# By path, because aws_ssm_parameter fails every plan, a destroy's too, when the record is gone.
data "aws_ssm_parameters_by_path" "record" {
  path       = local.record_path
  depends_on = [terraform_data.register]
}

check "record_tells_of_this_registration" {
  assert {
    condition     = local.record != null
    error_message = "There must be a readable record at ${var.record}/record; found none. To adopt the registration and write the record again: terraform apply -replace=ADDRESS, ADDRESS being that of terraform_data.register in this module."
  }

  assert {
    condition     = try(local.record.state, "registered") == "registered"
    error_message = "The record at ${var.record}/record must have the state registered; found ${try(local.record.state, "none")}. To register: terraform apply -replace=ADDRESS, ADDRESS being that of terraform_data.register in this module."
  }

  assert {
    condition = alltrue([
      for member, wanted in { role_arn = var.role_arn, kms_arn = var.kms_arn, external_id = var.external_id, name = var.name } :
      try(local.record[member], wanted) == wanted
    ])
    error_message = "The record at ${var.record}/record must tell of ${var.role_arn}, ${var.kms_arn}, ${var.external_id} and ${var.name}; it tells of another registration. See which is right with ekm status, before anything is changed."
  }

  assert {
    condition     = local.record == null || length(setsubtract(var.projects, keys(try(local.record.projects, {})))) == 0
    error_message = "The record at ${var.record}/record must name every project; it lacks ${jsonencode(setsubtract(var.projects, keys(try(local.record.projects, {}))))}. To create them: terraform apply -replace=ADDRESS, ADDRESS being that of terraform_data.register in this module."
  }
}
