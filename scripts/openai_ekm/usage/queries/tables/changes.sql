WITH found AS (
  SELECT r.*, w.watch AS watch
  FROM records AS r
  CROSS JOIN settings AS s
  JOIN watched AS w
    ON r.event_source = w.event_source
    AND r.event_name = w.event_name
    AND w.refused = CASE WHEN r.error_code IS NULL THEN 0 ELSE 1 END
  JOIN texts AS t
    ON (
      w.subject = 'key'
      AND t.kind = 'key'
      AND (
        strpos(' ' || coalesce(r.key_arns, '') || ' ', ' ' || t.text || ' ') > 0
        OR strpos(coalesce(r.error_message, '') || ' ', t.text || ' ') > 0
        OR r.named_key = t.text
        OR r.target_key = t.text
      )
    )
    OR (
      w.subject = 'key'
      AND t.kind IN ('alias', 'key_id')
      AND (r.named_key = t.text OR r.target_key = t.text)
    )
    OR (
      w.subject = 'key'
      AND t.kind = 'replica'
      AND (
        ' ' || coalesce(r.key_arns, '') || ' ' LIKE '% ' || t.text || ' %'
        OR r.named_key LIKE t.text
        OR r.target_key LIKE t.text
      )
    )
    OR (
      w.subject = 'key'
      AND t.kind = 'alias_name'
      AND r.alias_name = t.text
      AND r.region = s.key_region
      AND r.recipient_account = s.key_account
    )
    OR (
      w.subject = 'role'
      AND t.kind = 'none'
      AND (
        (lower(r.role_name) = lower(s.role_name) AND r.recipient_account = s.role_account)
        OR strpos(coalesce(r.error_message, '') || ' ', s.role_arn || ' ') > 0
        OR strpos(coalesce(r.error_message, '') || ' ', ' role ' || s.role_name || ' ') > 0
      )
    )
    OR (w.subject = 'trail' AND t.kind = 'none')
  WHERE r.event_time >= s.since
  UNION ALL
  SELECT r.*, 'role-used-otherwise' AS watch
  FROM records AS r
  JOIN settings AS s ON lower(r.issuer_arn) = lower(s.role_arn) AND r.event_time >= s.since
  LEFT JOIN calls AS c ON r.event_id = c.event_id
  WHERE c.event_id IS NULL
),
numbered AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY coalesce(shared_event_id, event_id), watch
      ORDER BY
        CASE WHEN identity_arn IS NULL THEN 1 ELSE 0 END,
        event_id
    ) AS account_copy
  FROM found
)
SELECT * FROM numbered WHERE account_copy = 1
