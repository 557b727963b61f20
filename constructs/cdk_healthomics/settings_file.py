"""The settings of a batch's runs: read once, one after the other, into the template or, where they are many, a file."""

import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Final, Self

from cdk_healthomics import model, run_setting
from cdk_healthomics.documents import late_parts, written
from cdk_healthomics.messages import listed, shown
from cdk_healthomics.tokens import is_unknown
from cdk_healthomics_handler.names import INLINE_SETTINGS

MOST: Final = 100_000
"""Runs that HealthOmics takes as one batch (User Guide, "Batch runs in HealthOmics")."""
INLINE_ROOM: Final = 20_000
"""Bytes of JSON that go into the template; what is known at deployment only goes there whatever its size is."""
_TOLD: Final = 20
"""Problems that are told one by one."""
_PATH: Final = re.compile(r"run_settings\[(\d+)\]\['(\w+)'\]")


class Settings:
    """What the runs of one batch have of their own; its file is there as long as it is open."""

    def __init__(self, given: Any, shared: Mapping[str, Any]) -> None:
        """Read the settings.

        Args:
            given: an iterable of :class:`RunSetting` or mappings, which is read once; None: there are no settings.
            shared: the arguments of the batch.
        """
        self.given: Final = given is not None
        """Whether there are any."""
        self.problems: Final[list[str]] = []
        self.parameters: dict[str, None] | None = {} if self.given else None
        """The names of all parameters; None: they are not known here."""
        self._shared: Final = shared
        self._first: Final[list[dict[str, Any]]] = []
        """As many as go into a request, for as long as they may."""
        self._ids: Final[dict[str, int]] = {}
        self._late: Final[list[str]] = []
        """Those that hold what is known at deployment only."""
        self._untold = 0
        self._folder = Path(tempfile.mkdtemp(prefix="cdk-healthomics-"))
        self._file: IO[str] | None = None
        try:
            if self.given:
                self._read(given)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the file away."""
        if self._file:
            self._file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def inline(self) -> list[dict[str, Any]] | None:
        """The settings as the API has them, where they go into the template."""
        return None if self._file else self._first

    @property
    def path(self) -> Path:
        """The file with the settings otherwise."""
        return self._folder / "settings.json"

    def told(self, path: str) -> str:
        """A path in :attr:`inline` as a person typed it."""
        ids, arguments = list(self._ids), {member: name for name, (member, _) in model.setting_shapes().items()}
        return _PATH.sub(lambda at: f"run_settings[{shown(ids[int(at[1])])}].{arguments[at[2]]}", path)

    def _read(self, given: Any) -> None:
        if not isinstance(given, Iterable) or isinstance(given, (str, bytes, Mapping)):
            self.problems.append(f"run_settings was {shown(given)}: must be RunSettings, or dicts of their arguments")
            return
        number = 0
        for number, each in enumerate(given, 1):
            if number > MOST:
                self.problems.append(
                    f"run_settings has more than {MOST:,} settings: must have at most {MOST:,}, for HealthOmics takes "
                    "no more as one batch; declare several batches"
                )
                return
            self._add(number - 1, each)
        if not number:
            self.problems.append("run_settings has no settings: must have at least one")
        elif number > _most_inline() and self._late:
            self.problems.append(
                f"run_settings of {listed(self._late)} hold what is known at deployment only, and there are more than "
                f"{_most_inline()}: must hold nothing of that, for so many go into a file when the app is synthesized; "
                "put it into the parameters of the batch, which all runs have, or declare batches of at most "
                f"{_most_inline()} runs"
            )
        if self._untold:
            self.problems.append(f"and {self._untold:,} more problems of run_settings")
        if not self.problems:
            self._settle()

    def _add(self, index: int, setting: Any) -> None:
        arguments = run_setting.arguments_of(setting)
        if arguments is None:
            self._tell(f"run_settings[{index}] was {shown(setting)}: must be a RunSetting, or a dict of its arguments")
            return
        setting_id = arguments.get("run_setting_id")
        at = run_setting.place(index, setting_id)
        found = list(run_setting.problems(at, arguments, self._shared))
        found += self._id_problems(index, setting_id)
        if found:
            self._tell(*found)
            return
        self._note_names(arguments.get("parameters", {}))
        asked = run_setting.request(arguments)
        if late_parts(asked):
            self._late.append(str(setting_id))
        if not self.problems:
            self._keep(index, asked)

    def _note_names(self, parameters: Any) -> None:
        if not isinstance(parameters, Mapping):  # a token
            self.parameters = None
        elif self.parameters is not None:
            self.parameters.update(dict.fromkeys(parameters))

    def _id_problems(self, index: int, setting_id: Any) -> list[str]:
        at = f"run_settings[{index}].run_setting_id"
        if setting_id is None:
            return [f"{at} was not given: must be text of its own, such as the sample's name"]
        if is_unknown(setting_id):
            return [f"{at} is known at deployment only: must be written out, for each must be there once"]
        if isinstance(setting_id, str) and self._ids.setdefault(setting_id, index) != index:
            return [f"{at} was {shown(setting_id)}, as that of run_settings[{self._ids[setting_id]}]: must be unique"]
        return []

    def _tell(self, *found: str) -> None:
        room = _TOLD - len(self.problems)
        self.problems.extend(found[: max(room, 0)])
        self._untold += len(found[max(room, 0) :])

    def _keep(self, index: int, asked: dict[str, Any]) -> None:
        if index < _most_inline():
            self._first.append(asked)
        elif not self._late:
            self._write(asked)

    def _settle(self) -> None:
        """Where all could go into the template, see whether they are small enough."""
        if not self._file and not self._late and sum(len(written(each)) for each in self._first) > INLINE_ROOM:
            self._begin()
        if self._file:
            self._file.write("\n]\n")
            self._file.close()

    def _write(self, asked: dict[str, Any]) -> None:
        file = self._file or self._begin()
        file.write(f",\n{written(asked)}")

    def _begin(self) -> IO[str]:
        self._file = self.path.open("w", encoding="ascii")
        self._file.write("[\n" + ",\n".join(written(each) for each in self._first))
        return self._file


def _most_inline() -> int:
    return int(model.batch_run_settings()[INLINE_SETTINGS].metadata["max"])
