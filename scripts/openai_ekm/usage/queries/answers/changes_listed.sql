SELECT
  watch,
  {event},
  CASE WHEN watch = 'role-used-otherwise' THEN 1 ELSE 0 END AS behind_the_others
FROM changes
ORDER BY behind_the_others, event_time, event_id, watch
LIMIT 1000
