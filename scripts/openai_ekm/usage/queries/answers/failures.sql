SELECT
  event_name AS operation,
  error_code AS code,
  who,
  count(*) AS calls,
  min(event_time) AS first,
  max(event_time) AS last,
  min(error_message) AS message
FROM calls
WHERE error_code IS NOT NULL
GROUP BY event_name, error_code, who
ORDER BY event_name, error_code, who
