"""Where an answer may go: to CloudFormation, whoever has sent the event. Pure.

Whoever may invoke the function can make up an event, so its ResponseURL is read as somebody else's text: by the parser
that will send the answer, and held against the one bucket that CloudFormation has in the function's own region. Under
that name customers allow it in their VPC endpoints' policies (User Guide, "Access CloudFormation using an interface
endpoint"), so it lasts; the way in which a URL names S3 may be any of S3's.
"""

import re
from collections.abc import Callable
from typing import Final

from urllib3.exceptions import HTTPError
from urllib3.util import Url, parse_url

_BUCKET: Final = "cloudformation-custom-resource-response-{}"
_S3: Final = r"s3(?:-fips|-external-1)?(?:\.dualstack)?(?:[.-]{})?"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


def host(url: str) -> str:
    """The host that a URL is sent to: no part of the credential that the URL is."""
    return _parsed(url).host or ""


def is_cloudformations(url: str, *, region: str, domain: Callable[[], str], endpoint: str) -> bool:
    """Whether an answer may be sent to a ResponseURL.

    Args:
        url: the event's.
        region: the function's, which is the stack's: CloudFormation asks no function of another.
        domain: gives the one under which the region's services are, such as ``amazonaws.com.cn``.
        endpoint: where the function was told to find AWS instead (``AWS_ENDPOINT_URL``), such as a local AWS; or
            nothing.
    """
    parsed, local = _parsed(url), _parsed(endpoint).host
    if local in _LOOPBACK and parsed.host in _LOOPBACK:
        return True
    if parsed.scheme != "https" or parsed.port not in {None, 443} or not parsed.host:
        return False
    bucket = _BUCKET.format(region.replace("-", ""))
    s3 = _S3.format(re.escape(region)) + re.escape(f".{domain()}")
    if re.fullmatch(s3, parsed.host):
        return (parsed.path or "").startswith(f"/{bucket}/")
    return re.fullmatch(re.escape(f"{bucket}.") + s3, parsed.host) is not None


def _parsed(url: str) -> Url:
    try:
        return parse_url(url)
    except HTTPError:
        return Url()
