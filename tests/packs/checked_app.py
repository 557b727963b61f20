"""Run an app as it is, with a tool at its root: ``python checked_app.py TOOL APP OUT``.

It runs with the interpreter of the environment that has the tool, so it needs nothing of the tests.
"""

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk

PACKS = ("AwsSolutionsChecks", "HIPAASecurityChecks", "NIST80053R5Checks", "PCIDSS321Checks")


def _cdk_nag_2(app: aws_cdk.App) -> None:
    import cdk_nag  # noqa: PLC0415 - each tool is in one environment

    for pack in PACKS:
        aws_cdk.Aspects.of(app).add(getattr(cdk_nag, pack)(report_formats=[cdk_nag.NagReportFormat.JSON]))


def _cdk_nag_3(app: aws_cdk.App) -> None:
    import cdk_nag  # noqa: PLC0415

    aws_cdk.Validations.of(app).add_plugins(*(getattr(cdk_nag, pack)(app) for pack in PACKS))


def _cfn_guard(app: aws_cdk.App) -> None:
    from cdklabs.cdk_validator_cfnguard import CfnGuardValidator  # noqa: PLC0415

    aws_cdk.Validations.of(app).add_plugins(CfnGuardValidator())


TOOLS: dict[str, Callable[[aws_cdk.App], None]] = {
    "cdk-nag 2": _cdk_nag_2,
    "cdk-nag 3": _cdk_nag_3,
    "cfn-guard": _cfn_guard,
}


class _Checked(aws_cdk.App):
    """What the app gets in the place of ``App``."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(outdir=OUT, **arguments)
        TOOLS[TOOL](self)

    def synth(self, **arguments: Any) -> Any:
        """Note which constructs are the library's, too."""
        own = [each.node.path for each in self.node.find_all() if type(each).__module__.startswith("cdk_healthomics.")]
        Path(OUT, "own.json").write_text(json.dumps(own))
        return super().synth(**arguments)


TOOL, APP, OUT = sys.argv[1:]
setattr(aws_cdk, "App", _Checked)
runpy.run_path(APP, run_name="__main__")
