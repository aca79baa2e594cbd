SELECT
  *,
  coalesce(
    issuer_arn,
    identity_arn,
    invoked_by,
    identity_account || '/' || identity_id,
    identity_account,
    identity_id,
    'unknown'
  ) AS principal,
  CASE
    WHEN identity_type = 'AssumedRole' THEN 'role'
    WHEN identity_type = 'IAMUser' THEN 'user'
    WHEN identity_type = 'Root' THEN 'root'
    WHEN identity_type = 'AWSService' THEN 'service'
    WHEN identity_type = 'AWSAccount' THEN 'account'
    WHEN identity_type IN (
      'FederatedUser', 'SAMLUser', 'WebIdentityUser', 'IdentityCenterUser', 'Directory'
    ) THEN 'federated'
    ELSE 'unknown'
  END AS kind
FROM (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY event_id
      ORDER BY event_time, event_name, region, source
    ) AS copy
  FROM events
) AS numbered
WHERE copy = 1
