"""The checks at synth time: whole messages, and a comparison with botocore's model over generated values."""

import json
from types import MappingProxyType
from typing import Any

import pytest
from aws_cdk import Duration, RemovalPolicy, Stack, Token, aws_iam
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_healthomics import checks, model
from cdk_healthomics.documents import PARAMETERS_LIMIT
from cdk_healthomics.tokens import is_unknown
from local_aws.healthomics.model import MODEL, ServiceError, parse

HOLDS_ITSELF: list[Any] = []
HOLDS_ITSELF.append(HOLDS_ITSELF)
NO_SECRETS = "must hold no secretsmanager and no ssm-secure reference, for CloudFormation resolves neither for custom resources, and the run would get the reference"
GOOD = {"workflow_id": "1234567", "output_uri": "s3://bucket/runs"}


def problems(**arguments: Any) -> list[str]:
    return checks.problems({name: value for name, value in {**GOOD, **arguments}.items() if value is not None})


def test_a_run_to_be_adopted_needs_what_it_has_and_a_policy_that_never_cancels_it() -> None:
    told = "adopt_run_id was '7654321'"
    policy = (
        "must have RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, or a deployment that fails would cancel the run; both may "
        "go when the run is deployed"
    )
    assert problems(adopt_run_id="7654321") == [
        f"{told} without name: must have the run's name, by which its events are known",
        f"{told} without role: must have the run's role, which a run never changes",
        f"{told} without removal_policy: {policy}",
    ]
    role = aws_iam.Role.from_role_arn(Stack(), "Role", "arn:aws:iam::123456789012:role/given")
    given = {"name": "by-hand", "role": role}
    assert problems(adopt_run_id="7654321", **given, removal_policy=RemovalPolicy.RETAIN) == [
        f"{told} beside removal_policy RETAIN: {policy}"
    ]
    kept = {**given, "removal_policy": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE}
    assert problems(adopt_run_id="run-7", **kept) == ["adopt_run_id was 'run-7': must match [0-9]+"]
    assert problems(adopt_run_id=7, **kept) == ["adopt_run_id was 7: must be text; write it in quotes"]
    assert problems(adopt_run_id="7654321", **kept) == []
    assert problems(adopt_run_id=Token.as_string({"Ref": "Active"}), **kept) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workflow_id": 1234567}, "workflow_id was 1234567: must be text; write it in quotes"),
        ({"workflow_id": "wf-1"}, "workflow_id was 'wf-1': must match [0-9]+"),
        ({"workflow_id": "{{resolve:"}, "workflow_id was '{{resolve:': must match [0-9]+"),
        ({"workflow_id": "1" * 19}, f"workflow_id was '{'1' * 19}', 19 characters long: must have 1 to 18"),
        ({"run_id": "1"}, "workflow_id was '1234567' and run_id was '1': only one may be given; run_id runs an earlier run again, with its workflow"),
        ({"name": ""}, "name was '', 0 characters long: must have 1 to 128"),
        ({"name": "a\tb"}, r"name was 'a\tb': must match [\p{L}||\p{M}||\p{Z}||\p{S}||\p{N}||\p{P}]+"),
        ({"output_uri": "/data"}, "output_uri was '/data': must be an S3 URI such as 's3://bucket/runs'"),
        ({"output_uri": None}, "output_uri was not given: must be an S3 URI such as 's3://bucket/runs'"),
        ({"priority": 100001}, "priority was 100001: must be a whole number from 0 to 100000"),
        ({"priority": True}, "priority was True: must be a whole number from 0 to 100000"),
        ({"storage_capacity": 1200.0}, "storage_capacity was 1200.0: must be a whole number from 0 to 100000"),
        ({"log_level": "all"}, "log_level was 'all': must be one of OFF, FATAL, ERROR, ALL"),
        ({"networking_mode": "VPC"}, "networking_mode was 'VPC' without configuration_name or configuration: must name the configuration that has the VPC"),
        ({"cache_behavior": "CACHE_ALWAYS"}, "cache_behavior was 'CACHE_ALWAYS' without cache_id or run_cache: must name the run cache whose behavior it overrides"),
        ({"role": "arn:aws:iam::1:role/r"}, "role was 'arn:aws:iam::1:role/r': must be an iam.IRole; for an ARN use iam.Role.from_role_arn(…)"),
        ({"workflow_type": "READY2RUN", "storage_type": "STATIC"}, "storage_type was 'STATIC' beside workflow_type 'READY2RUN': must be left out, or DYNAMIC, for HealthOmics refuses STATIC for Ready2Run workflows"),
        ({"wait_for": ["COMPLETED"]}, "wait_for was ['COMPLETED']: must be one of SUBMITTED, RUNNING, COMPLETED"),
        ({"session_policy": "[]"}, "session_policy was '[]': must be a JSON object, an IAM policy"),
        ({"session_policy": {"Version": "1"}}, "session_policy was {'Version': '1'}: must be a JSON policy as text, or an iam.PolicyDocument"),
        ({"session_policy": json.dumps({"Id": "x" * 2048})}, f"""session_policy was '{{"Id": "{'x' * 70}…, 2058 characters long: must have 1 to 2048"""),
        ({"rerun_trigger": 2}, "rerun_trigger was 2: must be text; write it in quotes"),
        ({"rerun_trigger": "\ud800"}, r"rerun_trigger was '\ud800': must be valid Unicode, without lone surrogates"),
        ({"timeout": 30}, "timeout was 30: must be a Duration, such as Duration.minutes(30)"),
        ({"timeout": Duration.hours(2)}, "timeout was 7200 seconds: must be 30 seconds to 60 minutes, in whole seconds, for there is nothing to wait for longer; to wait for the run, up to 7 days, give wait_for"),
        ({"timeout": Duration.hours(2), "wait_for": "SUBMITTED"}, "timeout was 7200 seconds: must be 30 seconds to 60 minutes, in whole seconds, for there is nothing to wait for longer; to wait for the run, up to 7 days, give wait_for"),
        ({"timeout": Duration.seconds(29)}, "timeout was 29 seconds: must be 30 seconds to 60 minutes, in whole seconds, for there is nothing to wait for longer; to wait for the run, up to 7 days, give wait_for"),
        ({"timeout": Duration.hours(169), "wait_for": "COMPLETED"}, "timeout was 608400 seconds: must be 30 seconds to 7 days, in whole seconds, for no run of HealthOmics takes longer"),
        ({"timeout": Duration.millis(90_500), "wait_for": "COMPLETED"}, "timeout was 90.5 seconds: must be 30 seconds to 7 days, in whole seconds, for no run of HealthOmics takes longer"),
        ({"wait_for": "DONE"}, "wait_for was 'DONE': must be one of SUBMITTED, RUNNING, COMPLETED"),
        ({"removal_policy": RemovalPolicy.SNAPSHOT}, "removal_policy was <RemovalPolicy.SNAPSHOT: 'SNAPSHOT'>: must be one of RemovalPolicy.DESTROY, RemovalPolicy.RETAIN, RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE"),
        ({"parameters": ["a"]}, "parameters was a list: must be a dict, which becomes a JSON object"),
        ({"parameters": {"a": {1: 2}}}, "parameters['a'] has the key 1: must be text, for keys of JSON objects are"),
        ({"parameters": {"a": [float("nan")]}}, "parameters['a'][0] was nan: must be a finite number, for JSON has no other"),
        ({"parameters": {"a": {1, 2}}}, "parameters['a'] was a set: must be text, a number, True, False, None, a list or a dict"),
        ({"parameters": {"a": "\ud800"}}, r"parameters['a'] was '\ud800': must be valid Unicode, without lone surrogates"),
        ({"parameters": {"a": {"\ud800": 1}}}, r"parameters['a'] has the key '\ud800': must be valid Unicode, without lone surrogates"),
        ({"parameters": {"a": HOLDS_ITSELF}}, "parameters holds itself, or is nested hundreds of levels deep: must be flatter"),
        ({"parameters": {"a": "x" * 50_000}}, "parameters is 50,008 bytes as JSON: must be at most 50,000; put them into a file on S3, and give parameters_uri"),
        ({"parameters": {"a": "é" * 25_000}}, "parameters is 50,008 bytes as JSON: must be at most 50,000; put them into a file on S3, and give parameters_uri"),
        ({"parameters": {}, "parameters_uri": "s3://bucket/i.json"}, "parameters_uri was 's3://bucket/i.json' beside parameters: only one may be given; the file holds all of the run's parameters"),
        ({"requester_pays_enabled": "true"}, "requester_pays_enabled was 'true': must be True or False"),
        ({"requester_pays_enabled": 1}, "requester_pays_enabled was 1: must be True or False"),
        ({"engine_settings": "profile"}, "engine_settings was a str: must be a dict, which becomes a JSON object"),
        ({"parameters": {"a": ["{{resolve:secretsmanager:key}}"]}}, f"parameters['a'][0] holds {{{{resolve:secretsmanager:key}}}}: {NO_SECRETS}; put it into a file on S3, and give parameters_uri"),
        ({"parameters": {"{{resolve:ssm:key}}": 1}}, "parameters has the key '{{resolve:ssm:key}}', which is known at deployment only: must be written out, for whoever sets it could name another member"),
        ({"engine_settings": {"a": "{{resolve:ssm-secure:key:1}}"}}, f"engine_settings['a'] holds {{{{resolve:ssm-secure:key:1}}}}: {NO_SECRETS}; write the value itself, or an {{{{resolve:ssm:…}}}} reference"),
        ({"parameters_uri": "s3://b/{{resolve:secretsmanager:key"}, f"parameters_uri holds {{{{resolve:secretsmanager:key: {NO_SECRETS}; write the value itself, or an {{{{resolve:ssm:…}}}} reference"),
        ({"tags": {"k": "{{resolve:secretsmanager:key}}"}}, f"tags['k'] holds {{{{resolve:secretsmanager:key}}}}: {NO_SECRETS}; write the value itself, or an {{{{resolve:ssm:…}}}} reference"),
        ({"parameters": {"a": "x <aws_cdk.SecretValue object at 0x7f36ac7e8410>"}}, "parameters['a'] holds <aws_cdk.SecretValue object at 0x7f36ac7e8410>: must be no secret, for whoever may read the run may read it; put it into a file on S3, and give parameters_uri"),
        ({"name": "<jsii._reference_map.InterfaceDynamicProxy object at 0x7f3>"}, "name holds <jsii._reference_map.InterfaceDynamicProxy object at 0x7f3>, which is no value: must be the object itself, or Token.as_string(…) of it inside a text"),
        ({"parameters": {"a": "#{Token[TOKEN.1]}"}}, "parameters['a'] holds an item of a list that is known at deployment only: must be the whole list by itself, or Fn.select(index, list)"),
        ({"tags": {"k": "\ud800"}}, r"tags['k'] was '\ud800': must be valid Unicode, without lone surrogates"),
        ({"tags": {"k": 1}}, "tags['k'] was 1: must be text; write it in quotes"),
        ({"tags": {"": "v"}}, "the key of tags[''] is 0 characters long: must have 1 to 128"),
        ({"tags": {"k": "v" * 257}}, "tags['k'] is 257 characters long: must have 0 to 256"),
        ({"tags": {"aws:x": "1"}}, "the key of tags['aws:x'] begins with a reserved prefix: must not begin with aws: or cdk-healthomics:"),
        ({"tags": {f"k{i}": "v" for i in range(44)}}, "tags has 44 tags: must be at most 43, for HealthOmics allows 50 a run and 7 are this construct's own; leave 1 out"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_argument_value_and_remedy(arguments: dict[str, Any], message: str) -> None:
    assert problems(**arguments) == [message]


def test_tags_as_a_whole_are_no_token_for_they_are_merged_with_those_of_the_scopes() -> None:
    (problem,) = problems(tags=Token.as_any({"a": "b"}))
    assert problem.startswith("tags was <")
    assert problem.endswith(": must be a dict of text to text")


def test_an_unknown_form_of_a_pattern_is_left_to_the_service() -> None:
    assert model.fits(r"(?<name>x)", "y")  # Java's way to name a group is an error in Python


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"workflow_id": None, "run_id": "1"},
        {"parameters": {}},
        {"parameters_uri": "s3://bucket/inputs.json", "requester_pays_enabled": False},
        {"parameters": {"a": "x" * (PARAMETERS_LIMIT - 8)}},
        {"parameters": {"a": "é" * (PARAMETERS_LIMIT // 2 - 4)}},
        {"workflow_id": "{{resolve:ssm:/workflow}}", "output_uri": "{{resolve:ssm:/results}}"},
        {"parameters": {"a": "{{resolve:ssm:key}} {{resolve:}} {{ name }}", "b": "an object at 0x7f, <b> object at 1"}},
        {"parameters": {"a": (1, 2), "b": None, "c": 2**70}},
        {"networking_mode": "VPC", "configuration_name": "vpc"},
        {"networking_mode": "RESTRICTED", "configuration_name": "vpc"},
        {"cache_id": "1"},
        {"workflow_id": None, "run_id": "1", "networking_mode": "VPC", "cache_behavior": "CACHE_ALWAYS"},
        {"name": "younger than this Python's Unicode \U0001fae9"},
        {"parameters": MappingProxyType({"a": MappingProxyType({"b": 1})})},
        {"storage_type": "DYNAMIC", "storage_capacity": 1200},
        {"workflow_type": "READY2RUN", "storage_type": "DYNAMIC"},
        {"workflow_type": "PRIVATE", "storage_type": "STATIC"},
        {"timeout": Duration.seconds(30)},
        {"timeout": Duration.minutes(60)},
        {"timeout": Duration.days(7), "wait_for": "COMPLETED"},
        {"timeout": Duration.hours(2), "wait_for": Token.as_string({"Ref": "WaitFor"})},
        {"tags": {f"k{i}": "" for i in range(43)}},
        {"output_uri": "s3://bucket"},
        {"name": "Probe Ä 試料 #1"},
    ],
)
def test_what_healthomics_might_accept_is_never_refused(arguments: dict[str, Any]) -> None:
    assert problems(**arguments) == []


# Not the unassigned: which of them are, changes with every Unicode, and botocore's, Python's and the service's differ.
CHARACTERS = st.characters(exclude_categories=["Cs", "Cn"])
TEXT = st.text(CHARACTERS, max_size=140) | st.from_regex(r"[0-9]{0,20}", fullmatch=True)
VALUES = st.one_of(TEXT, st.integers(-2, 100_002), st.booleans(), st.floats(allow_nan=False), st.lists(st.text()))
COMPARED = sorted(
    member
    for member, shape in model.members().items()
    if shape.type_name in {"string", "integer", "boolean"}
    and member not in {"roleArn", "requestId", "sessionPolicy", "outputUri"}
)


def accepted(member: str, value: Any) -> bool:
    """Whether a StartRun with this value fits the model: botocore's validator, and the limits that it leaves out."""
    request = {"roleArn": "arn:x", "outputUri": "s3://b", "requestId": "r", member: value}
    operation = MODEL.operation_model("StartRun")
    assert operation.input_shape
    if ParamValidator().validate(request, operation.input_shape).has_errors():
        return False
    try:
        parse(operation, {}, "", json.dumps(request).encode())
    except ServiceError:
        return False
    return True


@pytest.mark.parametrize("member", COMPARED)
@settings(deadline=None)
@given(data=st.data())
def test_a_check_agrees_with_the_model(member: str, data: st.DataObject) -> None:
    limits = model.members()[member].metadata
    known = st.sampled_from(limits["enum"]) if "enum" in limits else st.nothing()
    value = data.draw((VALUES | known).filter(lambda value: not is_unknown(value)))
    argument = model.arguments()[member]
    ours = [problem for problem in checks.problems({argument: value}) if problem.startswith(f"{argument} was")]
    companions = ("without", "only one may be given")  # rules between arguments, which the model does not have
    ours = [problem for problem in ours if not any(each in problem for each in companions)]
    assert (not ours) == accepted(member, value), (value, ours)


@given(
    tags=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=130).filter(
            lambda key: not key.lower().startswith(("aws:", "cdk-healthomics:"))
        ),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=260),
        max_size=3,
    )
)
@settings(deadline=None)
def test_the_check_of_tags_agrees_with_the_model(tags: dict[str, str]) -> None:
    assert (not problems(tags=tags)) == accepted("tags", tags)
