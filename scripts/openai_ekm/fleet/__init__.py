"""Many registrations in one run: one list for all of them, one pace, a budget in advance."""
