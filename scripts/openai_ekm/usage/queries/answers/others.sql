SELECT
  {event},
  CASE
    WHEN lower(issuer_arn) = (SELECT max(lower(role_arn)) FROM settings) THEN 1
    ELSE 0
  END AS of_the_role,
  CASE WHEN error_code IS NULL THEN 0 ELSE 1 END AS refused
FROM calls
WHERE who = 'others'
UNION ALL
SELECT
  {event},
  0 AS of_the_role,
  CASE WHEN error_code IS NULL THEN 0 ELSE 1 END AS refused
FROM assumptions
WHERE who = 'others' AND event_time >= (SELECT max(since) FROM settings)
ORDER BY refused, event_time, event_id
LIMIT 1000
