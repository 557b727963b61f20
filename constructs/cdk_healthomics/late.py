"""What can be told of a stack's runs at synthesis only: what tokens resolve to, and what the final template holds."""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Final
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import CfnJson, IAnyProducer, IResolvable, IResolveContext, Lazy, Reference, Stack

from cdk_healthomics import cautions, kind, references, removal
from cdk_healthomics.template import Template
from cdk_healthomics.tokens import form_of, is_token
from cdk_healthomics.values import UnknownTypeError, Value, typed, write
from cdk_healthomics.workflow import Comparison, comparison
from cdk_healthomics_handler.documents import ROOT
from cdk_healthomics_handler.names import ValueType
from constructs import Construct, IValidation

_POLICY: Final = "session_policy"
"""All its values are text."""
_LATE: Final[WeakKeyDictionary[Stack, "Late"]] = WeakKeyDictionary()


@jsii.implements(IValidation)
class Late:
    """Of one stack: one validation, and one question to the CDK's other process for many tokens."""

    def __init__(self, stack: Stack) -> None:
        self.stack: Final = stack
        self.template = Template(stack)
        self._documents: list[_Document] = []
        self._properties: list[tuple[Construct, Mapping[str, Any]]] = []
        self._comparisons: list[tuple[Construct, Comparison]] = []
        stack.node.add_validation(self)

    @classmethod
    def of(cls, stack: Stack) -> "Late":
        """The one of a stack; made when it is first asked for."""
        if stack not in _LATE:
            _LATE[stack] = cls(stack)
        return _LATE[stack]

    def document(
        self, run: Construct, argument: str, document: Any, told: Callable[[str], str] = str
    ) -> tuple[Any, IResolvable]:
        """A document that holds what is known at deployment only: its JSON text, and the values in its places.

        Args:
            run: whose it is.
            argument: as a person typed it.
            document: its value.
            told: of the path in the document, how a person typed that.
        """
        added = _Document(self, run, argument, document, told)
        self._documents.append(added)
        values = Lazy.uncached_any(_Produced(added, of_text=False))
        # Where all of it is a token, the text is not known before, too.
        return (Lazy.uncached_any(_Produced(added, of_text=True)) if is_token(document) else added.text), values

    def watch(self, run: Construct, properties: Mapping[str, Any], tags: IResolvable) -> None:
        """Look at what the other properties resolve to, by their arguments."""
        # A map is no token, but holds texts.
        tokens = {name: value for name, value in properties.items() if isinstance(value, Mapping) or is_token(value)}
        self._properties.append((run, {**tokens, "tags": tags}))

    def compare(self, run: Construct, arguments: Mapping[str, Any], parameters: Collection[str] | None) -> None:
        """Compare a run's arguments with its workflow construct, if it has one, as the final template has that.

        Args:
            run: the run.
            arguments: its own.
            parameters: their names; None: they are not known.
        """
        compared = comparison(arguments, parameters)
        if compared:
            self._comparisons.append((run, compared))

    def validate(self) -> list[str]:
        """What is wrong with which run."""
        removal.settle(self.stack)
        self.template = Template(self.stack)
        return [f"{kind.at(run)}: {problem}" for run, problem in self._problems()]

    def resolved(self, tokens: list[Any]) -> list[Any]:
        """What the CDK resolves tokens to; None where to nothing."""
        # Runs share role, bucket and reference genome: what is the same is asked once.
        names = [token if isinstance(token, str) else f"{index}" for index, token in enumerate(tokens)]
        asked = {name: f"{index}" for index, name in enumerate(dict.fromkeys(names))}
        found = self.stack.resolve({asked[name]: token for name, token in zip(names, tokens, strict=True)})
        return [found.get(asked[name]) for name in names]

    def _problems(self) -> Iterator[tuple[Construct, str]]:
        resolved = iter(self.resolved([token for document in self._documents for token in document.tokens]))
        for document in self._documents:
            document.settle(list(islice(resolved, len(document.tokens))))
            yield from ((document.run, problem) for problem in document.problems)
        named = [(run, argument, value) for run, tokens in self._properties for argument, value in tokens.items()]
        for (run, argument, _), value in zip(named, self.resolved([value for *_, value in named]), strict=True):
            yield from ((run, problem) for problem in references.problems(argument, value, kind.of(run).file))
        templates = {self.stack: self.template}
        for run, compared in self._comparisons:
            stack = Stack.of(compared.workflow)
            properties = templates.setdefault(stack, Template(stack)).properties(compared.workflow)
            yield from ((run, problem) for problem in compared.problems(properties))
            cautions.of_settings(run, compared.warning(properties))


