"""The suites. CONTRIBUTING.md says what belongs in which."""
