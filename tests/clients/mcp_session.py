"""One session with the HealthOmics MCP server, over stdio as an agent has it: ``python mcp_session.py SERVER``.

It runs with the interpreter of the clients' environment and needs nothing of the tests. Each line of its input is a
call, ``{"tool": …, "arguments": …}``, each line of its output what was answered; the first one lists the tools.
"""

import asyncio
import json
import os
import sys
from typing import Any

from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client


async def _talk(server: str) -> None:
    parameters = StdioServerParameters(command=server, env=dict(os.environ))
    async with stdio_client(parameters) as (receive, send), ClientSession(receive, send) as session:
        await session.initialize()
        tools = await session.list_tools()
        _say([tool.name for tool in tools.tools])
        while line := await asyncio.to_thread(sys.stdin.readline):
            call = json.loads(line)
            result: Any = await session.call_tool(call["tool"], call["arguments"])
            _say({"error": bool(result.is_error), "text": [each.text for each in result.content]})


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_talk(sys.argv[1]))
