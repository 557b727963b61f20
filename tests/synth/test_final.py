"""What can be told of a run only when the app is final: roles' ARNs, and what a token of ``wait_for`` may become."""

from collections.abc import Callable
from typing import Any

import jsii
import pytest
from aws_cdk import CfnCondition, CfnParameter, Fn, IStableStringProducer, Lazy, Stack, aws_iam

from cdk_healthomics import HealthOmicsRun, RunRole, ValidationError
from tests.synth.synthesis import refusals

Declare = Callable[..., HealthOmicsRun]
LONGEST = 128
LONG_NAME = f"arn:aws:iam::123456789012:role/{'r' * 98}"


@jsii.implements(IStableStringProducer)
class Later:
    """A text that is known at synthesis only."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def produce(self) -> str | None:
        return self._text


class TestRole:
    def test_an_arn_that_start_run_does_not_take_is_refused(self, stack: Stack, declare: Declare) -> None:
        assert len(LONG_NAME) == LONGEST + 1
        with pytest.raises(ValidationError) as error:
            declare(role=aws_iam.Role.from_role_arn(stack, "Long", LONG_NAME))
        assert error.value.problems == [
            (
                f"role has the ARN {repr(LONG_NAME)[:79]}…, 129 characters long: must have at most 128 for StartRun; "
                "give the role a shorter name or path"
            )
        ]
        assert declare(role=aws_iam.Role.from_role_arn(stack, "Longest", LONG_NAME[:-1]))

    def test_what_is_not_known_of_an_arn_counts_as_the_least_that_it_can_be(
        self, stack: Stack, declare: Declare
    ) -> None:
        least = len("arn:aws:iam::123456789012:role/")
        with pytest.raises(ValidationError) as error:
            declare(role=aws_iam.Role.from_role_name(stack, "Long", "r" * (LONGEST + 1 - least)))
        assert error.value.problems == [
            (
                f"role has the ARN 'arn:…:iam::…:role/{'r' * 60}…, at least 129 characters long: must have at most 128 "
                "for StartRun; give the role a shorter name or path"
            )
        ]
        declare(role=aws_iam.Role.from_role_name(stack, "Longest", "r" * (LONGEST - least)))
        declare(
            "Unknown", role=aws_iam.Role.from_role_name(stack, "Named", CfnParameter(stack, "Name").value_as_string)
        )
        assert refusals(stack) == []

    @pytest.mark.parametrize(("letters", "fits"), [(34, True), (35, False)])
    def test_the_name_and_path_of_a_role_of_the_app_are_read_when_they_are_final(
        self, stack: Stack, declare: Declare, letters: int, *, fits: bool
    ) -> None:
        role = aws_iam.Role(
            stack,
            "Own",
            role_name="r" * 62,
            path=f"/{'p' * 200}/",
            assumed_by=aws_iam.ServicePrincipal("omics.amazonaws.com"),
        )
        declare(role=role)
        role.node.default_child.path = f"/{'p' * letters}/"  # type: ignore[union-attr]
        known = repr(f"arn:…:iam::…:role/{'p' * letters}/{'r' * 62}")
        assert refusals(stack) == (
            []
            if fits
            else [
                (
                    f"'Genomes/Run': role has the ARN {known[:79]}…, at least 129 "
                    "characters long: must have at most 128 for StartRun; give the role a shorter name or path"
                )
            ]
        )

    def test_a_name_and_path_that_are_not_known_are_left_to_deployment(self, stack: Stack, declare: Declare) -> None:
        path = CfnParameter(stack, "Path").value_as_string
        declare(role=RunRole(stack, "Shared", path=f"/{path}/"))
        shortened = RunRole(stack, "Shortened", path=f"/{'p' * 128}/")
        shortened.node.default_child.add_property_override("Path", "/short/")  # type: ignore[union-attr]
        declare("Second", role=shortened)
        assert refusals(stack) == []


class TestWaitFor:
    @pytest.fixture
    def tokens(self, stack: Stack) -> dict[str, Any]:
        CfnCondition(stack, "IsProd", expression=Fn.condition_equals("a", "b"))
        wrong = CfnParameter(stack, "Wrong", default="completed").value_as_string
        return {
            "text": Lazy.string(Later("completed")),
            "branch": Fn.condition_if("IsProd", "completed", "SUBMITTED").to_string(),
            "default": wrong,
            "a parameter in a branch": Fn.condition_if("IsProd", "RUNNING", wrong).to_string(),
            "one of the allowed": CfnParameter(stack, "Any", allowed_values=["completed", "RUNNING"]).value_as_string,
            "good default": CfnParameter(stack, "Good", default="COMPLETED").value_as_string,
            "nothing": Lazy.string(Later(None)),
            "unknown": CfnParameter(stack, "Unknown").value_as_string,
            "an attribute": Fn.get_att("Other", "Mode").to_string(),
        }

    @pytest.mark.parametrize("name", ["text", "branch", "default", "a parameter in a branch", "one of the allowed"])
    def test_what_a_token_may_become_is_checked(
        self, stack: Stack, declare: Declare, tokens: dict[str, Any], name: str
    ) -> None:
        declare(wait_for=tokens[name])
        assert refusals(stack) == [
            "'Genomes/Run': wait_for was 'completed': must be one of SUBMITTED, RUNNING, COMPLETED"
        ]

    @pytest.mark.parametrize("name", ["good default", "nothing", "unknown", "an attribute"])
    def test_what_is_good_or_cannot_be_known_passes(
        self, stack: Stack, declare: Declare, tokens: dict[str, Any], name: str
    ) -> None:
        declare(wait_for=tokens[name])
        assert refusals(stack) == []
