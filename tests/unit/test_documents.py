"""What is known at deployment only is put into a document that has been parsed: pure."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdk_healthomics_handler.documents import filled, pointer
from cdk_healthomics_handler.names import ValueType
from tests.events import PROPERTIES, new_request, wanted

HOSTILE = ['x","dry_run":false,"y":"z', r"chr\tags", r"\u0041", '"', "one\ntwo\r", "é試", "\x00\x1f", "", "null", "#/a"]
SCALARS = st.none() | st.booleans() | st.integers() | st.text()
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=10
)


def asked(**properties: Any) -> Any:
    return wanted(new_request(properties={**PROPERTIES, **properties})).start_run


def apart(document: Any, place: str, values: dict[str, Any]) -> Any:
    """A document with null for each text, and what belongs there."""
    if isinstance(document, str):
        values[place] = {"Text": document}
        return None
    if isinstance(document, list):
        return [apart(item, pointer(place, index), values) for index, item in enumerate(document)]
    if isinstance(document, dict):
        return {key: apart(item, pointer(place, key), values) for key, item in document.items()}
    return document


class TestPlaces:
    @given(document=DOCUMENTS)
    def test_what_is_taken_out_of_a_document_is_put_back_to_where_it_was(self, document: Any) -> None:
        values: dict[str, Any] = {}
        text = json.dumps(apart(document, "#", values))
        assert json.dumps(filled(text, values)) == json.dumps(document)
        assert all(place.isascii() for place in values)

    @pytest.mark.parametrize("text", HOSTILE)
    def test_a_value_is_never_read_as_json(self, text: str) -> None:
        parameters = '{"sample":null,"dry_run":true,"nested":{"list":[1,null]}}'
        values = {"#/sample": {"Text": text}, "#/nested/list/1": {"Text": text}}
        assert asked(Parameters=parameters, ParametersValues=values)["parameters"] == {
            "sample": text,
            "dry_run": True,
            "nested": {"list": [1, text]},
        }

    def test_a_literal_that_looks_like_a_place_is_itself(self) -> None:
        text = '{"a":null,"#/a":"#/a","b":{"Text":"#/a"},"c":null}'
        assert filled(text, {"#/a": {"Text": "value"}}) == {
            "a": "value",
            "#/a": "#/a",
            "b": {"Text": "#/a"},
            "c": None,
        }

    def test_a_value_that_looks_like_a_place_is_itself(self) -> None:
        assert filled('{"a":null,"b":null}', {"#/a": {"Text": "#/b"}, "#/b": {"Text": "b"}}) == {"a": "#/b", "b": "b"}


class TestTypes:
    @pytest.mark.parametrize(
        ("value", "arrives"),
        [
            ({"Text": "24"}, "24"),
            ({"Text": ["a", "1"]}, ["a", "1"]),
            ({"Text": {"a": ["b"]}}, {"a": ["b"]}),
            ({"Number": "24"}, 24),
            ({"Number": "-0.5"}, -0.5),
            ({"Number": "9007199254740993"}, 9007199254740993),
            ({"Number": "1.0"}, 1.0),
            ({"Number": ["1", "2.5"]}, [1, 2.5]),
            ({"Boolean": "false"}, False),
            ({"Boolean": ["true", "false"]}, [True, False]),
            ({"Json": "96"}, 96),
            ({"Json": "false"}, False),
            ({"Json": '[1,null,"é"]', "Values": {"#/1": {"Number": "2"}}}, [1, 2, "é"]),
            ({"Joined": [{"Json": '"\\u00e9-"'}, {"Text": "a"}, {}]}, "é-a"),
        ],
        ids=json.dumps,
    )
    def test_a_value_has_the_type_that_it_comes_with(self, value: Any, arrives: Any) -> None:
        assert json.dumps(filled('{"a":null}', {"#/a": value})) == json.dumps({"a": arrives})

    @pytest.mark.parametrize("nothing", [{"NoValue": "true"}, {}], ids=json.dumps)
    def test_what_cloudformation_leaves_out_is_left_out(self, nothing: Any) -> None:
        text = '{"a":null,"b":[null,1,null,null],"c":{"d":null}}'
        places = ("#/a", "#/b/0", "#/b/3", "#/c/d")
        values = {**dict.fromkeys(places, nothing), "#/b/2": {"Text": "2"}}
        assert filled(text, values) == {"b": [1, "2"], "c": {}}

    def test_a_document_that_is_left_out_is_no_member(self) -> None:
        assert "parameters" not in asked(Parameters="null", ParametersValues={"#": {"NoValue": "true"}})

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"#/a": {"Number": "many"}}, "Parameters at #/a: must be a number (ValueError)."),
            ({"#/a": {"Number": "nan"}}, "Parameters at #/a: must be a number (ValueError)."),
            ({"#/a": {"Boolean": "yes"}}, "Parameters at #/a: must be true or false (KeyError)."),
            (
                {"#/a": {"Json": "[[null]]", "Values": {"#/0/0": {"Number": "x"}}}},
                "Parameters at #/a/0/0: must be a number (ValueError).",
            ),
            ({"#/z": {"Text": "x"}}, "Parameters: must be one JSON document, as a string (KeyError)."),
            ({"#/a/0": {"Text": "x"}}, "Parameters: must be one JSON document, as a string (TypeError)."),
            ({"#/a": {"Telescope": "x"}}, "Parameters: must be one JSON document, as a string (KeyError)."),
        ],
    )
    def test_a_value_that_does_not_fit_is_told_by_its_place_and_never_shown(self, values: Any, message: str) -> None:
        with pytest.raises(ValueError, match=r".") as error:
            asked(Parameters='{"a":null}', ParametersValues=values)
        assert str(error.value) == message


class TestMembers:
    def test_every_document_may_have_values_and_a_policy_becomes_text_again(self) -> None:
        start_run = asked(
            EngineSettings='{"profile":null}',
            EngineSettingsValues={"#/profile": {"Text": "test"}},
            SessionPolicy='{"Statement":[{"Resource":null}]}',
            SessionPolicyValues={"#/Statement/0/Resource": {"Text": 'a","Effect":"Allow'}},
        )
        assert start_run["engineSettings"] == {"profile": "test"}
        assert start_run["sessionPolicy"] == r'{"Statement":[{"Resource":"a\",\"Effect\":\"Allow"}]}'

    def test_others_have_none(self) -> None:
        with pytest.raises(ValueError, match=r"^WorkflowIdValues: not a property of this resource\."):
            asked(WorkflowIdValues={})

    def test_the_same_document_is_the_same_definition_however_it_travelled(self) -> None:
        def definition(**properties: Any) -> str:
            return wanted(new_request(properties={**PROPERTIES, **properties})).definition

        whole = definition(Parameters='{"sample_name":"NA12878é","scatter":24}')
        values = {"#/sample_name": {"Text": "NA12878é"}, "#/scatter": {"Number": "24"}}
        assert definition(Parameters='{"sample_name":null,"scatter":null}', ParametersValues=values) == whole
        assert definition(Parameters='{"sample_name":"NA12878\\u00e9","scatter":24}') == whole
        assert (
            definition(Parameters="null", ParametersValues={"#": {"Json": '{"sample_name":"NA12878é","scatter":24}'}})
            == whole
        )
        assert definition(Parameters='{"sample_name":"NA12878é","scatter":"24"}') != whole

    def test_every_type_is_known_to_the_handler(self) -> None:
        examples = {
            ValueType.TEXT: "1",
            ValueType.NUMBER: "1",
            ValueType.BOOLEAN: "true",
            ValueType.JSON: "1",
            ValueType.JOINED: [],
            ValueType.NO_VALUE: "true",
        }
        assert set(examples) | {ValueType.VALUES} == set(ValueType)
        for kind, example in examples.items():
            filled('{"a":null}', {"#/a": {kind.value: example}})
