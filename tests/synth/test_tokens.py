"""What is known at deployment only arrives: through the template, CloudFormation's functions and the handler."""

import json
from collections.abc import Callable
from enum import Enum
from typing import Any

import jsii
import pytest
from aws_cdk import (
    App,
    Aws,
    CfnCondition,
    CfnDynamicReference,
    CfnDynamicReferenceService,
    CfnJson,
    CfnMapping,
    CfnParameter,
    Fn,
    IStableAnyProducer,
    Lazy,
    NestedStack,
    SecretValue,
    Stack,
    Tags,
    Token,
    aws_iam,
    aws_s3,
)
from aws_cdk.assertions import Template

from cdk_healthomics import HealthOmicsRun, ValidationError
from cdk_healthomics_handler.names import RESOURCE_TYPE
from tests.synth.cloudformation import start_run
from tests.synth.synthesis import refusals

Declare = Callable[..., HealthOmicsRun]
Properties = Callable[..., dict[str, Any]]
HOSTILE = ['x","dry_run":false,"y":"z', r"chr\tags", r"\u0041", 'say "a"', "one\ntwo", "Müller 試料", "{{", "null"]
SECRET = "{{resolve:secretsmanager:key:SecretString:::}}"
REMEDY = (
    "must hold no secretsmanager and no ssm-secure reference, for CloudFormation resolves neither for custom "
    "resources, and the run would get the reference; "
)
BY_FILE = REMEDY + "put it into a file on S3, and give parameters_uri"
BY_VALUE = REMEDY + "write the value itself, or an {{resolve:ssm:…}} reference"


@pytest.fixture
def text(stack: Stack) -> str:
    return CfnParameter(stack, "Text", default="text").value_as_string


@pytest.fixture
def number(stack: Stack) -> CfnParameter:
    return CfnParameter(stack, "Number", type="Number", default="24")


@pytest.fixture
def condition(stack: Stack, text: str) -> str:
    return CfnCondition(stack, "IsProd", expression=Fn.condition_equals(text, "prod")).logical_id


@pytest.fixture
def mapping(stack: Stack) -> CfnMapping:
    values = {"cpus": 4, "dry": True, "bucket": "us", "zones": ["a"], "mixed": 1, "shares": [1, 2]}
    others = {"cpus": 8, "dry": False, "bucket": "eu", "zones": ["b"], "mixed": "one", "shares": [3]}
    return CfnMapping(stack, "Regions", mapping={"us-east-1": values, "eu-west-1": others})


@jsii.implements(IStableAnyProducer)
class Produced:
    def __init__(self, produce: Callable[[], Any]) -> None:
        self._produce = produce

    def produce(self) -> Any:
        return self._produce()


