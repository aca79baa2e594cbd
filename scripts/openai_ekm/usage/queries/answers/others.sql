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
  error_message,
  CASE
    WHEN lower(issuer_arn) = (SELECT max(lower(role_arn)) FROM settings) THEN 1
    ELSE 0
  END AS of_the_role,
  CASE WHEN error_code IS NULL THEN 0 ELSE 1 END AS refused
FROM calls
WHERE who = 'others'
UNION ALL
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
  error_message,
  0 AS of_the_role,
  CASE WHEN error_code IS NULL THEN 0 ELSE 1 END AS refused
FROM assumptions
WHERE who = 'others' AND event_time >= (SELECT max(since) FROM settings)
ORDER BY refused, event_time, event_id
LIMIT 1000
