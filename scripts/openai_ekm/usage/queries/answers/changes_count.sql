SELECT count(*) AS calls FROM changes
