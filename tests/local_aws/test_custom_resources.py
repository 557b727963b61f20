"""Custom resources in the local AWS behave as CloudFormation's: each mend, with a small function of its own."""

import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import WaiterError

from local_aws.process import LocalAws

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# Does what the property "Script" says for each request type, and writes down each event in a log group's stead: SSM.
CODE = """
import json, os, sys, time, urllib.request, boto3

def handler(event, context):
    ssm = boto3.client("ssm")
    name = f"/events/{event['StackId'].split('/')[1]}"
    try:
        log = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        log = []
    cloudformation = boto3.client("cloudformation")
    asked = {"StackName": event["StackId"], "LogicalResourceId": event["LogicalResourceId"]}
    detail = cloudformation.describe_stack_resource(**asked)
    status = detail["StackResourceDetail"]["ResourceStatus"]
    tries = sum(each["request"] == event["RequestId"] for each in log)
    log.append({"type": event["RequestType"], "id": event.get("PhysicalResourceId"), "request": event["RequestId"],
                "of": event["LogicalResourceId"], "status": status, "runtime": "awslambdaric" in sys.modules,
                "url": event["ResponseURL"], "memory": int(context.memory_limit_in_mb),
                "left": context.get_remaining_time_in_millis(),
                "text": event["ResourceProperties"].get("Text", "").replace("{{", "[[")})
    ssm.put_parameter(Name=name, Value=json.dumps(log), Type="String", Overwrite=True)
    each = f"/deliveries/{event['StackId'].split('/')[1]}/{context.aws_request_id}"  # duplicates may run at once
    ssm.put_parameter(Name=each, Value=event["RequestId"], Type="String")
    said = json.loads(event["ResourceProperties"]["Script"]).get(event["RequestType"], "keep")
    if said == "crash-once" and tries == 0:
        os._exit(1)
    if said == "hang-once" and tries == 0:
        time.sleep(60)
    if said == "silent":
        return
    failed = said.startswith("fail")
    answer = said.partition(":")[2] or event.get("PhysicalResourceId") or "first"
    body = {"Status": "FAILED" if failed else "SUCCESS", "Reason": "as told", "PhysicalResourceId": answer,
            "StackId": event["StackId"], "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"], "Data": {}}
    request = urllib.request.Request(event["ResponseURL"], data=json.dumps(body).encode(), method="PUT")
    urllib.request.urlopen(request).close()
"""