class _Document:
    """One document with what is known at deployment only."""

    def __init__(self, late: Late, run: Construct, argument: str, document: Any, told: Callable[[str], str]) -> None:
        self.run: Final = run
        self.late: Final = late
        self.tokens: Final[list[Any]] = []
        self.problems: list[str] = []
        self._argument: Final = argument
        self._told: Final = told
        self._places: Final[list[tuple[str, str]]] = []
        self._settled: tuple[str, dict[str, Value]] | None = None
        # Each has its place already, whatever it resolves to.
        self.text: Final = write(document, self._place_of, argument)

    def _place_of(self, part: Any, place: str, path: str) -> bool:
        if not is_token(part):
            return False
        self.tokens.append(part)
        self._places.append((place, self._told(path)))
        return True

    def settled(self) -> tuple[str, dict[str, Value]]:
        """The text, and the values in its places.

        Raises:
            ValueError: a type cannot be known.
        """
        if self._settled is None:
            self.settle(self.late.resolved(self.tokens))
        if self._settled is None:
            raise ValueError(f"{kind.at(self.run)}: {'; '.join(self.problems)}")
        return self._settled

    def settle(self, resolved: list[Any]) -> None:
        """Find every type anew, by what the tokens resolve to."""
        self.problems.clear()
        parts = zip(self._places, self.tokens, resolved, strict=True)
        values = {place: self._value(path, token, value) for (place, path), token, value in parts}
        whole = values.get(ROOT)
        if whole is not None and not self.problems and not _is_object(whole):
            self.problems.append(
                f"{self._places[0][1]} is a token that is no dict: must be a dict, whose values may be"
            )
        if self.problems:
            self._settled = None
        elif whole is not None and ValueType.JSON in whole:
            self._settled = whole[ValueType.JSON], whole.get(ValueType.VALUES, {})
        else:
            self._settled = self.text, values

    def _value(self, path: str, token: Any, resolved: Any) -> Value:
        found = list(references.problems(path, resolved, kind.of(self.run).file))
        if _is_cfn_json(token) and self._argument != _POLICY:
            found.append(f"{path} is a CfnJson, whose values arrive as text: must be the list or dict itself")
        try:
            if not found:
                return typed(resolved, form_of(token), self.late.template)
        except UnknownTypeError as unknown:
            found = [f"{path} {unknown}"]
        self.problems += found
        return {}


def _is_cfn_json(token: Any) -> bool:
    """Whether a token is a CfnJson, or its value."""
    if not isinstance(token, Reference):
        return isinstance(token, CfnJson)
    return any(isinstance(scope, CfnJson) for scope in token.target.node.scopes)


def _is_object(value: Value) -> bool:
    if "Fn::If" in value:
        return all(_is_object(branch) for branch in value["Fn::If"][1:])
    return ValueType.NO_VALUE in value or value.get(ValueType.JSON, "").startswith("{")


@jsii.implements(IAnyProducer)
class _Produced:
    """The text of a document, or the values in its places, when the CDK asks."""

    def __init__(self, document: _Document, *, of_text: bool) -> None:
        self._document: Final = document
        self._of_text: Final = of_text

    def produce(self, context: IResolveContext) -> Any:
        """The tokens themselves while the CDK looks for references to other stacks; what is settled after that."""
        if context.preparing:
            return self._document.tokens
        if self._document.late.template.is_rendered:
            return None
        text, values = self._document.settled()
        return text if self._of_text else values or None
