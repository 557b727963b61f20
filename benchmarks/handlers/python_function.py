"""A Python function as a process of its own: an event a line on standard input, what the handler returns a line out.

    python python_function.py MODULE

Imports as little as it can itself: what is measured is the function's.
"""

import importlib
import json
import sys
import time


class Context:
    """Lambda's context."""

    function_name = "provider"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:provider"
    memory_limit_in_mb = 256
    aws_request_id = "lambda-request"

    def __init__(self) -> None:
        self._end = time.monotonic() + 900

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's end."""
        return int((self._end - time.monotonic()) * 1000)


handler = importlib.import_module(sys.argv[1]).handler
for line in sys.stdin:
    returned = handler(json.loads(line), Context())
    sys.stdout.write(json.dumps(returned) + "\n")
    sys.stdout.flush()
