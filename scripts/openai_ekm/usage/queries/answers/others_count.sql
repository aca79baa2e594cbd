SELECT
  count(*) AS calls,
  sum(CASE WHEN error_code IS NULL THEN 1 ELSE 0 END) AS succeeded
FROM (
  SELECT error_code FROM calls WHERE who = 'others'
  UNION ALL
  SELECT error_code
  FROM assumptions
  WHERE who = 'others' AND event_time >= (SELECT max(since) FROM settings)
) AS all_of_them
