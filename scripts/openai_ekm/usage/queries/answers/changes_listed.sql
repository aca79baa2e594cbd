SELECT
  watch,
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
  error_message,
  CASE WHEN watch = 'role-used-otherwise' THEN 1 ELSE 0 END AS behind_the_others
FROM changes
ORDER BY behind_the_others, event_time, event_id, watch
LIMIT 1000
