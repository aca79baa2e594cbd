"""Events of the key, the role and the monitoring, each with the watches that must see it."""
