"""OpenAI's calls to AWS: what is known about them, and what is not.

Diagnosis, proof and emulator all use this package.
"""
