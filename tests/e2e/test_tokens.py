"""What is known at deployment only arrives at HealthOmics: by the real CDK CLI, through the local AWS."""

import json
from typing import Any

import pytest
from aws_cdk import Aws, CfnCondition, CfnMapping, CfnParameter, Fn, SecretValue, Stack, aws_iam

from cdk_healthomics import HealthOmicsRun
from local_aws.process import LocalAws
from tests.e2e.conftest import Deployment

HOSTILE = ('x","dry_run":false,"y":"z', r"chr\tags", r"\u0041", 'say "a"', "one\ntwo", "Müller 試料")


def written(stack: Stack) -> None:
    """A run whose every text is known at deployment only, wherever it stands."""
    texts = [CfnParameter(stack, f"Text{index}").value_as_string for index in range(len(HOSTILE))]
    HealthOmicsRun(
        stack, "Run", workflow_id="1234567", output_uri="s3://bucket/runs", **arguments(texts, policy(texts[0]))
    )


def arguments(texts: Any, session_policy: Any) -> dict[str, Any]:
    document = {
        "dry_run": True,
        "values": {f"text {index}": text for index, text in enumerate(texts)},
        "within": [f"échantillon <{text}>" for text in texts],
        "list": [1, [*texts, {"deep": texts[0]}]],
    }
    return {
        "parameters": document,
        "engine_settings": {"profile": texts[0]},
        "session_policy": session_policy,
        "tags": {"owner": "Müller"},
    }


def policy(text: str) -> aws_iam.PolicyDocument:
    statement = aws_iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"arn:aws:s3:::{text}/*"])
    return aws_iam.PolicyDocument(statements=[statement])


def test_every_text_of_a_deployment_arrives_exactly_and_one_that_stays_starts_no_run(deployment: Deployment) -> None:
    texts = {f"Text{index}": text for index, text in enumerate(HOSTILE)}
    deployment.deploy(written, parameters=texts)
    (run,) = deployment.runs()
    expected = arguments(HOSTILE, None)
    assert run["parameters"] == expected["parameters"]
    assert run["engineSettings"] == expected["engine_settings"]
    (statement,) = json.loads(run["sessionPolicy"])["Statement"]
    assert statement == {"Action": "s3:GetObject", "Effect": "Allow", "Resource": f"arn:aws:s3:::{HOSTILE[0]}/*"}

    def literal(stack: Stack) -> None:
        asked = arguments(HOSTILE, run["sessionPolicy"])
        HealthOmicsRun(stack, "Run", workflow_id="1234567", output_uri="s3://bucket/runs", **asked)

    deployment.deploy(literal)
    assert [each["uuid"] for each in deployment.runs()] == [run["uuid"]]
    deployment.destroy()
    assert deployment.active() == []


def typed(stack: Stack) -> None:
    """A run whose every type hangs on the deployment."""
    stage = CfnParameter(stack, "Stage")
    samples = CfnParameter(stack, "Samples", type="CommaDelimitedList")
    scatter = CfnParameter(stack, "Scatter", type="Number")
    regions = CfnMapping(stack, "Regions", mapping={"us-east-1": {"cpus": 8, "dry": False, "bucket": "east"}})
    prod = CfnCondition(stack, "IsProd", expression=Fn.condition_equals(stage, "prod")).logical_id
    HealthOmicsRun(
        stack,
        "Run",
        workflow_id="1234567",
        output_uri="s3://bucket/runs",
        parameters={
            "cpus": Fn.condition_if(prod, 96, 4),
            "dry_run": Fn.condition_if(prod, False, True),  # noqa: FBT003 - a branch
            "shards": Fn.condition_if(prod, [1, "two", scatter.value_as_number], []),
            "nested": Fn.condition_if(prod, Fn.condition_if(prod, 1.5, "no"), {"a": stage.value_as_string}),
            "only_in_prod": Fn.condition_if(prod, "yes", Aws.NO_VALUE),
            "scatter": scatter.value_as_number,
            "samples": samples.value_as_list,
            "region": [regions.find_in_map(Aws.REGION, each) for each in ("cpus", "dry", "bucket")],
        },
    )


def test_each_branch_each_parameter_and_each_mapping_keeps_its_type(deployment: Deployment) -> None:
    given = {"Samples": "1,NA12878", "Scatter": "24"}
    deployment.deploy(typed, parameters={"Stage": "prod", **given})
    (run,) = deployment.runs()
    same = {"scatter": 24, "samples": ["1", "NA12878"], "region": [8, False, "east"]}
    prod = {"cpus": 96, "dry_run": False, "shards": [1, "two", 24], "nested": 1.5, "only_in_prod": "yes", **same}
    assert json.dumps(run["parameters"], sort_keys=True) == json.dumps(prod, sort_keys=True)

    deployment.deploy(typed, parameters={"Stage": "test", **given})
    _, run = deployment.runs()
    test = {"cpus": 4, "dry_run": True, "shards": [], "nested": {"a": "test"}, **same}
    assert json.dumps(run["parameters"], sort_keys=True) == json.dumps(test, sort_keys=True)
    deployment.destroy()
    assert deployment.active() == []


def test_a_parameter_of_systems_manager_arrives_and_a_secret_never_gets_to_the_cli(
    deployment: Deployment, aws: LocalAws
) -> None:
    value = 'hg38","dry_run":"false'
    aws.client("ssm").put_parameter(Name="/reference", Value=value, Type="String")

    def referring(stack: Stack, reference: str = "{{resolve:ssm:/reference}}") -> None:
        document = {"reference": reference, "within": f"s3://{reference}", "dry_run": "true"}
        HealthOmicsRun(stack, "Run", workflow_id="1234567", output_uri="s3://bucket/runs", parameters=document)

    deployment.deploy(referring)
    (run,) = deployment.runs()
    assert run["parameters"] == {"reference": value, "within": f"s3://{value}", "dry_run": "true"}

    secret = SecretValue.secrets_manager("key").unsafe_unwrap()
    with pytest.raises(RuntimeError, match=r"parameters\['reference'\] holds \{\{resolve:secretsmanager:key:"):
        deployment.deploy(lambda stack: referring(stack, secret))
    assert len(deployment.runs()) == 1
    deployment.destroy()
    assert deployment.active() == []
