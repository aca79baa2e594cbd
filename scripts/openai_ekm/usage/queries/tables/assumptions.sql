SELECT *
FROM (
  SELECT
    r.*,
    CASE
      WHEN r.identity_account = s.openai_account THEN 'openai'
      ELSE 'others'
    END AS who,
    row_number() OVER (
      PARTITION BY coalesce(r.shared_event_id, r.event_id)
      ORDER BY
        CASE WHEN r.identity_arn IS NULL THEN 1 ELSE 0 END,
        r.event_id
    ) AS account_copy
  FROM records AS r
  CROSS JOIN settings AS s
  WHERE r.event_source = 'sts.amazonaws.com'
    AND r.event_name LIKE 'AssumeRole%'
    AND (
      lower(r.role_arn) = lower(s.role_arn)
      OR strpos(coalesce(r.error_message, '') || ' ', s.role_arn || ' ') > 0
    )
) AS told
WHERE account_copy = 1
