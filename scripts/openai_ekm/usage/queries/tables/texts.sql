SELECT kind, text
FROM named
UNION
SELECT 'key' AS kind, r.key_arns AS text
FROM records AS r
CROSS JOIN settings AS s
JOIN named AS n
  ON (n.kind = 'alias' AND r.named_key = n.text)
  OR (
    n.kind = 'alias_name'
    AND r.named_key = n.text
    AND r.region = s.key_region
    AND r.identity_account = s.key_account
  )
  OR (n.kind = 'replica' AND r.key_arns LIKE n.text)
WHERE r.event_source = 'kms.amazonaws.com'
  AND r.key_arns IS NOT NULL
  AND strpos(r.key_arns, ' ') = 0
