SELECT
  CAST(event_time AS DATE) AS day,
  count(*) AS calls,
  sum(CASE WHEN error_code IS NOT NULL THEN 1 ELSE 0 END) AS failed,
  sum(CASE WHEN who = 'openai' THEN 1 ELSE 0 END) AS openai,
  sum(CASE WHEN who = 'others' THEN 1 ELSE 0 END) AS others,
  sum(CASE WHEN who = 'undecided' THEN 1 ELSE 0 END) AS undecided
FROM calls
GROUP BY CAST(event_time AS DATE)
ORDER BY CAST(event_time AS DATE)
