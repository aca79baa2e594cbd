SELECT
  count(*) AS calls,
  sum(CASE WHEN error_code IS NOT NULL THEN 1 ELSE 0 END) AS failed,
  min(CASE WHEN error_code IS NULL THEN event_time END) AS first_use,
  max(CASE WHEN error_code IS NULL THEN event_time END) AS last_use,
  max(CASE WHEN error_code IS NOT NULL THEN event_time END) AS last_failure
FROM calls
WHERE who = 'openai'
