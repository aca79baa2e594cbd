# Who is told when something happens to the key, the role, or the watching itself (modules/monitoring/watches, which
# holds the validations of the members).

variable "monitoring" {
  description = "Watches the key and the role, and sends a message when somebody changes, uses or silences them: `{}`, or with members (docs/operate/monitoring.md). For a key in us-east-1; elsewhere call modules/monitoring. Null (default): nothing."
  type = object({
    name                = optional(string)
    topics              = optional(map(string), {})
    maintenance         = optional(set(string), [])
    managed_policy_arns = optional(set(string), [])
    silence_hours       = optional(number)
    runbook             = optional(string, "docs/operate/runbook.md")
  })
  default = null
}
