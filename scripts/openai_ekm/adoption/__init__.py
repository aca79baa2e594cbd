"""A set-up made by hand, or with another tool, taken under record and module; nothing is made."""
