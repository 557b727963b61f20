"""Run an app as it is, with tools at its root: ``python checked_app.py APP OUT TOOL…``.

It runs with the interpreter of the environment that has the tools, so it needs nothing of the tests. The app's stacks
are in one account and region: Guard's rules tell a known account only where it stands in the template.
"""

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aws_cdk

PACKS: Final = ("AwsSolutionsChecks", "HIPAASecurityChecks", "NIST80053R5Checks", "PCIDSS321Checks")
ENVIRONMENT: Final = aws_cdk.Environment(account="123456789012", region="us-east-1")
APP, OUT, *ASKED = sys.argv[1:]


def _cdk_nag_2(app: aws_cdk.App) -> None:
    import cdk_nag  # noqa: PLC0415 - it is in one environment only

    for pack in PACKS:
        aws_cdk.Aspects.of(app).add(getattr(cdk_nag, pack)(report_formats=[cdk_nag.NagReportFormat.JSON]))


def _cdk_nag_3(app: aws_cdk.App) -> None:
    import cdk_nag  # noqa: PLC0415 - likewise

    aws_cdk.Validations.of(app).add_plugins(*(getattr(cdk_nag, pack)(app) for pack in PACKS))


def _cfn_guard(app: aws_cdk.App) -> None:
    from cdklabs.cdk_validator_cfnguard import CfnGuardValidator  # noqa: PLC0415 - likewise

    aws_cdk.Validations.of(app).add_plugins(CfnGuardValidator())


TOOLS: Final[dict[str, Callable[[aws_cdk.App], None]]] = {
    "cdk-nag 2": _cdk_nag_2,
    "cdk-nag 3": _cdk_nag_3,
    "cfn-guard": _cfn_guard,
}


class _App(aws_cdk.App):
    """In the place of ``App``."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(outdir=OUT, **arguments)
        for tool in ASKED:
            TOOLS[tool](self)

    def synth(self, **arguments: Any) -> Any:
        """Note which constructs are the library's, too."""
        own = [each.node.path for each in self.node.find_all() if type(each).__module__.startswith("cdk_healthomics.")]
        Path(OUT, "own.json").write_text(json.dumps(own), encoding="utf-8")
        return super().synth(**arguments)


class _Stack(aws_cdk.Stack):
    """In the place of ``Stack``."""

    def __init__(self, scope: Any, construct_id: str, **arguments: Any) -> None:
        super().__init__(scope, construct_id, **{"env": ENVIRONMENT, **arguments})


vars(aws_cdk).update(App=_App, Stack=_Stack)
runpy.run_path(APP, run_name="__main__")
