"""The evidence pack: what an auditor sees of a key, with a manifest that can be signed."""