class TestTexts:
    @pytest.mark.parametrize("value", HOSTILE)
    def test_every_text_arrives_exactly_wherever_it_stands(
        self, stack: Stack, declare: Declare, text: str, value: str
    ) -> None:
        document = {
            "sample": text,
            "dry_run": True,
            "within": f"s3://bucket/échantillon {text}/{text}",
            "list": [1, text, f"<{text}>"],
            "nested": {'a/b~"é\\': [{"": text}]},
        }
        declare(parameters=document, engine_settings={"profile": text})
        arrived = start_run(stack, {"Text": value})
        token = json.dumps(text)[1:-1]
        expected = json.dumps(document, ensure_ascii=False).replace(token, json.dumps(value)[1:-1])
        assert arrived["parameters"] == json.loads(expected)
        assert arrived["engineSettings"] == {"profile": value}

    def test_the_json_text_holds_nothing_that_is_known_at_deployment_only(
        self, properties: Properties, text: str
    ) -> None:
        found = properties(parameters={"sample": text, "scatter": 24, "where": f"s3://{text}/{{{{resolve:ssm:/a}}}}"})
        assert found["Parameters"] == '{"sample":null,"scatter":24,"where":null}'
        assert found["ParametersValues"] == {
            "#/sample": {"Text": {"Ref": "Text"}},
            "#/where": {"Text": {"Fn::Join": ["", ["s3://", {"Ref": "Text"}, "/{{resolve:ssm:/a}}"]]}},
        }

    def test_a_dynamic_reference_by_itself_is_no_part_of_the_json_text_either(self, properties: Properties) -> None:
        found = properties(parameters={"a": ["{{resolve:ssm:/ref/fasta:1}}"]})
        assert found["Parameters"] == '{"a":[null]}'
        assert found["ParametersValues"] == {"#/a/0": {"Text": "{{resolve:ssm:/ref/fasta:1}}"}}

    def test_what_is_in_the_template_of_documents_is_ascii(
        self, properties: Properties, text: str, condition: str
    ) -> None:
        either = Fn.condition_if(condition, "Müller", ["Möller", {"é": "試"}])
        found = properties(
            parameters={"plain": "é", "within": f"à {text}", "ü": text, "either": either},
            engine_settings={"profil": "été"},
            session_policy=json.dumps({"Id": f"é{text}"}),
        )
        documents = {name: value for name, value in found.items() if name.startswith(("Para", "Engine", "Session"))}
        assert len(documents) == 5
        assert json.dumps(documents, ensure_ascii=False).isascii()

    def test_literals_that_look_like_places_arrive_as_themselves(
        self, stack: Stack, declare: Declare, text: str
    ) -> None:
        literals = {"#/b": "#/b", "a": {"Text": "#/b"}, "c": None, "Fn::If": ["x", 1, 2], "Ref": "Text"}
        declare(parameters={"b": text, **literals})
        assert start_run(stack)["parameters"] == {"b": "text", **literals}

    def test_members_of_enums_are_what_json_has_for_them(self, stack: Stack, declare: Declare, text: str) -> None:
        class Kind(str, Enum):  # noqa: UP042 - its str() is another text
            TUMOR = "tumor"

        declare(name=Kind.TUMOR, parameters={Kind.TUMOR: {"a": text, "kind": Kind.TUMOR}})
        arrived = start_run(stack)
        assert arrived["parameters"] == {"tumor": {"a": "text", "kind": "tumor"}}
        assert arrived["name"] == "tumor"

    def test_what_another_stack_has_is_imported(self, stack: Stack, declare: Declare) -> None:
        other = Stack(stack.node.root, "Storage")  # type: ignore[arg-type]
        bucket = aws_s3.Bucket(other, "Bucket")
        declare(parameters={"a": bucket.bucket_arn, "b": Fn.condition_if("No", bucket.bucket_name, 1)})
        CfnCondition(stack, "No", expression=Fn.condition_equals("a", "b"))
        (run,) = Template.from_stack(stack).find_resources(RESOURCE_TYPE).values()
        told = run["Properties"]["ParametersValues"]
        assert "Fn::ImportValue" in told["#/a"]["Text"]
        assert "Fn::ImportValue" in told["#/b"]["Fn::If"][1]["Text"]
        assert stack.dependencies == [other]

    def test_a_nested_stack_has_its_parents_values(self, stack: Stack, text: str, number: CfnParameter) -> None:
        nested = NestedStack(stack, "Nested")
        CfnMapping(nested, "Regions", mapping={"us-east-1": {"cpus": 4}})
        document = {
            "a": text,
            "b": number.value_as_number,
            "c": number.value,
            "d": Fn.find_in_map("Regions", Aws.REGION, "cpus"),
        }
        HealthOmicsRun(nested, "Run", workflow_id="1", output_uri="s3://b/r", parameters=document)
        Template.from_stack(stack)
        (run,) = Template.from_stack(nested).find_resources(RESOURCE_TYPE).values()
        kinds = {place: list(value) for place, value in run["Properties"]["ParametersValues"].items()}
        assert kinds == {"#/a": ["Text"], "#/b": ["Number"], "#/c": ["Number"], "#/d": ["Number"]}


