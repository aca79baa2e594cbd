"""The kill switch rehearsed: cut OpenAI off from a key, see the refusal, give it back.

The protocol is pure (`revoke`, `restore`: generators of steps); `runner` and `aws` carry it out.
"""
