# The registration at OpenAI. The admin key is never a variable: the registrar reads it from the environment variable
# OPENAI_ADMIN_KEY, or from where admin_key_from points.

locals {
  # No control characters, and no space at either end.
  visible_name = "^[^\\s\\pC]([^\\pC]{0,126}[^\\s\\pC])?$"

  # The admin key is sent there: no other host, no credentials in the URL, nothing behind the path.
  base_url = join("|", [
    "^https://([a-z0-9-]+\\.)?api\\.openai\\.com(/[A-Za-z0-9._~/-]*)?$",
    "^https?://(127\\.0\\.0\\.1|localhost|\\[::1\\])(:\\d{1,5})?(/[A-Za-z0-9._~/-]*)?$",
  ])

  admin_key_reference = join("|", [
    "^secretsmanager:arn:aws:secretsmanager:[a-z0-9-]+:\\d{12}:secret:[A-Za-z0-9/_+=.@-]+$",
    "^ssm:[A-Za-z0-9/_.-]+$",
  ])
}

variable "registration" {
  description = <<-EOT
    Registers the key at OpenAI within the apply. Null (default): not here; hand `role_arn` and `kms_arn` to OpenAI (ChatGPT Enterprise), or run `ekm-register`.
    - `name`: name of the registration at OpenAI, 1 to 128 characters. Default: as `name` of the module. Changing it is another registration.
    - `projects`: names of API projects to create under the key. A name added is a project created; a name removed archives nothing.
    - `wait_seconds`: how long to wait for IAM to settle, 0 to 3600 seconds. Default 180.
    - `base_url`: `https://api.openai.com/v1`, a regional host of it, or a loopback address. Default: the environment variable `OPENAI_BASE_URL`, else `https://api.openai.com/v1`.
    - `admin_key_from`: where the admin key is kept, `secretsmanager:ARN` or `ssm:NAME`. Default: the environment variable `OPENAI_ADMIN_KEY`.
    - `registrar_command`: words of the command that registers. Default: the module's own launcher, which needs Python 3.11 and nothing installed.
  EOT
  type = object({
    name              = optional(string)
    projects          = optional(set(string), [])
    wait_seconds      = optional(number, 180)
    base_url          = optional(string)
    admin_key_from    = optional(string)
    registrar_command = optional(list(string))
  })
  default = null

  validation {
    condition     = alltrue([for it in var.registration[*] : it.name == null || can(regex(local.visible_name, it.name))])
    error_message = "registration.name must have 1 to 128 characters, no control characters, and no space at either end; found ${jsonencode(try(var.registration.name, null))}. Choose another name, or leave it out."
  }

  validation {
    condition     = alltrue(flatten([for it in var.registration[*] : [for name in it.projects : can(regex(local.visible_name, name))]]))
    error_message = "registration.projects must be names of 1 to 128 characters, without control characters, and without a space at either end; found ${jsonencode([for name in try(var.registration.projects, []) : name if !can(regex(local.visible_name, name))])}. Choose other names."
  }

  validation {
    condition     = alltrue([for it in var.registration[*] : it.wait_seconds >= 0 && it.wait_seconds <= 3600 && floor(it.wait_seconds) == it.wait_seconds])
    error_message = "registration.wait_seconds must be a whole number from 0 to 3600; found ${jsonencode(try(var.registration.wait_seconds, null))}. IAM settles within two minutes as a rule: leave it out for 180."
  }

  validation {
    condition     = alltrue([for it in var.registration[*] : it.base_url == null || can(regex(local.base_url, it.base_url))])
    error_message = "registration.base_url must be https on api.openai.com or a regional host of it (eu.api.openai.com), or http on a loopback address; found ${jsonencode(try(replace(var.registration.base_url, "/\\/\\/[^@\\/]*@/", "//…@"), null))}, and the admin key goes nowhere else. Leave it out; the environment variable OPENAI_BASE_URL of the machine that applies can name another."
  }

  # Terraform prints the scalars that a condition refers to, and this one may be the key itself: so it is reached through
  # the whole object, which is not printed.
  validation {
    condition     = alltrue([for it in var.registration[*] : it.admin_key_from == null || can(regex(local.admin_key_reference, it.admin_key_from))])
    error_message = "registration.admin_key_from must be secretsmanager:<ARN of a secret> or ssm:<name of a SecureString parameter>, a reference and never the key itself. Correct the reference, or leave it out and set OPENAI_ADMIN_KEY."
  }

  validation {
    condition     = alltrue([for it in var.registration[*] : it.registrar_command == null || try(length(it.registrar_command) > 0 && alltrue([for word in it.registrar_command : length(word) > 0]), false)])
    error_message = "registration.registrar_command must be a list of words, none of them empty, like [\"ekm-register\"]; found ${jsonencode(try(var.registration.registrar_command, null))}. Leave it out for the module's launcher."
  }
}