class Account:
    """The local AWS's account, with the function in it."""

    TIMEOUT = 5

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.service_timeout = "4"
        self.cloudformation: CloudFormationClient = aws.client("cloudformation")
        self.ssm = aws.client("ssm")
        role = aws.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("function.py", CODE)
        self.function = aws.client("lambda").create_function(
            FunctionName="scripted",
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="function.handler",
            Code={"ZipFile": archive.getvalue()},
            Timeout=self.TIMEOUT,
            MemorySize=192,
        )["FunctionArn"]

    def template(self, script: dict[str, str], *, broken: bool = False, **properties: str) -> str:
        """A stack with one scripted resource, and one that fails after it."""
        token = {"ServiceToken": self.function, "ServiceTimeout": self.service_timeout}
        resources: dict[str, Any] = {
            "Scripted": {
                "Type": "Custom::Scripted",
                "Properties": {**token, "Script": json.dumps(script), **properties},
            }
        }
        if broken:
            failing = {**token, "Script": json.dumps({"Create": "fail"})}
            resources["Broken"] = {"Type": "Custom::Broken", "DependsOn": "Scripted", "Properties": failing}
        return json.dumps({"Resources": resources})

    def events(self, stack: str) -> list[dict[str, Any]]:
        """The events that the function got for a stack."""
        events: list[dict[str, Any]] = json.loads(self.ssm.get_parameter(Name=f"/events/{stack}")["Parameter"]["Value"])
        return events

    def deliveries(self, stack: str) -> list[str]:
        """The RequestId of each time that the function was invoked for a stack."""
        found = self.ssm.get_parameters_by_path(Path=f"/deliveries/{stack}", Recursive=True)
        return [each["Value"] for each in found["Parameters"]]

    def create(self, stack: str, template: str) -> str:
        """Create a stack; returns its status."""
        self.cloudformation.create_stack(StackName=stack, TemplateBody=template)
        return self._wait(stack, "stack_create_complete")

    def update(self, stack: str, template: str) -> str:
        """Update a stack; returns its status."""
        self.cloudformation.update_stack(StackName=stack, TemplateBody=template)
        return self._wait(stack, "stack_update_complete")

    def _wait(self, stack: str, waiter: Any) -> str:
        with suppress(WaiterError):  # a rollback: its status is returned
            self.cloudformation.get_waiter(waiter).wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        return str(self.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with LocalAws(delivery={"retry_delay": 0.2}) as aws:
        yield Account(aws)


def until(condition: Callable[[], bool], limit: float = 15.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.05)


def kinds(events: list[dict[str, Any]], logical_id: str = "Scripted") -> list[tuple[str, str | None]]:
    return [(event["type"], event["id"]) for event in events if event["of"] == logical_id]


def test_the_function_runs_through_lambdas_own_runtime_client_and_sees_its_status(account: Account) -> None:
    assert account.create("healthy", account.template({})) == "CREATE_COMPLETE"
    (event,) = account.events("healthy")
    assert event["runtime"]
    assert event["status"] == "CREATE_IN_PROGRESS"
    assert re.search(r"\?X-Amz-Date=20\d{6}T\d{6}Z&X-Amz-Expires=7200$", event["url"])
    assert event["memory"] == 192
    assert account.TIMEOUT - 2 < event["left"] / 1000 <= account.TIMEOUT


def test_references_to_secrets_stay_as_they_are_written_and_those_to_parameters_are_resolved(account: Account) -> None:
    account.ssm.put_parameter(Name="/reference", Value="hg38", Type="String")
    text = "{{resolve:ssm:/reference}} {{resolve:secretsmanager:key}} {{resolve:ssm-secure:/reference:1}}"
    assert account.create("references", account.template({}, Text=text)) == "CREATE_COMPLETE"
    assert account.update("references", account.template({"Update": "keep"}, Text=f"2 {text}")) == "UPDATE_COMPLETE"
    kept = "hg38 [[resolve:secretsmanager:key}} [[resolve:ssm-secure:/reference:1}}"
    assert [event["text"] for event in account.events("references")] == [kept, f"2 {kept}"]


def test_references_of_other_resources_are_all_resolved(account: Account) -> None:
    account.ssm.put_parameter(Name="/secure", Value="key", Type="SecureString")
    made = {"Type": "String", "Name": "/made", "Value": "{{resolve:ssm-secure:/secure:1}}"}
    template = json.dumps({"Resources": {"Made": {"Type": "AWS::SSM::Parameter", "Properties": made}}})
    assert account.create("secure", template) == "CREATE_COMPLETE"
    assert account.ssm.get_parameter(Name="/made")["Parameter"]["Value"] == "key"


def test_an_event_whose_function_crashed_is_delivered_again(account: Account) -> None:
    assert account.create("crash", account.template({"Create": "crash-once"})) == "CREATE_COMPLETE"
    first, second = account.events("crash")
    assert first["request"] == second["request"]


def test_an_event_whose_function_ran_out_of_time_is_delivered_again(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "service_timeout", "20")
    assert account.create("slow", account.template({"Create": "hang-once"})) == "CREATE_COMPLETE"
    first, second = account.events("slow")
    assert first["request"] == second["request"]


def test_a_duplicate_is_delivered_where_it_is_ordered(account: Account) -> None:
    account.aws.controls.delivery(duplicates=1)
    try:
        assert account.create("twice", account.template({})) == "CREATE_COMPLETE"
    finally:
        account.aws.controls.delivery(duplicates=0)
    until(lambda: len(account.deliveries("twice")) == 2)
    assert len(set(account.deliveries("twice"))) == 1


@pytest.mark.parametrize(("said", "deleted"), [("fail:mine", "mine"), ("fail", "first")], ids=["with an id", "without"])
def test_a_create_that_failed_is_deleted_with_the_id_that_it_answered(
    account: Account, said: str, deleted: str
) -> None:
    stack = f"failed-{deleted}"
    assert account.create(stack, account.template({"Create": said})) == "ROLLBACK_COMPLETE"
    assert kinds(account.events(stack)) == [("Create", None), ("Delete", deleted)]


def test_a_create_that_never_answered_is_deleted_with_a_made_up_id(account: Account) -> None:
    assert account.create("silent", account.template({"Create": "silent"})) == "ROLLBACK_COMPLETE"
    (create, made_up), (delete, _) = reversed(kinds(account.events("silent")))
    assert (delete, create) == ("Create", "Delete")
    assert made_up
    assert made_up.startswith("silent-Scripted-")


def test_a_replacement_that_is_rolled_back_is_updated_back_and_then_deleted(account: Account) -> None:
    account.create("replaced", account.template({"Update": "ok:first"}))
    replacing = account.template({"Update": "ok:second"}, broken=True)
    assert account.update("replaced", replacing) == "UPDATE_ROLLBACK_COMPLETE"
    events = account.events("replaced")
    assert kinds(events)[1:] == [("Update", "first"), ("Update", "second"), ("Delete", "second")]
    assert kinds(events, "Broken") == [("Create", None), ("Delete", "first")]
    assert next(event["status"] for event in events if event["of"] == "Broken") == "CREATE_IN_PROGRESS"


def test_an_update_that_failed_with_a_new_id_is_rolled_back_with_that_id(account: Account) -> None:
    account.create("failing", account.template({"Update": "ok:first"}))
    assert account.update("failing", account.template({"Update": "fail:second"})) == "UPDATE_ROLLBACK_COMPLETE"
    assert kinds(account.events("failing"))[1:] == [("Update", "first"), ("Update", "second"), ("Delete", "second")]
