"""crhelper, hardened: the one place that answers CloudFormation.

What is changed, and why (read in crhelper 2.0.12): it makes three clients that most requests never use; its sender
ignores the HTTP status, has no time-out and tries for ever; it keeps only the end of a reason; when the time is over it
answers without the id of the run that was started; state of one event survives to the next in a warm function. Of its
polling the frame is kept; what goes into EventBridge is in :mod:`schedule`: crhelper's puts the whole event there,
names rules so that long logical ids fail, polls what is done, and leaves rules and permissions behind.
"""

import os
import ssl
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from types import ModuleType
from typing import Any, Final

import urllib3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import ProxyConfiguration
from botocore.utils import get_environ_proxies

# crhelper imports boto3 for clients that are not made here: a tenth of a cold start.
_STAND_IN: Final = ModuleType("boto3")
sys.modules.setdefault(_STAND_IN.__name__, _STAND_IN)

from crhelper import FAILED, CfnResource

if sys.modules[_STAND_IN.__name__] is _STAND_IN:
    del sys.modules[_STAND_IN.__name__]
from cdk_healthomics_handler import journal
from cdk_healthomics_handler.actions import Outcome, Silence
from cdk_healthomics_handler.event import POLL, UNSETTLED, Request
from cdk_healthomics_handler.pace import age
from cdk_healthomics_handler.reason import as_json, cut
from cdk_healthomics_handler.response_url import host
from cdk_healthomics_handler.run import Run
from cdk_healthomics_handler.schedule import Schedule

LONGEST_ANSWER: Final = 4096
"""Bytes; CloudFormation refuses a longer body."""
LAST_CALL: Final = 8.0
"""Seconds before the function's end at which an unanswered event is answered with FAILED."""
_SAM_LOCAL: Final = "AWS_SAM_LOCAL"
TIMEOUT: Final = urllib3.Timeout(connect=2, read=5)
"""Seconds; each of the addresses that S3's name has may take the first. In the region it takes milliseconds."""
RETRIES: Final = urllib3.Retry(
    total=6,
    connect=2,  # and five reads: so few that it takes less than a minute to tell that there is no way to S3
    read=5,
    backoff_factor=0.5,
    backoff_jitter=0.5,
    backoff_max=5,
    status_forcelist=frozenset({408, 429, 500, 502, 503, 504}),
    allowed_methods=frozenset({"PUT"}),
    raise_on_status=False,
    respect_retry_after_header=False,
)
_OK: Final = range(200, 300)


class AnswerNotDeliveredError(RuntimeError):
    """CloudFormation has not taken the answer: raised so that Lambda delivers the event again."""


class NotCloudFormationsError(RuntimeError):
    """An event's answer would go elsewhere: raised so that it is counted, and reaches the function's destinations."""