class TestTypes:
    @pytest.mark.parametrize("prod", [True, False])
    def test_each_branch_of_a_condition_keeps_its_type(
        self, stack: Stack, declare: Declare, condition: str, number: CfnParameter, text: str, *, prod: bool
    ) -> None:
        def either(this: Any, that: Any) -> Any:
            return Fn.condition_if(condition, this, that)

        branches = {
            "numbers": (96, 4.5),
            "booleans": (True, False),
            "texts": ("true", "4"),
            "mixed": (True, "false"),
            "lists": (["a", 1, False], []),
            "objects": ({"a": {"b": [1]}}, {"c": None}),
        }
        document = {name: either(*each) for name, each in branches.items()}
        document |= {
            "nested": either(either(1, 2), either("one", either(this=True, that="two"))),
            "tokens": either(number.value_as_number, text),
            "list": ["first", either(96, [4])],
            "deep": either([{"cpus": number.value_as_number}], "none"),
        }
        declare(parameters=document)
        expected: dict[str, Any] = {name: each[0] if prod else each[1] for name, each in branches.items()}
        expected["objects"] = {"a": {"b": [1]}} if prod else {}  # jsii has no null inside of tokens
        expected |= (
            {"nested": 1, "tokens": 24, "list": ["first", 96], "deep": [{"cpus": 24}]}
            if prod
            else {
                "nested": "two",
                "tokens": "other",
                "list": ["first", [4]],
                "deep": "none",
            }
        )
        arrived = start_run(stack, {"Text": "prod" if prod else "other"})["parameters"]
        assert json.dumps(arrived) == json.dumps(expected)

    def test_a_condition_may_be_made_after_the_run(self, stack: Stack, declare: Declare) -> None:
        declare(parameters={"cpus": Fn.condition_if("Later", 96, 4)})
        CfnCondition(stack, "Later", expression=Fn.condition_equals("a", "a"))
        assert start_run(stack)["parameters"] == {"cpus": 96}

    @pytest.mark.parametrize("prod", [True, False])
    def test_what_a_condition_leaves_out_is_left_out(
        self, stack: Stack, declare: Declare, condition: str, *, prod: bool
    ) -> None:
        either = Fn.condition_if(condition, 96, Aws.NO_VALUE)
        declare(parameters={"a": either, "b": [1, either, 2], "c": Aws.NO_VALUE}, engine_settings={"d": either})
        arrived = start_run(stack, {"Text": "prod" if prod else "other"})
        assert arrived["parameters"] == ({"a": 96, "b": [1, 96, 2]} if prod else {"b": [1, 2]})
        assert arrived["engineSettings"] == ({"d": 96} if prod else {})

    @pytest.mark.parametrize(("value", "arrives"), [("prod", {"a": 1}), ("other", {"b": 'say "other"'})])
    def test_the_whole_document_may_hang_on_a_condition(
        self, stack: Stack, declare: Declare, condition: str, text: str, value: str, arrives: Any
    ) -> None:
        whole = Fn.condition_if(condition, {"a": 1}, {"b": f'say "{text}"'})
        declare(parameters=whole, engine_settings=Fn.condition_if(condition, {"a": 1}, Aws.NO_VALUE))
        arrived = start_run(stack, {"Text": value})
        assert arrived["parameters"] == arrives
        assert arrived.get("engineSettings") == ({"a": 1} if value == "prod" else None)

    def test_parameters_of_the_deployment_have_their_own_types(
        self, stack: Stack, declare: Declare, number: CfnParameter
    ) -> None:
        names = CfnParameter(stack, "Names", type="CommaDelimitedList")
        shares = CfnParameter(stack, "Shares", type="List<Number>")
        declare(
            parameters={
                "number": number.value_as_number,
                "value": number.value,
                "text": number.value_as_string,
                "within": f"{number.value_as_number} cpus",
                "names": names.value_as_list,
                "shares": shares.value_as_list,
                "first": [Fn.select(0, names.value_as_list), Fn.select(1, shares.value_as_list)],
                "list": [names.value, shares.value],
                "split": Fn.split("-", "1-2"),
            }
        )
        assert start_run(stack, {"Names": "1,b", "Shares": "1,2.5"})["parameters"] == {
            "number": 24,
            "value": 24,
            "text": "24",
            "within": "24 cpus",
            "names": ["1", "b"],
            "shares": [1, 2.5],
            "first": ["1", 2.5],
            "list": [["1", "b"], [1, 2.5]],
            "split": ["1", "2"],
        }

    @pytest.mark.parametrize("region", ["us-east-1", Aws.REGION], ids=["literal", "token"])
    def test_a_mappings_value_has_the_type_that_it_has_there(
        self, stack: Stack, declare: Declare, mapping: CfnMapping, condition: str, region: str
    ) -> None:
        names = ("cpus", "dry", "bucket", "zones", "shares")
        document: dict[str, Any] = {name: mapping.find_in_map(region, name) for name in names}
        document["fn"] = Fn.find_in_map("Regions", region, "cpus")
        document["branch"] = Fn.condition_if(condition, "none", mapping.find_in_map(region, "cpus"))
        document["within"] = f"{mapping.find_in_map(region, 'cpus')} cpus"
        declare(parameters=document)
        assert start_run(stack)["parameters"] == {
            "cpus": 4,
            "dry": True,
            "bucket": "us",
            "zones": ["a"],
            "shares": [1, 2],
            "fn": 4,
            "branch": 4,
            "within": "4 cpus",
        }

    def test_a_token_that_says_its_type_has_it(
        self, stack: Stack, declare: Declare, condition: str, mapping: CfnMapping
    ) -> None:
        bucket = aws_s3.Bucket(stack, "Bucket")
        resource = bucket.node.default_child
        declare(
            parameters={
                "text": Token.as_string(Fn.condition_if(condition, 96, 5)),
                "number": Token.as_number(Fn.condition_if(condition, 96, "4.5")),
                "attribute": Token.as_number(Fn.get_att(stack.get_logical_id(resource), "Size")),  # type: ignore[arg-type]
                "arn": bucket.bucket_arn,
                "mixed": Fn.sub("${it}", {"it": mapping.find_in_map("us-east-1", "mixed")}),
                "late": Lazy.any(Produced(lambda: [1, "é", {"a": True}])),
                "later": Lazy.any(Produced(lambda: None)),
            }
        )
        name = stack.get_logical_id(resource)  # type: ignore[arg-type]
        arrived = start_run(stack, attributes={name: {"Size": 7, "Arn": "arn"}})["parameters"]
        assert arrived == {
            "text": "5",
            "number": 4.5,
            "attribute": 7,
            "arn": "arn",
            "mixed": "1",
            "late": [1, "é", {"a": True}],
        }


