SELECT
  {columns},
  count(*) AS calls,
  sum(CASE WHEN error_code IS NOT NULL THEN 1 ELSE 0 END) AS failed,
  sum(CASE WHEN who = 'openai' THEN 1 ELSE 0 END) AS openai,
  sum(CASE WHEN who = 'others' THEN 1 ELSE 0 END) AS others,
  sum(CASE WHEN who = 'undecided' THEN 1 ELSE 0 END) AS undecided,
  min(event_time) AS first,
  max(event_time) AS last
FROM calls
GROUP BY {group}
ORDER BY {order}
