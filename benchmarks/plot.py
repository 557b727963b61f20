"""The figures as a picture, beside the tables in docs/performance.md."""

from pathlib import Path
from statistics import median
from typing import Final

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.ticker import NullFormatter

from benchmarks.functions import Figures
from benchmarks.peers import OURS
from benchmarks.report import PAGE
from benchmarks.synthesis import NAMES, Synthesis

PICTURE: Final = PAGE.with_suffix(".svg")
_OURS, _OTHERS = "#0b6e4f", "#8d99ae"


def functions_and_synthesis(figures: list[Figures], made: list[Synthesis], path: Path = PICTURE) -> None:
    """Cold Creates and peak memory of each handler, and the CPU time of each construct's synthesis."""
    mpl.rcParams["svg.hashsalt"] = "cdk-healthomics"
    drawn, (cold, memory, synthesis) = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    names = [each.name.replace(", ", ",\n") for each in figures]
    colours = [_OURS if each.name == OURS else _OTHERS for each in figures]
    for axes, title, values in (
        (cold, "cold Create, ms", [each.cold for each in figures]),
        (memory, "peak memory, MB", [each.memory for each in figures]),
    ):
        bars = axes.barh(names, [median(each) for each in values], color=colours)
        axes.bar_label(bars, fmt="%.0f", padding=3)
        axes.set_title(title)
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    cold.set_xscale("log")
    cold.xaxis.set_minor_formatter(NullFormatter())  # its labels lie upon each other
    memory.set_yticklabels([])
    for kind, name in NAMES.items():
        points = [(each.runs, median(each.seconds)) for each in made if each.kind == kind and each.size]
        style = {"color": _OURS, "linewidth": 2.5} if kind == "run" else {"linewidth": 1.2}
        synthesis.plot(*zip(*points, strict=True), marker="o", markersize=4, label=name, **style)
    synthesis.set_title("CPU of a synthesis, s, by runs in the stack")
    synthesis.set_ylim(bottom=0)
    synthesis.legend(fontsize="small", loc="lower right")
    synthesis.spines[["top", "right"]].set_visible(False)
    drawn.savefig(path, metadata={"Date": None})
    plt.close(drawn)
