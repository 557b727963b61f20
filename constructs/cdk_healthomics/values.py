"""What is known at deployment only, each value with its type, for CloudFormation hands all of them over as text.

Types are read off what the CDK has resolved a token to (CloudFormation's functions), off the token's form, and off the
stack's own parameters and mappings. What cannot be known so is refused.
"""

from collections.abc import Callable, Iterator, Mapping
from json import JSONEncoder
from typing import Any, Final

from cdk_healthomics.template import Template
from cdk_healthomics.tokens import REFERENCE, Form
from cdk_healthomics_handler.documents import ROOT, number, pointer
from cdk_healthomics_handler.names import ValueType

Value = dict[str, Any]
"""A type and what has it (:class:`ValueType`), or an Fn::If of two such."""

encode: Final = JSONEncoder(allow_nan=False, separators=(",", ":")).encode
"""JSON as Python writes it, in ASCII: CloudFormation shows other letters as ``?``."""
_MOST_EXACT: Final = 2**53 - 1
"""JavaScript, which the CDK is, rounds whole numbers beyond this."""
_TEXTS: Final = frozenset({"Fn::Join", "Fn::Sub", "Fn::Base64", "Fn::ImportValue", "Fn::ToJsonString"})
_LISTS_OF_TEXT: Final = frozenset({"Fn::Split", "Fn::GetAZs", "Fn::Cidr"})
_CONDITIONS: Final = frozenset({"Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not"})
_BY_FORM: Final = {
    Form.TEXT: ValueType.TEXT,
    Form.WITHIN_TEXT: ValueType.TEXT,
    Form.NUMBER: ValueType.NUMBER,
    Form.LIST: ValueType.TEXT,
}
_NO_VALUE: Final[Value] = {ValueType.NO_VALUE.value: "true"}


_EXPLICIT: Final = "Token.as_number(…) of it where it is a number, Fn.sub('${it}', {'it': …}) where it is text"


class UnknownTypeError(ValueError):
    """A value's type cannot be known; the message goes on after the name of what has it."""


def write(document: Any, place_of: Callable[[Any, str, str], bool], path: str = "") -> str:
    """A document as JSON, with null where something is known at deployment only.

    Args:
        document: of mappings, lists, tuples, and what they hold.
        place_of: of a part, its place and its path: whether it is known at deployment only.
        path: of the document, as a person would type it.
    """
    return "".join(_pieces(document, place_of, ROOT, path))


def typed(resolved: Any, form: Form, template: Template) -> Value:
    """A value with its type.

    Args:
        resolved: what the CDK has resolved the token to; None where to nothing.
        form: of the token.
        template: of the stack that is deployed.

    Raises:
        UnknownTypeError: its type cannot be known.
    """
    if resolved is None:
        return _NO_VALUE
    if isinstance(resolved, (list, Mapping)):
        name = _function(resolved)
        if name is not None:
            return _of_function(name, resolved, form, template)  # type: ignore[arg-type]
        return _of_document(resolved, form, template)
    return _of_scalar(resolved, form)


def _pieces(value: Any, place_of: Callable[[Any, str, str], bool], place: str, path: str) -> Iterator[str]:
    if place_of(value, place, path):
        yield "null"
    elif isinstance(value, Mapping):
        yield "{"
        for index, (key, item) in enumerate(value.items()):
            yield f"{',' if index else ''}{encode(key)}:"
            name = str.__str__(key)  # of an enum, too, what JSON has
            yield from _pieces(item, place_of, pointer(place, name), f"{path}[{name!r}]")
        yield "}"
    elif isinstance(value, (list, tuple)):
        yield "["
        for index, item in enumerate(value):
            yield "," if index else ""
            yield from _pieces(item, place_of, pointer(place, index), f"{path}[{index}]")
        yield "]"
    else:
        yield encode(value)


def _function(resolved: Any) -> str | None:
    """The name of CloudFormation's function that a map is a call of."""
    if not isinstance(resolved, Mapping) or len(resolved) != 1:
        return None
    (name,) = resolved
    return name if name == "Ref" or name.startswith("Fn::") else None


def _of_document(resolved: Any, form: Form, template: Template) -> Value:
    if form not in {Form.ANY, Form.LIST} or (form is Form.LIST and isinstance(resolved, Mapping)):
        raise UnknownTypeError(
            f"is a {type(resolved).__name__} that its token takes for {_told(form)}: must be the list or dict itself, "
            "or a token that says nothing else, such as Fn.condition_if(…) by itself"
        )

    values: dict[str, Value] = {}

    def place_of(part: Any, place: str, _: str) -> bool:
        if _function(part) is None and isinstance(part, (list, Mapping)):
            return False
        value = typed(part, Form.ANY, template)
        if value.keys() == {ValueType.JSON.value}:
            return False
        values[place] = value
        return True

    text = write(resolved, place_of)
    return {ValueType.JSON.value: text, **({ValueType.VALUES.value: values} if values else {})}


