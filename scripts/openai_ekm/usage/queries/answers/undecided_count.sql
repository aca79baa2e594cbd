SELECT count(*) AS calls FROM calls WHERE who = 'undecided'
