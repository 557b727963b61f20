"""The rule of a request that waits, as EventBridge is asked for it."""

from unittest.mock import Mock

import pytest

from cdk_healthomics_handler.schedule import Schedule
from tests.events import PROPERTIES, new_request, new_run


@pytest.mark.parametrize("tags", [{}, {"cost-center": "42"}], ids=["none", "some"])
def test_it_carries_the_tags_of_the_run_without_ours_whatever_the_request_tells(tags: dict[str, str]) -> None:
    """A link's properties have no tags: it is told its run."""
    run = new_run(of=new_request("Create", {**PROPERTIES, "Tags": tags}))
    client = Mock()
    client.put_targets.return_value = {}
    Schedule(client).put(new_request(), run)
    assert client.put_rule.call_args.kwargs["Tags"] == [{"Key": key, "Value": value} for key, value in tags.items()]