def _of_scalar(value: Any, form: Form) -> Value:
    if form is Form.LIST:
        raise UnknownTypeError(f"is {value!r}, but its token takes it for a list: must be a list")
    if form in {Form.TEXT, Form.WITHIN_TEXT} and not isinstance(value, str):
        value = encode(value)
    if form is Form.NUMBER and isinstance(value, str):
        try:
            value = number(value)
        except ValueError:
            raise UnknownTypeError(
                f"is the text {value!r}, but its token takes it for a number: must be a number"
            ) from None
    if isinstance(value, str) and REFERENCE.search(value):
        return {ValueType.TEXT.value: value}
    if isinstance(value, (int, float)) and abs(value) > _MOST_EXACT:
        raise UnknownTypeError(
            f"is {value} inside of a token: must be from -(2**53 - 1) to 2**53 - 1 there, for the CDK rounds others; "
            "write it as text, or outside of the token"
        )
    return {ValueType.JSON.value: encode(value)}


def _of_function(name: str, resolved: Mapping[str, Any], form: Form, template: Template) -> Value:
    arguments = resolved[name]
    if name == "Fn::If":
        condition, *branches = arguments
        return {name: [condition, *(typed(branch, form, template) for branch in branches)]}
    if resolved == {"Ref": "AWS::NoValue"}:
        return _NO_VALUE
    if name in _CONDITIONS:
        raise UnknownTypeError(
            f"is a condition ({name}), which CloudFormation takes in conditions only: must be Fn.condition_if(…), with "
            "the logical id of a CfnCondition, True and False"
        )
    if name == "Fn::Join" and form is not Form.NUMBER:
        return _of_join(resolved)
    kind = ValueType.NUMBER if form is Form.NUMBER else _source(resolved, form, template)
    return {kind.value: resolved}


def _of_join(resolved: Mapping[str, Any]) -> Value:
    """A text with its pieces apart where one has letters outside ASCII; a reference must stay in one piece."""
    whole = {ValueType.TEXT.value: resolved}
    match resolved["Fn::Join"]:
        case [str(delimiter), list(parts)]:
            texts = [delimiter, *(part for part in parts if isinstance(part, str))]
        case _:
            return whole
    if all(text.isascii() for text in texts) or any("{{" in text for text in texts):
        return whole
    between = [{ValueType.JSON.value: encode(delimiter)}] if delimiter else []
    joined: list[Value] = []
    for index, part in enumerate(parts):
        literal = isinstance(part, str)
        joined += between if index else []
        joined.append({ValueType.JSON.value: encode(part)} if literal else {ValueType.TEXT.value: part})
    return {ValueType.JOINED.value: joined}


def _source(resolved: Mapping[str, Any], form: Form, template: Template) -> ValueType:
    """The type that a function's value has, by what it takes it from."""
    (name, arguments), *_ = resolved.items()
    if name == "Fn::FindInMap":
        return _of_literals(template.mapped(*arguments[:3]), _defaults(arguments[3:]), f"mapping {arguments[0]!r}")
    if name == "Fn::Select":
        return _selected(arguments[1], form, template)
    if name == "Ref":
        asked = form in {Form.ANY, Form.LIST} and "::" not in arguments
        declared = template.parameter_type(arguments) if asked else None
        return ValueType.NUMBER if declared in {"Number", "List<Number>"} else ValueType.TEXT
    if name == "Fn::Length":
        return _BY_FORM.get(form, ValueType.NUMBER)
    if name in _TEXTS | _LISTS_OF_TEXT | {"Fn::GetAtt"}:
        return ValueType.TEXT
    if form in _BY_FORM:
        return _BY_FORM[form]
    raise UnknownTypeError(f"is {name}, whose type cannot be known: must be {_EXPLICIT}")


def _selected(source: Any, form: Form, template: Template) -> ValueType:
    if isinstance(source, list):
        return _of_literals(source, [], "the list that is selected from")
    name = _function(source)
    if name == "Fn::If":
        kinds = {_selected(branch, form, template) for branch in source[name][1:]}
        if len(kinds) > 1:
            raise UnknownTypeError(_mixed("the lists that are selected from", kinds))
        return kinds.pop()
    return _source(source, Form.LIST, template) if name else ValueType.TEXT


def _defaults(further: list[Any]) -> list[Any]:
    """What Fn::FindInMap gives where there is no such key."""
    return [each["DefaultValue"] for each in further if isinstance(each, Mapping) and "DefaultValue" in each]


def _of_literals(values: list[Any], defaults: list[Any], what: str) -> ValueType:
    kinds = {kind for value in [*values, *defaults] for kind in _kinds(value)}
    if len(kinds) > 1:
        raise UnknownTypeError(_mixed(what, kinds))
    if not values:
        raise UnknownTypeError(
            f"is from {what}, which the stack does not have with these keys: must be in the stack, or else {_EXPLICIT}"
        )
    return kinds.pop() if kinds else ValueType.TEXT


def _mixed(what: str, kinds: set[ValueType]) -> str:
    told = " and ".join(sorted(kind.value.lower() for kind in kinds))
    return f"is from {what}, where it may be {told}: must be of one type there, or else {_EXPLICIT}"


def _kinds(value: Any) -> Iterator[ValueType]:
    if isinstance(value, list):
        for item in value:
            yield from _kinds(item)
    elif isinstance(value, bool):
        yield ValueType.BOOLEAN
    else:
        yield ValueType.NUMBER if isinstance(value, (int, float)) else ValueType.TEXT


def _told(form: Form) -> str:
    return "a number" if form is Form.NUMBER else "a list" if form is Form.LIST else "text"
