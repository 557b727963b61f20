"""What each run of a batch has of its own: in the template where it is small, in a file where there is much of it."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Fn, Stack, aws_iam, aws_s3
from aws_cdk.assertions import Annotations, Match, Template

from cdk_healthomics import HealthOmicsRunBatch, RunSetting, ValidationError, settings_file
from cdk_healthomics_handler.documents import filled
from cdk_healthomics_handler.names import BATCH_TYPE
from tests.synth.synthesis import refusals

Declare = Callable[..., HealthOmicsRunBatch]
Properties = Callable[..., dict[str, Any]]
MANY = 101


def samples(number: int, **arguments: Any) -> Iterator[RunSetting]:
    return (RunSetting(f"S{index}", **arguments) for index in range(number))


def problems(declare: Declare, settings: Any, **arguments: Any) -> list[str]:
    with pytest.raises(ValidationError) as error:
        declare(run_settings=settings, **arguments)
    return error.value.problems


def file_of(app: App) -> Path:
    """The one file that is an asset of an app."""
    (found,) = Path(app.synth().directory).glob("asset.*.json")
    return found


def declared(settings: Any) -> App:
    app = App()
    HealthOmicsRunBatch(Stack(app, "Genomes"), "Cohort", workflow_id="1", output_uri="s3://b/c", run_settings=settings)
    return app


class TestInline:
    def test_every_member_of_a_setting_arrives_as_it_was_written(self, batch_properties: Properties) -> None:
        setting = RunSetting(
            "NA12878",
            name="trio",
            output_uri="s3://bucket/NA12878",
            priority=7,
            parameters={"bam": "s3://bucket/a.bam", "lanes": [1, 2.0], "paired": True, "none": None, "big": 2**53 + 1},
            output_bucket_owner_id="123456789012",
            run_tags={"sample": "NA12878"},
            engine_settings={"profile": "test"},
        )
        assert batch_properties(run_settings=[setting])["InlineSettings"] == (
            '[{"runSettingId":"NA12878","name":"trio","outputUri":"s3://bucket/NA12878","priority":7,'
            '"parameters":{"bam":"s3://bucket/a.bam","lanes":[1,2.0],"paired":true,"none":null,"big":9007199254740993},'
            '"outputBucketOwnerId":"123456789012","runTags":{"sample":"NA12878"},"engineSettings":{"profile":"test"}}]'
        )

    def test_a_dict_is_as_good_as_a_run_setting(self, batch_properties: Properties) -> None:
        settings = [{"run_setting_id": "A", "priority": 1, "name": None}, RunSetting("B", priority=2)]
        found = json.loads(batch_properties(run_settings=settings)["InlineSettings"])
        assert found == [{"runSettingId": "A", "priority": 1}, {"runSettingId": "B", "priority": 2}]

    def test_what_is_known_at_deployment_only_travels_beside_the_document(
        self, stack: Stack, batch_properties: Properties
    ) -> None:
        lanes, bucket = CfnParameter(stack, "Lanes", type="Number"), aws_s3.Bucket(stack, "Inputs")
        bam = bucket.s3_url_for_object("a.bam")
        settings = [
            RunSetting("A", parameters={"bam": bam, "lanes": lanes.value_as_number}),
            RunSetting("B", output_uri=bucket.s3_url_for_object("b"), run_tags={"bucket": bucket.bucket_name}),
        ]
        found = batch_properties(run_settings=settings)
        values = found["InlineSettingsValues"]
        assert found["InlineSettings"] == (
            '[{"runSettingId":"A","parameters":{"bam":null,"lanes":null}},'
            '{"runSettingId":"B","outputUri":null,"runTags":{"bucket":null}}]'
        )
        assert values["#/0/parameters/lanes"] == {"Number": {"Ref": "Lanes"}}
        assert set(values) == {
            "#/0/parameters/bam",
            "#/0/parameters/lanes",
            "#/1/outputUri",
            "#/1/runTags/bucket",
        }
        arrived = {place: dict.fromkeys(value, "8") for place, value in values.items()}
        assert filled(found["InlineSettings"], arrived) == [
            {"runSettingId": "A", "parameters": {"bam": "8", "lanes": 8}},
            {"runSettingId": "B", "outputUri": "8", "runTags": {"bucket": "8"}},
        ]

    def test_a_hundred_that_hold_such_go_into_the_template_whatever_their_size(
        self, stack: Stack, batch_properties: Properties
    ) -> None:
        late = CfnParameter(stack, "Late").value_as_string
        found = batch_properties(run_settings=samples(100, parameters={"late": late, "long": "x" * 1000}))
        assert len(json.loads(found["InlineSettings"])) == len(found["InlineSettingsValues"]) == 100

    def test_a_type_that_cannot_be_known_is_told_by_the_id_of_the_setting(
        self, stack: Stack, declare_batch: Declare
    ) -> None:
        known = CfnParameter(stack, "Known").value_as_string
        declare_batch(
            run_settings=[
                RunSetting("A", parameters={"known": known}),
                RunSetting("B", parameters={"it": [Fn.transform("Twice", {})]}),
            ]
        )
        (problem,) = refusals(stack)
        assert problem.startswith(
            "'Genomes/Cohort': run_settings['B'].parameters['it'][0] is Fn::Transform, whose type"
        )


class TestFile:
    @pytest.mark.parametrize(
        ("number", "text", "in_template"),
        [(100, "x" * 100, True), (100, "x" * 1000, False), (1, "x" * 30_000, False), (MANY, "", False)],
    )
    def test_what_is_many_or_long_goes_into_a_file(
        self, batch_properties: Properties, number: int, text: str, *, in_template: bool
    ) -> None:
        found = batch_properties(run_settings=samples(number, parameters={"text": text}))
        assert ("InlineSettings" in found) is in_template
        assert ("S3UriSettings" in found) is not in_template

    def test_the_file_holds_the_settings_as_the_api_has_them(self) -> None:
        app = declared(samples(1000, parameters={"n": 1.0, "big": 2**53 + 1, "text": "µ"}))
        text = file_of(app).read_text()
        assert '"parameters":{"n":1.0,"big":9007199254740993,' in text
        assert json.loads(text) == [
            {"runSettingId": f"S{index}", "parameters": {"n": 1.0, "big": 2**53 + 1, "text": "µ"}}
            for index in range(1000)
        ]

    def test_the_files_address_changes_with_its_content_only(self) -> None:
        names = [file_of(declared(samples(MANY, priority=priority))).name for priority in (1, 1, 2)]
        assert names[0] == names[1] != names[2]

    def test_the_role_that_is_made_may_read_it_and_no_other_asset_before_the_batch_starts(
        self, stack: Stack, declare_batch: Declare
    ) -> None:
        declare_batch(run_settings=samples(MANY))
        template = Template.from_stack(stack)
        ((name, policy),) = template.find_resources("AWS::IAM::Policy").items()
        (batch,) = template.find_resources(BATCH_TYPE).values()
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        uri = batch["Properties"]["S3UriSettings"]["Fn::Sub"]
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        assert statement == {
            "Action": "s3:GetObject",
            "Effect": "Allow",
            "Resource": {
                "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", {"Fn::Sub": bucket}, f"/{key}"]]
            },
        }
        assert name in batch["DependsOn"]

    def test_a_role_that_cannot_be_changed_is_warned_of(self, stack: Stack, declare_batch: Declare) -> None:
        role = aws_iam.Role.from_role_arn(stack, "Given", "arn:aws:iam::123456789012:role/given", mutable=False)
        declare_batch(run_settings=samples(MANY), role=role)
        Annotations.from_stack(stack).has_warning(
            "/Genomes/Cohort",
            Match.string_like_regexp(
                "role Given takes no statements: HealthOmics refuses the batch unless its policies allow .*s3:GetObject"
            ),
        )

    def test_where_assets_are_not_staged_the_file_outlasts_the_app(self, tmp_path: Path) -> None:
        app = App(outdir=str(tmp_path), context={"aws:cdk:disable-asset-staging": True})
        stack = Stack(app, "Genomes")
        for each in ("First", "Second"):
            HealthOmicsRunBatch(
                stack, each, workflow_id="1", output_uri="s3://b/c", run_settings=samples(MANY, name=each)
            )
        app.synth()
        assets = json.loads((tmp_path / "Genomes.assets.json").read_text())["files"].values()
        files = [Path(each["source"]["path"]) for each in assets if each["source"]["path"].endswith(".json")]
        found = [json.loads((tmp_path / path).read_text()) for path in files if path.name != "Genomes.template.json"]
        assert sorted(each[0]["name"] for each in found) == ["First", "Second"]

    @pytest.mark.parametrize("wrong", [True, False], ids=["refused", "declared"])
    def test_nothing_is_left_of_it_beside_the_asset(
        self, declare_batch: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, wrong: bool
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        settings = [*samples(MANY), *([RunSetting("S1")] if wrong else [])]
        if wrong:
            problems(declare_batch, settings)
        else:
            declare_batch(run_settings=settings)
        assert not [each for each in tmp_path.rglob("*") if each.name == "settings.json"]

    def test_what_is_known_at_deployment_only_cannot_go_there(self, stack: Stack, declare_batch: Declare) -> None:
        late = CfnParameter(stack, "Late").value_as_string
        settings = [RunSetting("A", name=late), *samples(MANY), RunSetting("B", parameters={"late": late})]
        assert problems(declare_batch, settings) == [
            "run_settings of 'A', 'B' hold what is known at deployment only, and there are more than 100: must hold "
            "nothing of that, for so many go into a file when the app is synthesized; put it into the parameters of "
            "the batch, which all runs have, or declare batches of at most 100 runs"
        ]


class TestReading:
    @pytest.mark.parametrize("number", [1, MANY])
    def test_an_iterable_is_read_once_setting_by_setting(self, declare_batch: Declare, number: int) -> None:
        alive = [0, 0]

        class Counted(RunSetting):
            def __init__(self, setting_id: str) -> None:
                super().__init__(setting_id, parameters={"bam": f"s3://b/{setting_id}"})
                alive[0] += 1
                alive[1] = max(alive)

            def __del__(self) -> None:
                alive[0] -= 1

        reading = (Counted(f"S{index}") for index in range(number))
        declare_batch(run_settings=reading)
        assert next(reading, None) is None
        assert alive[1] <= 2, "a setting is let go before the one after the next is made"

    def test_more_than_a_batch_takes_are_not_read(
        self, declare_batch: Declare, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert settings_file.MOST == 100_000
        monkeypatch.setattr(settings_file, "MOST", 150)
        endless = count()
        assert problems(declare_batch, (RunSetting(f"S{index}") for index in endless)) == [
            "run_settings has more than 150 settings: must have at most 150, for HealthOmics takes no more as one "
            "batch; declare several batches"
        ]
        assert next(endless) == 151

    def test_a_mistake_of_the_iterables_own_is_the_users_to_see(self, stack: Stack, declare_batch: Declare) -> None:
        def broken() -> Iterator[RunSetting]:
            yield RunSetting("A")
            raise KeyError("fastq_1")

        with pytest.raises(KeyError, match="fastq_1"):
            declare_batch(run_settings=broken())
        assert stack.node.try_find_child("Cohort") is None

    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ([], ["run_settings has no settings: must have at least one"]),
            ("NA12878", ["run_settings was 'NA12878': must be RunSettings, or dicts of their arguments"]),
            ({"A": {}}, ["run_settings was {'A': {}}: must be RunSettings, or dicts of their arguments"]),
            (5, ["run_settings was 5: must be RunSettings, or dicts of their arguments"]),
            (["NA12878"], ["run_settings[0] was 'NA12878': must be a RunSetting, or a dict of its arguments"]),
            (
                [{"name": "A"}],
                ["run_settings[0].run_setting_id was not given: must be text of its own, such as the sample's name"],
            ),
            ([RunSetting(5)], ["run_settings[0].run_setting_id was 5: must be text; write it in quotes"]),  # type: ignore[arg-type]
            (
                [RunSetting("")],
                ["run_settings[''].run_setting_id was '', 0 characters long: must have 1 to 128"],
            ),
            (
                [RunSetting("A"), RunSetting("B"), RunSetting("A")],
                ["run_settings[2].run_setting_id was 'A', as that of run_settings[0]: must be unique"],
            ),
            (
                [{"run_setting_id": "A", "runTags": {}, "workflow_id": "1"}],
                [
                    "run_settings['A'] has 'runTags', 'workflow_id': must be of run_setting_id, name, output_uri, "
                    "priority, parameters, output_bucket_owner_id, run_tags, engine_settings"
                ],
            ),
            (
                [RunSetting("A", priority=-1, output_uri="/data"), RunSetting("B", parameters={"n": float("nan")})],
                [
                    "run_settings['A'].priority was -1: must be a whole number from 0 to 100000",
                    "run_settings['A'].output_uri was '/data': must be an S3 URI such as 's3://bucket/runs'",
                    "run_settings['B'].parameters['n'] was nan: must be a finite number, for JSON has no other",
                ],
            ),
            (
                [RunSetting("A", parameters={"long": "x" * 50_000})],
                [
                    "run_settings['A'].parameters is 50,011 bytes as JSON: must be at most 50,000; put them into a "
                    "file on S3, and give its URI instead"
                ],
            ),
            (
                [RunSetting("A", parameters={"key": "{{resolve:ssm-secure:key}}"})],
                [
                    "run_settings['A'].parameters['key'] holds {{resolve:ssm-secure:key}}: must hold no secretsmanager "
                    "and no ssm-secure reference, for CloudFormation resolves neither for custom resources, and the "
                    "run would get the reference; put it into a file on S3, and give its URI instead"
                ],
            ),
            (
                [RunSetting("A", run_tags={"aws:x": "y"})],
                [
                    "the key of run_settings['A'].run_tags['aws:x'] begins with a reserved prefix: must not begin with "
                    "aws: or cdk-healthomics:"
                ],
            ),
        ],
    )
    def test_what_is_wrong_is_told_by_the_settings_id(
        self, declare_batch: Declare, settings: Any, expected: list[str]
    ) -> None:
        assert problems(declare_batch, settings) == expected

    def test_each_run_needs_an_output_uri_of_its_own_or_the_batchs(self, declare_batch: Declare) -> None:
        settings = [RunSetting("A", output_uri="s3://b/a"), RunSetting("B")]
        assert problems(declare_batch, settings, output_uri=None) == [
            "run_settings['B'].output_uri was not given, nor output_uri of the batch: give one of them"
        ]

    def test_an_id_must_be_known(self, stack: Stack, declare_batch: Declare) -> None:
        late = CfnParameter(stack, "Late").value_as_string
        (problem,) = problems(declare_batch, [RunSetting(late)])
        assert problem.endswith(
            ".run_setting_id is known at deployment only: must be written out, for each must be there once"
        )

    def test_of_very_many_problems_the_first_are_told_and_how_many_more(self, declare_batch: Declare) -> None:
        found = problems(declare_batch, samples(1000, priority=-1), workflow_id=None)
        assert found[0] == "neither workflow_id nor workflow was given: give one of them"
        assert found[1:3] == [
            f"run_settings['S{index}'].priority was -1: must be a whole number from 0 to 100000" for index in range(2)
        ]
        assert found[-1] == "and 980 more problems of run_settings"
        assert len(found) == 22
