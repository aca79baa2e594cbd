SELECT
  a.region AS region,
  count(*) AS calls,
  min(a.event_time) AS first,
  max(a.event_time) AS last
FROM assumptions AS a
JOIN settings AS s ON a.event_time >= s.since
WHERE a.who = 'openai' AND a.error_code IS NULL
GROUP BY a.region
ORDER BY a.region
