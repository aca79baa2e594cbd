SELECT DISTINCT text AS key_arn
FROM texts
WHERE kind = 'key'
ORDER BY text
