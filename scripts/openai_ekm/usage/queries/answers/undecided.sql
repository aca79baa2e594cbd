SELECT
  {event}
FROM calls
WHERE who = 'undecided'
ORDER BY event_time, event_id
LIMIT 1000
