# Who is told when something happens to the key, the role, or the watching itself: for a key in any Region, made by this
# repository's module or not.

module "watches" {
  source = "./watches"

  region              = var.region
  key_arn             = var.key_arn
  role_arn            = var.role_arn
  alias_names         = var.alias_names
  managed_policy_arns = var.managed_policy_arns
  name                = var.name
  topics              = var.topics
  maintenance         = var.maintenance
  silence_hours       = var.silence_hours
  runbook             = var.runbook
  forwarded           = var.region != "us-east-1"
  tags                = var.tags
  mocked              = var.mocked
}

module "forwarder" {
  source    = "./forwarder"
  count     = var.region != "us-east-1" ? 1 : 0
  providers = { aws = aws.us_east_1 }

  name               = var.name
  region             = var.region
  account_id         = module.watches.account_id
  rules              = module.watches.forwards
  role_name          = module.watches.forwarder_name
  queue_name         = module.watches.queue_name
  alarm_descriptions = module.watches.alarm_descriptions
  topic_arn          = var.us_east_1_topic_arn
  tags               = var.tags
  mocked             = var.mocked
}
