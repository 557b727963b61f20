"""What a run's properties become on their way through CloudFormation: the local AWS's engine, without its services."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk.assertions import Template
from ministack.services.cloudformation import custom_resource, engine

from cdk_healthomics_handler.names import RESOURCE_TYPE
from tests.events import STACK_ID, new_request, wanted


def start_run(stack: Stack, parameters: Mapping[str, str] | None = None, attributes: Any = None) -> Mapping[str, Any]:
    """The StartRun request that a stack's one run makes.

    Args:
        stack: that the run is declared in.
        parameters: of the deployment, by logical id.
        attributes: of the stack's other resources, by logical id.
    """
    template = Template.from_stack(stack).to_json()
    (declared,) = (each for each in template["Resources"].values() if each["Type"] == RESOURCE_TYPE)
    template.get("Parameters", {}).pop("BootstrapVersion", None)  # it is read from SSM
    given = engine._resolve_parameters(
        template, [{"Key": name, "Value": value} for name, value in (parameters or {}).items()]
    )
    conditions = engine._evaluate_conditions(template, given)
    made = {name: {"PhysicalResourceId": name.lower(), "Attributes": {"Arn": "arn"}} for name in template["Resources"]}
    for name, each in (attributes or {}).items():
        made[name]["Attributes"] = each
    properties = engine._resolve_refs(
        declared["Properties"], made, given, conditions, template.get("Mappings", {}), "Genomes", STACK_ID
    )
    return wanted(new_request(properties=custom_resource._normalise_resource_properties(properties))).start_run
