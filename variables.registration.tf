# The registration at OpenAI. The admin key is never a variable: the registrar reads it from the environment variable
# OPENAI_ADMIN_KEY, or from where admin_key_from points.

locals {
  # No control characters, and no space at either end.
  visible_name = "^[^\\s\\pC]([^\\pC]{0,254}[^\\s\\pC])?$"

  # The admin key is sent there: OpenAI's hosts (the regional ones, us, eu and ae, and those for mutual TLS, mtls and mtls-eu)
  # or this machine; no credentials in the URL, no way out of the path. scripts/openai_ekm/openai_api/base_url.py reads it as well.
  url_path = "(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?$"
  url_port = "(:(6553[0-5]|655[0-2]\\d|65[0-4]\\d{2}|6[0-4]\\d{3}|[1-5]\\d{4}|[1-9]\\d{0,3}))?"
  base_url = join("|", [
    "^https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)?api\\.openai\\.com${local.url_path}",
    "^https?://(127\\.0\\.0\\.1|localhost|\\[::1\\])${local.url_port}${local.url_path}",
  ])

  admin_key_reference = join("|", [
    "^secretsmanager:arn:aws:secretsmanager:[a-z0-9-]+:\\d{12}:secret:[A-Za-z0-9/_+=.@-]+$",
    "^ssm:[A-Za-z0-9/_.-]+$",
  ])
}

variable "projects" {
  description = "Names of API projects that the registration creates under the key. A name that you add creates a project; a name that you remove archives nothing. Not for a ChatGPT workspace. Default: none."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.projects : can(regex(local.visible_name, name))])
    error_message = "projects must be names of 1 to 256 characters, without control characters, and without a space at either end; found ${jsonencode([for name in var.projects : name if !can(regex(local.visible_name, name))])}. Choose other names."
  }
}

variable "registration" {
  description = "Registers the key at OpenAI within the apply: `{}`, or with members (docs/registration.md). Null (default): run `ekm register --from-terraform` after the apply, or hand `role_arn` and `kms_arn` to OpenAI (ChatGPT Enterprise)."
  # `projects` stands here to be refused: Terraform drops members that a type does not have, without a word.
  type = object({
    name              = optional(string)
    projects          = optional(set(string))
    wait_seconds      = optional(number, 180)
    base_url          = optional(string)
    admin_key_from    = optional(string)
    registrar_command = optional(list(string))
  })
  default = null

  validation {
    condition     = alltrue([for it in var.registration[*] : it.name == null || can(regex(local.visible_name, it.name))])
    error_message = "registration.name must have 1 to 256 characters, no control characters, and no space at either end; found ${jsonencode(try(var.registration.name, null))}. Choose another name, or leave it out."
  }

  validation {
    condition     = alltrue([for it in var.registration[*] : it.projects == null])
    error_message = "registration has no projects; found ${jsonencode(try(var.registration.projects, null))}. They are an input of their own: write projects = [...] beside registration."
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
