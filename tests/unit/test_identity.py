"""What a run is known by, and what an event asks for: pure."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdk_healthomics_handler import identity
from cdk_healthomics_handler.event import PhysicalId, Request
from cdk_healthomics_handler.mark import Did, Mark
from cdk_healthomics_handler.start_run import names
from tests.events import (
    LOGICAL_ID,
    MEMBERS,
    NOW,
    PROPERTIES,
    REQUEST_ID,
    STACK_ID,
    new_event,
    new_request,
    wanted,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class TestToken:
    def test_it_is_made_of_stack_name_logical_id_and_request_id(self) -> None:
        assert wanted(new_request()).token == "Genomes/VariantCalling4F2A/11111111-2222-4333-8444-555555555555"

    def test_the_same_event_has_the_same_token_and_another_request_has_another(self) -> None:
        assert wanted(new_request()).token == wanted(new_request()).token
        assert wanted(new_request()).token != wanted(new_request(RequestId="another")).token

    def test_stacks_and_resources_do_not_share_tokens(self) -> None:
        other_stack = new_request(StackId=STACK_ID.replace("Genomes", "Exomes"))
        other_resource = new_request(LogicalResourceId="Another")
        tokens = {wanted(request).token for request in (new_request(), other_stack, other_resource)}
        assert len(tokens) == 3

    @given(logical_id=st.text("abcXYZ019", min_size=1, max_size=255), request_id=st.uuids())
    def test_a_long_one_fits_and_keeps_its_readable_beginning(self, logical_id: str, request_id: object) -> None:
        request = new_request(LogicalResourceId=logical_id, RequestId=str(request_id))
        token = wanted(request).token
        assert len(token) <= MEMBERS["requestId"].metadata["max"]
        assert token.startswith(f"Genomes/{logical_id}"[:95])

    def test_long_ones_that_differ_at_the_end_differ(self) -> None:
        one, other = (wanted(new_request(LogicalResourceId="x" * 255, RequestId=end)).token for end in "ab")
        assert one != other


class TestDefinition:
    def test_tags_and_token_do_not_define_a_run(self) -> None:
        tagged = new_request("Update", {**PROPERTIES, "Tags": {"a": "b"}}, RequestId="another")
        assert wanted(tagged).definition == wanted(new_request()).definition

    @pytest.mark.parametrize(
        "change",
        [
            {"WorkflowId": "7654321"},
            {"RoleArn": "arn:aws:iam::123456789012:role/other"},
            {"Parameters": '{"sample_name":"NA12878","scatter":24.0}'},
            {"Parameters": '{"sample_name":"NA12878","scatter":"24"}'},
            {"StorageCapacity": "1200"},
            {"Name": "named"},
            {"RerunTrigger": "1"},
        ],
        ids=json.dumps,
    )
    def test_everything_else_does(self, change: dict[str, str]) -> None:
        assert wanted(new_request(properties={**PROPERTIES, **change})).definition != wanted(new_request()).definition

    def test_how_a_document_is_written_does_not_matter(self) -> None:
        rewritten = {**PROPERTIES, "Parameters": '{ "scatter": 24, "sample_name": "NA12878" }'}
        assert wanted(new_request(properties=rewritten)).definition == wanted(new_request()).definition

    def test_a_name_that_nobody_asked_for_does_not(self) -> None:
        moved = new_request(LogicalResourceId="Moved")
        assert wanted(moved).start_run["name"] != wanted(new_request()).start_run["name"]
        assert wanted(moved).definition == wanted(new_request()).definition

    def test_its_version_tells_which_definitions_can_be_compared(self) -> None:
        assert identity.comparable(wanted(new_request()).definition)
        assert not identity.comparable("0a1b2c")

    def test_waiting_and_removal_do_not_define_a_run(self) -> None:
        other = {**PROPERTIES, "RemovalPolicy": "Retain", "ServiceTimeout": "60"}
        assert wanted(new_request(properties=other)).definition == wanted(new_request()).definition


class TestRecasting:
    @given(document=st.dictionaries(st.text(), JSON))
    def test_parameters_arrive_as_they_were_written(self, document: dict[str, Any]) -> None:
        request = new_request(properties={**PROPERTIES, "Parameters": json.dumps(document)})
        arrived = wanted(request).start_run["parameters"]
        assert json.dumps(arrived) == json.dumps(document)

    def test_whole_numbers_above_2_to_the_53_are_exact(self) -> None:
        request = new_request(properties={**PROPERTIES, "Parameters": '{"seed":9007199254740993,"half":1.0,"no":null}'})
        assert json.dumps(wanted(request).start_run["parameters"]) == (
            '{"seed": 9007199254740993, "half": 1.0, "no": null}'
        )

    def test_numbers_get_their_type_back(self) -> None:
        request = new_request(properties={**PROPERTIES, "Priority": "5", "StorageCapacity": "1200"})
        start_run = wanted(request).start_run
        assert (start_run["priority"], start_run["storageCapacity"]) == (5, 1200)

    @pytest.mark.parametrize("written", ["true", "false"])
    def test_truth_values_get_their_type_back(self, written: str) -> None:
        request = new_request(properties={**PROPERTIES, "RequesterPaysEnabled": written})
        assert wanted(request).start_run["requesterPaysEnabled"] is json.loads(written)

    def test_text_that_looks_like_a_number_stays_text(self) -> None:
        assert wanted(new_request()).start_run["workflowId"] == "1234567"

    def test_absent_properties_are_absent_members(self) -> None:
        given_members = {"workflowId", "roleArn", "outputUri", "parameters"}
        assert wanted(new_request()).start_run.keys() == given_members | {"name", "requestId", "tags"}

    @pytest.mark.parametrize(
        ("properties", "message"),
        [
            ({"Priority": "high"}, "Priority: must be a whole number (ValueError)."),
            ({"RequesterPaysEnabled": "yes"}, "RequesterPaysEnabled: must be true or false (KeyError)."),
            ({"Parameters": "{"}, "Parameters: must be one JSON document, as a string (JSONDecodeError)."),
            ({"Parameters": {"a": "1"}}, "Parameters: must be one JSON document, as a string (TypeError)."),
        ],
    )
    def test_a_property_of_the_wrong_type_is_named_without_its_value(
        self, properties: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ValueError, match=r".") as error:
            wanted(new_request(properties={**PROPERTIES, **properties}))
        assert str(error.value) == message

    @pytest.mark.parametrize("wait_for", ["completed", "DONE", ""])
    def test_what_nobody_can_wait_for_is_refused_before_anything_is_started(self, wait_for: str) -> None:
        with pytest.raises(ValueError, match=r".") as error:
            wanted(new_request(properties={**PROPERTIES, "WaitFor": wait_for}))
        assert str(error.value) == f"WaitFor was {wait_for!r}: must be one of SUBMITTED, RUNNING, COMPLETED."

    def test_a_property_that_this_version_does_not_know_is_refused_not_dropped(self) -> None:
        with pytest.raises(ValueError, match=r".") as error:
            wanted(new_request(properties={**PROPERTIES, "Telescope": "1"}))
        assert str(error.value) == (
            "Telescope: not a property of this resource. The function and the stack's template were made by different "
            "versions of cdk-healthomics; deploy the stack again with one of them."
        )


class TestTagsAndNames:
    def test_a_run_carries_the_users_tags_and_ours(self) -> None:
        request = new_request(properties={**PROPERTIES, "Tags": {"project": "1000G"}})
        asked = wanted(request)
        assert asked.tags == {
            "project": "1000G",
            "cdk-healthomics:stack-id": STACK_ID,
            "cdk-healthomics:logical-id": LOGICAL_ID,
            "cdk-healthomics:request-id": asked.token,
            "cdk-healthomics:definition": asked.definition,
            "cdk-healthomics:newest-request": f"2026-11-23T12:00:00Z started SUBMITTED {REQUEST_ID}",
        }

    def test_a_run_without_a_name_is_named_after_stack_and_logical_id(self) -> None:
        assert wanted(new_request()).start_run["name"] == "Genomes-VariantCalling4F2A"

    def test_a_long_name_fits(self) -> None:
        name = wanted(new_request(LogicalResourceId="x" * 255)).start_run["name"]
        assert len(name) == MEMBERS["name"].metadata["max"]

    def test_new_and_old_names_are_searched(self) -> None:
        request = new_request("Update", {**PROPERTIES, "Name": "new"}, OldResourceProperties=dict(PROPERTIES))
        assert names(request, MEMBERS) == ("new", "Genomes-VariantCalling4F2A")
        assert names(new_request(), MEMBERS) == ("Genomes-VariantCalling4F2A",)


class TestEvent:
    @pytest.mark.parametrize(
        "text",
        ["", None, "Genomes_VariantCalling_A1B2", "1234567", "1234567/", "/uuid", "Genomes/Logical/Request", "none-1"],
    )
    def test_an_id_that_is_not_ours_is_told_from_one_that_is(self, text: str | None) -> None:
        assert PhysicalId.parse(text) is None
        assert str(PhysicalId.parse("1234567/9ac0")) == "1234567/9ac0"

    def test_the_response_url_tells_when_the_request_was_sent(self) -> None:
        assert Request.of(new_event(signed_at=NOW)).sent_at == NOW

    @pytest.mark.parametrize(
        "query", ["", "?Expires=1510162268&Signature=x", "?X-Amz-Date=yesterday", "?X-Amz-Date=20261124T120000"]
    )
    def test_a_url_that_does_not_tell_is_no_error(self, query: str) -> None:
        assert Request.of(new_event(response_url="https://127.0.0.1/answer" + query)).sent_at is None

    def test_shortening_never_lengthens(self) -> None:
        assert identity.shortened("x" * 128, 128) == "x" * 128
        assert len(identity.shortened("x" * 129, 128)) == 128


class TestMarks:
    @given(name=st.text(min_size=0, max_size=128).filter(lambda text: text == text.strip()))
    def test_a_mark_comes_back_as_it_was_written_whatever_the_runs_name(self, name: str) -> None:
        mark = identity.mark(new_request("Update"), Did.REPLACES, name)
        assert Mark.parse(str(mark)) == mark
        assert len(str(mark)) <= 256

    @pytest.mark.parametrize(
        "text", ["", "somebody else's", "yesterday kept SUBMITTED 1", "2026-11-23T12:00:00Z ate X 1"]
    )
    def test_what_others_wrote_is_none(self, text: str) -> None:
        assert Mark.parse(text) is None
