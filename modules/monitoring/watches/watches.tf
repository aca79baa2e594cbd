# The table of watches, with this key and this role in its patterns. watches.json.tftpl is the table; tests and the
# runbook read it, too.

locals {
  key_parts = split(":", var.key_arn)
  # Of the role: its ARN is known in a plan in which the key is not, and so are the topics' policies.
  account_id = try(split(":", var.role_arn)[4], "unknown")
  key_id     = try(split("/", local.key_parts[5])[1], "unknown")
  role_parts = split("/", var.role_arn)
  role_name  = element(local.role_parts, length(local.role_parts) - 1)

  openai_account_id = "790389265272"
  forwarder_name    = "${var.name}-event-forwarder"
  queue_name        = "${var.name}-undelivered"

  # No name that `var.name` accepts has a dot in it: no other instance's rules begin like this.
  prefix = "${var.name}."

  # What a caller may write for the key. https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
  alias_texts = sort(tolist([for name in var.alias_names : "alias/${name}"]))
  key_texts = concat([var.key_arn, local.key_id], local.alias_texts, [
    for alias in local.alias_texts : "arn:aws:kms:${var.region}:${local.account_id}:${alias}"
  ])
  roles_of_maintenance = sort(tolist([for arn in var.maintenance : arn if strcontains(arn, ":role/")]))
  users_of_maintenance = sort(tolist([for arn in var.maintenance : arn if strcontains(arn, ":user/")]))

  absent = [{ exists = false }]

  of_the_key = [
    { resources = { ARN = [var.key_arn] } },
    { requestParameters = { keyId = local.key_texts } },
  ]
  of_its_aliases = [
    { requestParameters = { targetKeyId = local.key_texts } },
    { requestParameters = { aliasName = concat(local.alias_texts, ["-"]) } },
  ]
  # A refused call may have neither resources nor parameters: AWS names the resource in its message.
  named_key = [
    { errorMessage = [{ wildcard = "*key/${local.key_id} *" }] },
    { errorMessage = [{ suffix = "key/${local.key_id}" }] },
  ]
  named_role = [
    { errorMessage = [{ wildcard = "*role ${local.role_name} *" }, { wildcard = "*${var.role_arn} *" }] },
    { errorMessage = [{ suffix = "role ${local.role_name}" }, { suffix = var.role_arn }] },
  ]
  same_name        = [{ equals-ignore-case = local.role_name }] # IAM does not tell names apart by case
  of_the_role      = [{ requestParameters = { roleName = local.same_name } }]
  managed_policies = sort(tolist(var.managed_policy_arns))
  role_to_assume   = [{ requestParameters = { roleArn = [{ equals-ignore-case = var.role_arn }] } }]
  topics_watched   = sort(values(local.topic_arns))
  of_the_monitoring = [
    { eventSource = ["cloudtrail.amazonaws.com"] },
    { requestParameters = { name = [{ prefix = local.prefix }] } },
    { requestParameters = { rule = [{ prefix = local.prefix }] } },
    { requestParameters = { alarmName = [{ prefix = local.prefix }] } },
    { requestParameters = { alarmNames = [{ prefix = local.prefix }] } },
    { requestParameters = { topicArn = local.topics_watched } },
    { requestParameters = { subscriptionArn = [for arn in local.topics_watched : { prefix = "${arn}:" }] } },
    { requestParameters = { queueUrl = [{ suffix = "/${local.queue_name}" }] } },
  ]
  # anything-but does not match a member that is absent, and users, root and services have no sessionIssuer.
  not_of_maintenance = [
    { sessionContext = { sessionIssuer = { arn = [{ anything-but = concat(local.roles_of_maintenance, ["-"]) }] } } },
    { sessionContext = { sessionIssuer = { arn = local.absent } }, arn = [{ anything-but = concat(local.users_of_maintenance, ["-"]) }] },
    { sessionContext = { sessionIssuer = { arn = local.absent } }, arn = local.absent },
  ]

  table_file = "${path.module}/watches.json.tftpl"
  in_patterns = { for name, value in {
    key                      = [var.key_arn]
    not_key                  = [{ anything-but = [var.key_arn] }]
    of_the_key               = local.of_the_key
    of_the_key_or_alias      = concat(local.of_the_key, local.of_its_aliases)
    of_the_keys              = concat(local.of_the_key, local.of_its_aliases, [{ resources = { ARN = concat(aws_kms_key.topics[*].arn, ["-"]) } }])
    of_the_key_or_named      = concat(local.of_the_key, local.of_its_aliases, local.named_key)
    role                     = [var.role_arn]
    not_role                 = [{ anything-but = [var.role_arn] }]
    not_openai               = [{ anything-but = [local.openai_account_id] }]
    role_name                = local.same_name
    of_the_role_or_named     = concat(local.of_the_role, local.named_role)
    managed_policies         = local.managed_policies
    role_or_managed_policies = [{ roleName = concat(local.same_name, [local.forwarder_name]) }, { policyArn = concat(local.managed_policies, ["-"]) }]
    role_to_assume           = [{ equals-ignore-case = var.role_arn }]
    role_to_assume_or_named  = concat(local.role_to_assume, local.named_role)
    of_any_role = concat(local.of_the_role, local.named_role, [
      { requestParameters = { roleName = [local.forwarder_name] } },
      { requestParameters = { policyArn = concat(local.managed_policies, ["-"]) } },
    ])
    rules             = [{ prefix = local.prefix }]
    topics            = local.topics_watched
    subscriptions     = [for arn in local.topics_watched : { prefix = "${arn}:" }]
    topic_key         = aws_kms_key.topics[*].arn
    queue             = [{ suffix = "/${local.queue_name}" }]
    forwarder         = [local.forwarder_name]
    of_the_monitoring = local.of_the_monitoring
    maintenance = [
      { sessionContext = { sessionIssuer = { arn = concat(local.roles_of_maintenance, ["-"]) } } },
      { arn = concat(local.users_of_maintenance, ["-"]) },
    ]
  } : name => jsonencode(value) }

  # Twice: the ids are known in a plan in which the key is not, and only so can each be a resource.
  table    = jsondecode(templatefile(local.table_file, { for name in keys(local.in_patterns) : name => "null" }))
  rendered = jsondecode(templatefile(local.table_file, local.in_patterns))

  met = {
    forwarder        = var.forwarded
    maintenance      = length(var.maintenance) > 0
    managed_policies = length(var.managed_policy_arns) > 0
    silence          = var.silence_hours != null
    topic_key        = length(local.made_topics) > 0
  }
  watches = { for watch in local.table.watches : watch.id => watch if watch.needs == null || try(local.met[watch.needs], false) }

  patterns_as_written = { for watch in local.rendered.watches : watch.id => watch.pattern }
  patterns = {
    for id, watch in local.watches : id => watch.maintenance && local.met.maintenance ? jsonencode(merge(
      local.patterns_as_written[id],
      { detail = merge(local.patterns_as_written[id].detail, { userIdentity = { "$or" = local.not_of_maintenance } }) },
    )) : jsonencode(local.patterns_as_written[id]) if watch.state != null
  }
}
