# What works, or may work, and deserves a second look. A check warns; it stops nothing.

check "external_ids_look_like_openai_ids" {
  assert {
    condition = alltrue([for id in local.external_ids : can(regex("^(org-|proj_)", id))])
    error_message = format(
      "external_ids holds %s; OpenAI accepts its organization id (org-…) or the id of one of the organization's API projects (proj_…). Copy the id from the organization's settings.",
      jsonencode([for id in local.external_ids : id if !can(regex("^(org-|proj_)", id))]),
    )
  }
}

check "registered_arn_is_not_an_alias" {
  assert {
    condition     = !local.by_alias || var.accept_alias
    error_message = "kms_key_arn is an alias, and OpenAI will register it as such. Moving the alias to another key makes all data under this one unreadable. Give the key's own ARN (output key_arn); if an alias is what you want, set accept_alias = true."
  }
}

locals {
  # OpenAI publishes neither its addresses nor its session name, and sends no MFA, tags or encryption context that is known.
  conditions_openai_may_not_meet = join("", ["(?i)^(", join("|", [
    "aws:(Source(Ip|Vpc|Vpce|VpcArn|Account|Arn|OrgID|OrgPaths|Identity)|VpcSourceIp)",
    "aws:(Principal(OrgID|OrgPaths|Tag/.*)|RequestTag/.*|TagKeys)",
    "aws:(MultiFactorAuth(Present|Age)|TokenIssueTime|UserAgent|Referer|ViaAWSService|CalledVia(First|Last)?)",
    "sts:(RoleSessionName|SourceIdentity|TransitiveTagKeys|DurationSeconds)",
    "kms:(EncryptionContext:.*|EncryptionContextKeys|ViaService|CallerAccount|RequestAlias|EncryptionAlgorithm)",
    "kms:RecipientAttestation:.*",
  ]), ")$"])

  # The Region that OpenAI calls STS in is not public; the key is called in its own.
  extra_trust_keys = flatten([for conditions in var.extra_trust_conditions : keys(conditions)])
  extra_use_keys   = flatten([for conditions in var.extra_use_conditions : keys(conditions)])
  doubtful_conditions = distinct(concat(
    [for key in local.extra_trust_keys : key if lower(key) == "aws:requestedregion"],
    [for key in concat(local.extra_trust_keys, local.extra_use_keys) : key if can(regex(local.conditions_openai_may_not_meet, key))],
  ))
}

check "openai_can_meet_the_extra_conditions" {
  assert {
    condition     = length(local.doubtful_conditions) == 0
    error_message = "extra_trust_conditions or extra_use_conditions test ${jsonencode(local.doubtful_conditions)}, and it is not publicly known that OpenAI's calls carry what passes. Validate the registration before any data depends on it, or leave the condition out."
  }
}

check "trust_policy_fits_the_default_quota" {
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  assert {
    condition     = length(module.role.trust_policy_json) <= 2048
    error_message = "The trust policy has ${length(module.role.trust_policy_json)} characters; IAM accepts 2048 unless the quota was raised (at most 4096). Use fewer external_ids or conditions, or ask AWS for the quota."
  }
}
