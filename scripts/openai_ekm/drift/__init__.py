"""The comparison of what is with what was meant: in AWS by meaning, at OpenAI by the record.

`compare` is pure. `read_aws` and `read_openai` read; neither changes anything.
"""
