"""The emulator, held to OpenAI's contract and to OpenAI's own SDK."""
