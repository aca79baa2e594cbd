SELECT
  {event}
FROM refused_unnamed
ORDER BY event_time, event_id
LIMIT 1000
