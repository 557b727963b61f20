"""The CDK app that the benchmarks synthesize and deploy: one stack of runs, declared as KIND.

    python stack_app.py KIND RUNS OUTDIR NAME [HANDLERS]

KIND: bare (no run), run (HealthOmicsRun), custom (AwsCustomResource), provider (Provider framework), plain (crhelper
with boto3 bundled). HANDLERS is a folder with the last two's code. Every kind imports the same modules of the CDK: what
differs is the construct.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from aws_cdk import App, CustomResource, Stack, aws_iam, aws_lambda, aws_logs
from aws_cdk import custom_resources as cr

ROLE: Final = "arn:aws:iam::123456789012:role/run"
Declare = Callable[[str, Mapping[str, Any]], object]


def bare(_: Stack, __: Path) -> Declare:
    """Nothing for a run."""
    return lambda _, __: None


def run(stack: Stack, _: Path) -> Declare:
    """This project's construct."""
    from cdk_healthomics import HealthOmicsRun  # noqa: PLC0415 - only this kind pays for it

    role = aws_iam.Role.from_role_arn(stack, "Role", ROLE)
    return lambda name, parameters: HealthOmicsRun(
        stack, name, workflow_id="1", output_uri="s3://bucket/runs", role=role, parameters=parameters
    )


def custom(stack: Stack, _: Path) -> Declare:
    """The CDK's AwsCustomResource, without installing the SDK."""
    policy = cr.AwsCustomResourcePolicy.from_statements(
        [
            aws_iam.PolicyStatement(actions=["omics:StartRun", "omics:CancelRun"], resources=["*"]),
            aws_iam.PolicyStatement(actions=["iam:PassRole"], resources=[ROLE]),
        ]
    )

    def declare(name: str, parameters: Mapping[str, Any]) -> object:
        start = cr.AwsSdkCall(
            service="Omics",
            action="startRun",
            parameters={
                "workflowId": "1",
                "roleArn": ROLE,
                "outputUri": "s3://bucket/runs",
                "parameters": parameters,
                "requestId": f"{stack.stack_name}/{name}",
            },
            physical_resource_id=cr.PhysicalResourceId.from_response("id"),
        )
        cancel = cr.AwsSdkCall(service="Omics", action="cancelRun", parameters={"id": cr.PhysicalResourceIdReference()})
        return cr.AwsCustomResource(
            stack, name, on_create=start, on_delete=cancel, policy=policy, install_latest_aws_sdk=False
        )

    return declare


def provider(stack: Stack, handlers: Path) -> Declare:
    """The CDK's Provider framework before a function of one's own."""
    function = _function(stack, handlers / "behind", "on_event.handler")
    return _plain_resources(stack, cr.Provider(stack, "Provider", on_event_handler=function).service_token)


def plain(stack: Stack, handlers: Path) -> Declare:
    """A function of one's own with crhelper, and boto3 bundled."""
    return _plain_resources(stack, _function(stack, handlers / "bundle", "plain_crhelper.handler").function_arn)


KINDS: Final = {each.__name__: each for each in (bare, run, custom, provider, plain)}


def _function(stack: Stack, code: Path, handler: str) -> Any:
    function = aws_lambda.Function(
        stack,
        "Function",
        runtime=aws_lambda.Runtime.PYTHON_3_13,
        code=aws_lambda.Code.from_asset(str(code)),
        handler=handler,
    )
    function.add_to_role_policy(
        aws_iam.PolicyStatement(actions=["omics:StartRun", "omics:CancelRun", "iam:PassRole"], resources=["*"])
    )
    return function


def _plain_resources(stack: Stack, token: str) -> Declare:
    def declare(name: str, parameters: Mapping[str, Any]) -> object:
        properties = {
            "WorkflowId": "1",
            "RoleArn": ROLE,
            "OutputUri": "s3://bucket/runs",
            "Parameters": stack.to_json_string(parameters),
        }
        return CustomResource(
            stack, name, service_token=token, resource_type="Custom::HealthOmicsRun", properties=properties
        )

    return declare


def main(kind: str, runs: str, outdir: str, name: str, handlers: str = "") -> None:
    """Synthesize."""
    app = App(outdir=outdir)
    stack = Stack(app, name)
    aws_logs.LogGroup(stack, "Own")
    declare = KINDS[kind](stack, Path(handlers))
    for index in range(int(runs)):
        parameters = {"sample_name": f"NA{index:05}", "ref_fasta": "s3://bucket/ref/hg38.fa", "scatter": 24}
        declare(f"Sample{index:05}", parameters)
    app.synth()


if __name__ == "__main__":
    main(*sys.argv[1:])
