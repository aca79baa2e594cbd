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

  # EventBridge takes no empty list: where nothing was given, "-" stands below, which no record has.

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
    { requestParameters = { aliasName = coalescelist(local.alias_texts, ["-"]) } },
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
  # IAM does not tell names apart by case.
  same_name        = [{ equals-ignore-case = local.role_name }]
  same_forwarder   = [{ equals-ignore-case = local.forwarder_name }]
  of_the_role      = [{ requestParameters = { roleName = local.same_name } }]
  managed_policies = sort(tolist(var.managed_policy_arns))
  role_to_assume   = [{ requestParameters = { roleArn = [{ equals-ignore-case = var.role_arn }] } }]
  topics_watched   = sort(values(local.topic_arns))
  # What can be in us-east-1, too: of a key elsewhere the topics are not.
  of_the_forwarding = [
    { eventSource = ["cloudtrail.amazonaws.com"] },
    { requestParameters = { name = [{ prefix = local.prefix }] } },
    { requestParameters = { rule = [{ prefix = local.prefix }] } },
    { requestParameters = { alarmName = [{ prefix = local.prefix }] } },
    { requestParameters = { alarmNames = [{ prefix = local.prefix }] } },
    { requestParameters = { queueUrl = [{ suffix = "/${local.queue_name}" }] } },
  ]
  of_the_monitoring = concat(local.of_the_forwarding, [
    { requestParameters = { topicArn = local.topics_watched } },
    { requestParameters = { resourceArn = local.topics_watched } },
    { requestParameters = { subscriptionArn = [for arn in local.topics_watched : { prefix = "${arn}:" }] } },
  ])
  # anything-but does not match a member that is absent, and users, root and services have no sessionIssuer.
  not_the_session = [
    { sessionContext = { sessionIssuer = { arn = [{ anything-but = [var.role_arn] }] } } },
    { sessionContext = { sessionIssuer = { arn = local.absent } } },
  ]
  not_of_maintenance = [
    { sessionContext = { sessionIssuer = { arn = [{ anything-but = coalescelist(local.roles_of_maintenance, ["-"]) }] } } },
    { sessionContext = { sessionIssuer = { arn = local.absent } }, arn = [{ anything-but = coalescelist(local.users_of_maintenance, ["-"]) }] },
    { sessionContext = { sessionIssuer = { arn = local.absent } }, arn = local.absent },
  ]

  table_file = "${path.module}/watches.json.tftpl"
  in_patterns = { for name, value in {
    key                      = [var.key_arn]
    not_key                  = [{ anything-but = [var.key_arn] }]
    of_the_key               = local.of_the_key
    of_the_key_or_alias      = concat(local.of_the_key, local.of_its_aliases)
    of_the_keys              = concat(local.of_the_key, local.of_its_aliases, [{ resources = { ARN = coalescelist(aws_kms_key.topics[*].arn, ["-"]) } }])
    of_the_key_used_or_named = concat(local.of_the_key, local.named_key)
    of_the_key_or_named      = concat(local.of_the_key, local.of_its_aliases, local.named_key)
    role                     = [var.role_arn]
    not_the_session          = local.not_the_session
    not_openai               = [{ anything-but = [local.openai_account_id] }]
    role_name                = local.same_name
    of_the_role_or_named     = concat(local.of_the_role, local.named_role)
    managed_policies         = local.managed_policies
    role_or_managed_policies = [{ roleName = concat(local.same_name, local.same_forwarder) }, { policyArn = coalescelist(local.managed_policies, ["-"]) }]
    role_to_assume           = [{ equals-ignore-case = var.role_arn }]
    role_to_assume_or_named  = concat(local.role_to_assume, local.named_role)
    # Of a call with both, a role and a managed policy, the role counts. Refusals have a watch for OpenAI's role alone.
    of_any_role = concat(local.of_the_role, local.named_role, [
      { requestParameters = { roleName = local.same_forwarder }, errorCode = local.absent },
      { requestParameters = { policyArn = coalescelist(local.managed_policies, ["-"]), roleName = local.absent }, errorCode = local.absent },
    ])
    rules             = [{ prefix = local.prefix }]
    topics            = local.topics_watched
    subscriptions     = [for arn in local.topics_watched : { prefix = "${arn}:" }]
    topic_key         = aws_kms_key.topics[*].arn
    queue             = [{ suffix = "/${local.queue_name}" }]
    forwarder         = local.same_forwarder
    of_the_forwarding = local.of_the_forwarding
    of_the_monitoring = local.of_the_monitoring
    maintenance = [
      { sessionContext = { sessionIssuer = { arn = coalescelist(local.roles_of_maintenance, ["-"]) } } },
      { arn = coalescelist(local.users_of_maintenance, ["-"]) },
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