class TestRefusals:
    @pytest.mark.usefixtures("mapping")
    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (
                lambda: Fn.condition_if("C", 1, Token.as_any({"Fn::Transform": {"Name": "Mine"}})),
                "is Fn::Transform, whose type cannot be known: must be Token.as_number(…) of it where it is a number, "
                "Fn.sub('${it}', {'it': …}) where it is text",
            ),
            (
                lambda: Fn.find_in_map("Regions", Aws.REGION, "mixed"),
                "is from mapping 'Regions', where it may be number and text: must be of one type there, or else "
                "Token.as_number(…) of it where it is a number, Fn.sub('${it}', {'it': …}) where it is text",
            ),
            (
                lambda: Fn.find_in_map("Nowhere", Aws.REGION, "cpus"),
                "is from mapping 'Nowhere', which the stack does not have with these keys: must be in the stack, or "
                "else Token.as_number(…) of it where it is a number, Fn.sub('${it}', {'it': …}) where it is text",
            ),
            (
                lambda: Fn.condition_equals("a", "b"),
                "is a condition (Fn::Equals), which CloudFormation takes in conditions only: must be "
                "Fn.condition_if(…), with the logical id of a CfnCondition, True and False",
            ),
            (
                lambda: Fn.condition_if("C", 1, 2**53),
                "is 9007199254740992 inside of a token: must be from -(2**53 - 1) to 2**53 - 1 there, for the CDK "
                "rounds others; write it as text, or outside of the token",
            ),
            (
                lambda: Token.as_number(Fn.condition_if("C", 1, "many")),
                "is the text 'many', but its token takes it for a number: must be a number",
            ),
            (
                lambda: Token.as_string(Fn.condition_if("C", ["a"], "b")),
                "is a list that its token takes for text: must be the list or dict itself, or a token that says "
                "nothing else, such as Fn.condition_if(…) by itself",
            ),
            (lambda: SecretValue.secrets_manager("key").unsafe_unwrap(), f"holds {SECRET}: {BY_FILE}"),
            (lambda: Fn.condition_if("C", SecretValue.secrets_manager("key"), 1), f"holds {SECRET}: {BY_FILE}"),
            (
                lambda: SecretValue.ssm_secure("/key", "1").unsafe_unwrap(),
                f"holds {{{{resolve:ssm-secure:/key:1}}}}: {BY_FILE}",
            ),
            (
                lambda: "{{resolve:" + Lazy.string(Produced(lambda: "ssm-secure:")) + Aws.REGION + "}}",
                f"holds {{{{resolve:ssm-secure:…}}}}: {BY_FILE}",
            ),
        ],
    )  # fmt: skip
    def test_what_cannot_arrive_is_refused_by_the_name_that_the_user_typed(
        self, stack: Stack, declare: Declare, value: Callable[[], Any], problem: str
    ) -> None:
        declare(parameters={"good": 1, "deep": [{"a": value()}]})
        (told,) = refusals(stack)
        assert told.startswith(f"'Genomes/Run': parameters['deep'][0]['a'] {problem}")

    def test_a_document_must_be_a_dict_whatever_the_condition(self, stack: Stack, declare: Declare, text: str) -> None:
        declare(parameters=Fn.condition_if("C", {"a": 1}, text), engine_settings=Token.as_any(text))
        message = "is a token that is no dict: must be a dict, whose values may be"
        assert refusals(stack) == [
            f"'Genomes/Run': parameters {message}",
            f"'Genomes/Run': engine_settings {message}",
        ]

    def test_all_problems_of_all_runs_are_told_at_once(self, stack: Stack, declare: Declare) -> None:
        secret = SecretValue.secrets_manager("key").unsafe_unwrap()
        Tags.of(declare("One", name=secret, tags={"owner": secret})).add("key", secret)
        declare("Two", parameters={"a": Fn.condition_not(Fn.condition_equals("a", "b")), "b": secret})
        told = refusals(stack)
        assert f"'Genomes/One': name holds {SECRET}: {BY_VALUE}" in told
        assert f"'Genomes/One': tags['owner'] holds {SECRET}: {BY_VALUE}" in told
        assert f"'Genomes/One': tags['key'] holds {SECRET}: {BY_VALUE}" in told
        assert f"'Genomes/Two': parameters['b'] holds {SECRET}: {BY_FILE}" in told
        assert len(told) == 5

    def test_a_cfn_json_is_refused_for_all_its_values_would_be_text(
        self, stack: Stack, declare: Declare, number: CfnParameter
    ) -> None:
        made = CfnJson(stack, "Made", value={"a": number.value_as_number})
        declare(parameters={"a": made, "b": made.value})
        problem = "is a CfnJson, whose values arrive as text: must be the list or dict itself"
        assert refusals(stack) == [f"'Genomes/Run': parameters['{name}'] {problem}" for name in "ab"]

    def test_a_secret_is_refused_where_it_is_declared(self, declare: Declare) -> None:
        secret = SecretValue.secrets_manager("key")
        with pytest.raises(ValidationError) as error:
            declare(parameters={"a": [secret]}, rerun_trigger=secret)
        problem = "is a SecretValue: must be no secret, for whoever may read the run may read it; "
        assert error.value.problems == [
            f"parameters['a'][0] {problem}put it into a file on S3, and give parameters_uri",
            f"rerun_trigger {problem}write the value itself, or an {{{{resolve:ssm:…}}}} reference",
        ]

    def test_a_text_made_of_an_object_is_refused(self, declare: Declare) -> None:
        with pytest.raises(ValidationError) as error:
            declare(
                parameters={"a": str(SecretValue.secrets_manager("key")), "b": f"{Fn.condition_if('C', 1, 2)} cpus"}
            )
        secret, other = error.value.problems
        assert secret.startswith("parameters['a'] holds <aws_cdk.SecretValue object at 0x")
        assert secret.endswith(
            ": must be no secret, for whoever may read the run may read it; put it into a file on "
            "S3, and give parameters_uri"
        )
        assert other.startswith("parameters['b'] holds <jsii.")
        assert other.endswith(
            ", which is no value: must be the object itself, or Token.as_string(…) of it inside a text"
        )

    def test_a_key_that_is_known_at_deployment_only_is_refused(self, declare: Declare, text: str) -> None:
        with pytest.raises(ValidationError) as error:
            declare(parameters={"a": {f"say {text}": 1}})
        (problem,) = error.value.problems
        assert problem == (
            f"parameters['a'] has the key {f'say {text}'!r}, which is known at deployment only: must be written out, "
            "for whoever sets it could name another member"
        )

    def test_items_taken_out_of_a_list_token_are_refused(self, stack: Stack, declare: Declare) -> None:
        names = CfnParameter(stack, "Names", type="CommaDelimitedList").value_as_list
        with pytest.raises(ValidationError) as error:
            declare(parameters={"a": names[0], "b": [*names, "x"], "c": f"{names}"})
        problem = (
            "holds an item of a list that is known at deployment only: must be the whole list by itself, or "
            "Fn.select(index, list)"
        )
        assert error.value.problems == [f"parameters{at} {problem}" for at in ("['a']", "['b'][0]", "['c']")]

    def test_references_to_parameters_of_systems_manager_pass(self, stack: Stack, declare: Declare) -> None:
        reference = CfnDynamicReference(CfnDynamicReferenceService.SSM, "/ref/fasta:1").to_string()
        declare(name=reference, tags={"a": reference}, parameters={"a": reference, "b": f"é/{reference}"})
        arrived = start_run(stack)
        assert arrived["name"] == arrived["tags"]["a"] == arrived["parameters"]["a"] == "{{resolve:ssm:/ref/fasta:1}}"
        assert arrived["parameters"]["b"] == "é/{{resolve:ssm:/ref/fasta:1}}"


