"""Numbers of the Admin API client: each with its unit and its reason.

Sources: docs/reference/openai-api.md#lists (page size), docs/reference/openai-api.md#retries (what
OpenAI's SDKs and its Terraform provider do).
"""

from __future__ import annotations

from typing import Final

DEFAULT_BASE_URL: Final = "https://api.openai.com/v1"

CONNECT_TIMEOUT: Final = 10.0  # seconds; a host that does not answer by then is not there
READ_TIMEOUT: Final = 60.0  # seconds between bytes; create and validate call AWS on the way
CALL_TIMEOUT: Final = 80.0  # seconds for one call, from the name to the last byte; below a lease
MOST_BYTES: Final = 32 * 1024 * 1024  # bytes of one answer; OpenAI's provider refuses more
MOST_BYTES_AROUND: Final = 1024 * 1024  # bytes beside a body: headers, lengths of chunks
MOST_CHARACTERS: Final = 2000  # of one text of OpenAI's, such as a message; AWS's have 1000

MOST_ATTEMPTS: Final = 5  # one and four repeats, as OpenAI's provider does for GET
FIRST_DELAY: Final = 0.5  # seconds before the first repeat, doubling, as in OpenAI's SDKs
LONGEST_DELAY: Final = 8.0  # seconds between two repeats, as in OpenAI's SDKs
FIRST_RATE_DELAY: Final = 5.0  # seconds after a 429 without Retry-After, doubling
LONGEST_RATE_DELAY: Final = 60.0  # seconds; a limit by the minute has recovered by then
LONGEST_RETRY_AFTER: Final = 120.0  # seconds; a longer Retry-After is told, not waited for
JITTER: Final = 0.25  # share of a delay that is random, so that processes do not march in step

PAGE_SIZE: Final = 100  # items, the largest that both lists accept
MOST_PAGES: Final = 1000  # of one list, as OpenAI's provider

CALLS_PER_MINUTE: Final = 7  # a minute and endpoint; 7 to 10 have been seen to pass
WINDOW: Final = 60.0  # seconds over which OpenAI counts calls
WINDOW_MARGIN: Final = 2.0  # seconds more, since calls do not all travel for the same time
TELL_AFTER: Final = 2.0  # seconds; a longer wait is announced on stderr
