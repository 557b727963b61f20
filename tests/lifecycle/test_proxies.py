"""A function whose way out is a proxy (HTTPS_PROXY), with real TLS through it; its answer goes the same way."""

import ssl
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from local_aws.loopback import serving
from local_aws.process import pointed_at
from tests.lifecycle.processes import Function, Outcome
from tests.lifecycle.proxy import Proxy, proxying
from tests.lifecycle.stage import Stage

WORD = "Basic " + b64encode(b"somebody:word").decode()


@dataclass
class Behind:
    """A function behind a proxy; ``aws`` and ``ear`` are where it finds AWS and CloudFormation's ear."""

    stage: Stage
    proxy: Proxy
    aws: str
    ear: str
    trusted: dict[str, str]

    def create(self, **variables: str) -> tuple[dict[str, Any], Outcome]:
        """A Create of a function with such variables; the event, and how it ended."""
        event = self.stage.event("Create")
        path = event["ResponseURL"].removeprefix(self.stage.url)
        event["ResponseURL"] = f"https://{self.ear}{path}&X-Amz-Signature=secret"
        environment = {**pointed_at(f"https://{self.aws}"), **self.trusted, "HTTPS_PROXY": self.proxy.url, **variables}
        with Function(environment, reachable=2.5) as function:
            return event, function.invoke(event)


@pytest.fixture
def behind(stage: Stage, tmp_path: Path) -> Iterator[Behind]:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trusted = dict.fromkeys(("AWS_CA_BUNDLE", "SSL_CERT_FILE"), str(tmp_path / "ca.pem"))
    with serving(stage.cloudformation.route, stage.service.handle, tls=tls) as url, proxying() as proxy:
        address = url.removeprefix("https://")
        yield Behind(stage, proxy, address, address.replace("127.0.0.1", "localhost"), trusted)


def test_calls_and_answer_go_through_the_proxy_with_its_password(behind: Behind) -> None:
    event, outcome = behind.create()
    assert outcome.error is None
    assert behind.stage.answer(event)["Status"] == "SUCCESS"
    assert set(behind.proxy.asked) == {(behind.aws, WORD), (behind.ear, WORD)}
    assert "word" not in outcome.log


def test_the_hosts_of_no_proxy_are_reached_without_it(behind: Behind) -> None:
    event, outcome = behind.create(NO_PROXY="localhost")
    assert outcome.error is None
    assert behind.stage.answer(event)["Status"] == "SUCCESS"
    assert {host for host, _ in behind.proxy.asked} == {behind.aws}


def test_a_proxy_that_lets_nothing_through_is_named_without_its_password(behind: Behind) -> None:
    behind.proxy.denies = True
    event, _ = behind.create(NO_PROXY="localhost")
    answer = behind.stage.answer(event)
    assert answer["Status"] == "FAILED"
    assert "proxy" in answer["Reason"]
    assert behind.proxy.url.rpartition("@")[2] in answer["Reason"]
    assert "word" not in answer["Reason"]
    assert answer["PhysicalResourceId"].startswith("none-")


def test_an_answer_that_the_proxy_does_not_let_through_is_told_in_the_log(behind: Behind) -> None:
    behind.proxy.denies = True
    _, outcome = behind.create(NO_PROXY="127.0.0.1")
    assert outcome.error
    assert "CloudFormation's answer URL at localhost could not be reached: ProxyError" in outcome.error
    assert not {"word", "secret"} & set((outcome.error + outcome.log).replace(":", " ").split())
    assert len(behind.stage.service.active()) == 1
