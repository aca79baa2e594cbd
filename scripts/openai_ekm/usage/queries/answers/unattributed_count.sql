SELECT count(*) AS calls FROM refused_unnamed
