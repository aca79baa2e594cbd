WITH sessions AS (
  SELECT
    session_key_id,
    CASE WHEN min(who) = max(who) THEN min(who) ELSE 'undecided' END AS who
  FROM assumptions
  WHERE error_code IS NULL AND session_key_id IS NOT NULL
  GROUP BY session_key_id
),
names_of_sessions AS (
  SELECT
    session_id,
    CASE WHEN min(who) = max(who) THEN min(who) ELSE 'undecided' END AS who
  FROM assumptions
  WHERE error_code IS NULL AND session_id IS NOT NULL
  GROUP BY session_id
),
days_of_sessions AS (
  SELECT DISTINCT session_id, CAST(event_time AS DATE) AS day
  FROM assumptions
  WHERE error_code IS NULL AND session_id IS NOT NULL AND who = 'openai'
),
role_ids AS (
  SELECT substr(session_id, 1, strpos(session_id, ':')) AS role_id
  FROM assumptions
  WHERE session_id IS NOT NULL AND strpos(session_id, ':') > 0
  UNION
  SELECT r.issuer_id || ':' AS role_id
  FROM records AS r
  JOIN settings AS s ON lower(r.issuer_arn) = lower(s.role_arn)
  WHERE r.issuer_id IS NOT NULL
),
known AS (
  SELECT count(*) AS role_ids FROM role_ids
),
matched AS (
  SELECT
    r.*,
    row_number() OVER (
      PARTITION BY coalesce(r.shared_event_id, r.event_id)
      ORDER BY
        CASE WHEN r.identity_arn IS NULL THEN 1 ELSE 0 END,
        r.event_id
    ) AS account_copy
  FROM records AS r
  JOIN uses AS u ON r.event_name LIKE u.pattern
  CROSS JOIN settings AS s
  JOIN texts AS t
    ON (
      t.kind = 'key'
      AND (
        strpos(' ' || coalesce(r.key_arns, '') || ' ', ' ' || t.text || ' ') > 0
        OR strpos(coalesce(r.error_message, '') || ' ', t.text || ' ') > 0
        OR (r.key_arns IS NULL AND r.named_key = t.text)
      )
    )
    OR (t.kind = 'alias' AND r.named_key = t.text)
    OR (
      t.kind = 'alias_name'
      AND r.named_key = t.text
      AND r.region = s.key_region
      AND r.identity_account = s.key_account
    )
    OR (t.kind = 'key_id' AND r.key_arns IS NULL AND r.named_key = t.text)
    OR (
      t.kind = 'replica'
      AND (
        ' ' || coalesce(r.key_arns, '') || ' ' LIKE '% ' || t.text || ' %'
        OR (r.key_arns IS NULL AND r.named_key LIKE t.text)
      )
    )
    OR (
      t.kind = 'none'
      AND lower(r.issuer_arn) = lower(s.role_arn)
      AND r.error_code IS NOT NULL
      AND r.key_arns IS NULL
      AND r.named_key IS NULL
      AND strpos(coalesce(r.error_message, ''), 'arn:aws:kms:') = 0
    )
  WHERE r.event_source = 'kms.amazonaws.com' AND r.event_time >= s.since
)
SELECT
  m.*,
  CASE
    WHEN lower(m.issuer_arn) = lower(s.role_arn) THEN coalesce(by_key.who, 'undecided')
    WHEN m.identity_type = 'AWSAccount' AND m.identity_account = s.role_account THEN
      CASE
        WHEN by_name.who = 'openai' AND d.day IS NULL THEN 'undecided'
        WHEN by_name.who IS NOT NULL THEN by_name.who
        WHEN k.role_ids = 0 OR r.role_id IS NOT NULL THEN 'undecided'
        ELSE 'others'
      END
    ELSE 'others'
  END AS who
FROM matched AS m
CROSS JOIN settings AS s
CROSS JOIN known AS k
LEFT JOIN sessions AS by_key
  ON m.access_key_id = by_key.session_key_id
LEFT JOIN names_of_sessions AS by_name
  ON m.identity_id = by_name.session_id
LEFT JOIN days_of_sessions AS d
  ON m.identity_id = d.session_id
  AND CAST(m.event_time AS DATE) = d.day
LEFT JOIN role_ids AS r
  ON substr(m.identity_id, 1, strpos(m.identity_id, ':')) = r.role_id
WHERE m.account_copy = 1
