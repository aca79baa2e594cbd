"""Schedules of mishaps: what fails, and how each run must end."""