class HealthOmicsRunResource(CfnResource):
    """One event at a time, answered once.

    Args:
        schedule: gives the EventBridge calls, where a run was waited for.
        is_cloudformations: tells whether an answer may be sent to a URL.
    """

    _event: dict[str, Any]
    _context: Any
    _silent: Silence | None

    def __init__(self, schedule: Callable[[], Schedule], is_cloudformations: Callable[[str], bool]) -> None:
        self._schedule = schedule
        self._is_cloudformations = is_cloudformations
        # With this variable set crhelper makes no clients; nothing else of it is wanted.
        inherited = os.environ.get(_SAM_LOCAL)
        os.environ[_SAM_LOCAL] = "true"
        try:
            super().__init__(json_logging=True, log_level="INFO", boto_level="ERROR", sleep_on_delete=0)
        finally:
            del os.environ[_SAM_LOCAL]
            if inherited is not None:
                os.environ[_SAM_LOCAL] = inherited
        self._sam_local = None
        self._answering = threading.Lock()
        self._forget()

    def __call__(self, event: dict[str, Any], context: Any) -> None:
        """Work on an event and answer it.

        Raises:
            AnswerNotDeliveredError: CloudFormation has not taken the answer.
            NotCloudFormationsError: the answer would go elsewhere; nothing was done.
        """
        self._forget()
        url = str(event.get("ResponseURL", ""))
        if not self._is_cloudformations(url):
            journal.refused_event(host(url))
            raise NotCloudFormationsError("The event's ResponseURL is not CloudFormation's: nothing was done.")
        super().__call__(event, context)
        with self._answering:
            undelivered = self._undelivered
        self._stop_polling(undelivered)
        if undelivered:
            raise AnswerNotDeliveredError(undelivered)

    def remember(self, run: Run) -> bool:
        """Whatever happens from here on, the answer names this run; returns whether one has been sent already."""
        self.PhysicalResourceId = str(run.physical_id)
        return self._answered

    def take(self, answer: Outcome) -> str | None:
        """Make the decision's answer the one that is sent; returns the physical id, as crhelper wants it."""
        if isinstance(answer, Silence):
            self._silent = answer
            return None
        if answer.succeeded:
            self.Data.update(answer.attributes)
        else:
            self.fail(answer.why)
        return answer.physical_id

    def fail(self, reason: str) -> None:
        """Make the answer FAILED."""
        self.Status = FAILED
        self.Reason = reason

    def generate_physical_id(self, event: Mapping[str, Any]) -> str:
        """Make up the id of a Create that was cut short: never ``<run id>/<uuid>``, the same for each delivery."""
        return Request.of(event).link_id or f"{UNSETTLED}{event['RequestId']}"

    def _forget(self) -> None:
        """Let nothing of an earlier event reach this one's answer."""
        self._response_url = ""
        self.PhysicalResourceId = ""
        self.NoEcho = False
        self._answered = False
        self._undelivered = ""
        self._silent = None

    def _poll_enabled(self) -> bool:
        """Whether this invocation answers nothing; crhelper would poll for every request, even one that is done."""
        return self._silent is not None

    def _polling_init(self, event: Mapping[str, Any]) -> None:
        """The rule is in place already: where it was put, refused calls are tried again."""

    def _stop_polling(self, undelivered: str) -> None:
        """After the last look the rule goes, and not before: until then EventBridge makes good for a crash."""
        if POLL not in self._event or self._silent:
            return
        request = Request.of(self._event)
        if undelivered and age(request.sent_at, datetime.now(UTC)) < request.service_timeout:
            return  # the next look answers again
        try:
            self._schedule().remove(request)
        except (ClientError, BotoCoreError) as error:
            journal.left_behind(error)  # until the next look

    def _set_timeout(self) -> None:
        left = self._context.get_remaining_time_in_millis() / 1000
        self._timer = threading.Timer(max(0.0, left - LAST_CALL), self._timeout)
        self._timer.daemon = True
        self._timer.start()

    def _timeout(self) -> None:
        if not self.PhysicalResourceId:
            self.PhysicalResourceId = self._event.get("PhysicalResourceId") or self.generate_physical_id(self._event)
        self._send(FAILED, "The function's time was over before the request could be finished.")

    def _send(self, status: str | None = None, reason: str = "", send_response: Any = None) -> None:  # noqa: ARG002
        """Answer, once for each event: the first answer stands, even where it could not be delivered."""
        with self._answering:
            if self._answered or not self._response_url:
                return
            self._answered = True
            body = answer_body(
                {
                    "Status": status or self.Status,
                    "PhysicalResourceId": str(self.PhysicalResourceId),
                    "StackId": self.StackId,
                    "RequestId": self.RequestId,
                    "LogicalResourceId": self.LogicalResourceId,
                    "NoEcho": self.NoEcho,
                    "Data": {} if status == FAILED else self.Data,
                },
                reason if status else self.Reason,
            )
            self._undelivered = self._put(body)
            journal.answered(status or self.Status, self._undelivered)

    def _put(self, body: bytes) -> str:
        """Send the answer; returns why it was not delivered, or nothing. The URL is a credential: never shown."""
        try:
            # A presigned URL was signed without a content type.
            response = _way_to(self._response_url).request(
                "PUT",
                self._response_url,
                body=body,
                headers={"content-type": ""},
                timeout=TIMEOUT,
                retries=RETRIES,
                redirect=False,  # to CloudFormation's host and no other
            )
        except urllib3.exceptions.HTTPError as error:
            why = type(getattr(error, "reason", None) or error).__name__
            return f"CloudFormation's answer URL at {host(self._response_url)} could not be reached: {why}"
        told = f"said HTTP {response.status}"
        return "" if response.status in _OK else f"CloudFormation's answer URL at {host(self._response_url)} {told}"


def _way_to(url: str) -> urllib3.PoolManager:
    """The connections to a URL, as botocore's go: through the proxy of HTTPS_PROXY, but for the hosts of NO_PROXY."""
    return _connections(ProxyConfiguration(get_environ_proxies(url)).proxy_url_for(url))


@cache
def _connections(proxy: str | None) -> urllib3.PoolManager:
    tls = ssl.create_default_context()
    if proxy is None:
        return urllib3.PoolManager(ssl_context=tls)
    return urllib3.ProxyManager(proxy, ssl_context=tls, proxy_headers=ProxyConfiguration().proxy_headers_for(proxy))


def answer_body(fields: Mapping[str, Any], reason: str) -> bytes:
    """The answer's body; of a reason that is too long it keeps the beginning."""
    room = LONGEST_ANSWER - len(as_json({**fields, "Reason": ""}))
    return as_json({**fields, "Reason": cut(reason, room)})
