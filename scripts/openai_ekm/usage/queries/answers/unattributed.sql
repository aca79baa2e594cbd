SELECT
  event_id,
  event_time,
  event_source,
  event_name,
  principal,
  kind,
  identity_account,
  identity_arn,
  region,
  source_ip,
  user_agent,
  error_code,
  error_message
FROM refused_unnamed
ORDER BY event_time, event_id
LIMIT 1000
