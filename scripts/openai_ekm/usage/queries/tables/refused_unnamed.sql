WITH unnamed AS (
  SELECT r.*
  FROM records AS r
  JOIN settings AS s
    ON r.recipient_account = s.key_account
    OR r.recipient_account = s.role_account
  WHERE r.event_time >= s.since
    AND r.error_code IS NOT NULL
    AND (r.issuer_arn IS NULL OR lower(r.issuer_arn) <> lower(s.role_arn))
    AND coalesce(r.key_arns, r.named_key, r.target_key, r.alias_name) IS NULL
    AND coalesce(r.role_name, r.role_arn) IS NULL
    AND strpos(coalesce(r.error_message, ''), 'arn:aws:kms:') = 0
    AND strpos(coalesce(r.error_message, ''), 'resource: arn:') = 0
    AND strpos(coalesce(r.error_message, ''), 'resource: role ') = 0
)
SELECT u.*
FROM unnamed AS u
JOIN watched AS w
  ON u.event_source = w.event_source
  AND u.event_name = w.event_name
  AND w.subject IN ('key', 'role')
UNION
SELECT u.*
FROM unnamed AS u
JOIN uses AS p ON u.event_name LIKE p.pattern
WHERE u.event_source = 'kms.amazonaws.com'
UNION
SELECT u.*
FROM unnamed AS u
WHERE u.event_source = 'sts.amazonaws.com' AND u.event_name LIKE 'AssumeRole%'
