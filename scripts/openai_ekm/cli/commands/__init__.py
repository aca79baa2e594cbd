"""Every verb of `ekm` with its options: only what `--help` needs.

Each verb has a module of `openai_ekm.cli` for its work, which is imported when the verb runs.
"""
