"""Python imports this at its start where its folder is on PYTHONPATH: names beyond loopback are then not found.

What pytest-socket is to the tests themselves: a client that asks an address of AWS's own must not reach it.
"""

import ipaddress
import socket
from typing import Any

_get_address = socket.getaddrinfo


def _loopback_only(host: Any, *arguments: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    try:
        is_here = name in {None, "localhost"} or ipaddress.ip_address(name).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise socket.gaierror(socket.EAI_NONAME, f"{name}: tests reach loopback only")
    return _get_address(host, *arguments, **options)


socket.getaddrinfo = _loopback_only
