"""What each verb prints as JSON, calls and leaves behind."""
