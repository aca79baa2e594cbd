"""OpenAI's Admin API for Enterprise Key Management, emulated over HTTP for rehearsal."""