class TestPolicies:
    @pytest.mark.parametrize("value", HOSTILE)
    def test_a_value_adds_no_statement_to_a_session_policy(
        self, stack: Stack, declare: Declare, text: str, value: str
    ) -> None:
        statement = aws_iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"arn:aws:s3:::{text}/*"])
        declare("Run", session_policy=aws_iam.PolicyDocument(statements=[statement]))
        policy = json.loads(start_run(stack, {"Text": value})["sessionPolicy"])
        assert policy["Statement"] == [
            {"Action": "s3:GetObject", "Effect": "Allow", "Resource": f"arn:aws:s3:::{value}/*"}
        ]

    def test_nor_where_the_policy_is_text(self, stack: Stack, declare: Declare, text: str) -> None:
        declare(session_policy=json.dumps({"Statement": [{"Resource": f"arn:aws:s3:::{text}"}]}))
        policy = start_run(stack, {"Text": '","Effect":"Allow'})["sessionPolicy"]
        assert json.loads(policy) == {"Statement": [{"Resource": 'arn:aws:s3:::","Effect":"Allow'}]}

    def test_statements_may_be_added_after_the_run(self, stack: Stack, declare: Declare) -> None:
        policy = aws_iam.PolicyDocument()
        declare(session_policy=policy)
        policy.add_statements(aws_iam.PolicyStatement(actions=["s3:*"], resources=["*"]))
        assert '"s3:*"' in start_run(stack)["sessionPolicy"]

    def test_a_policy_that_is_one_value_passes_as_it_is(self, properties: Properties, text: str) -> None:
        found = properties(session_policy=text)
        assert found["SessionPolicy"] == {"Ref": "Text"}
        assert "SessionPolicyValues" not in found


def test_a_document_without_tokens_has_no_values(properties: Properties) -> None:
    found = properties(parameters={"sample": "Möller", "scatter": 24})
    assert found["Parameters"] == r'{"sample":"M\u00f6ller","scatter":24}'
    assert not [name for name in found if name.endswith("Values")]


def test_the_template_is_the_same_each_time() -> None:
    def template() -> Any:
        stack = Stack(App(), "Genomes")
        number = CfnParameter(stack, "Number", type="Number")
        CfnMapping(stack, "M", mapping={"a": {"b": 1}})
        values = {"a": number.value, "b": Fn.find_in_map("M", "a", "b"), "c": Fn.condition_if("C", 1, 2)}
        HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r", parameters=values)
        return Template.from_stack(stack).to_json()

    assert template() == template()
