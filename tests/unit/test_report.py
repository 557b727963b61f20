"""How measurements are told."""

from benchmarks.report import Budget, Table, budgets, spread


def test_a_spread_is_the_median_with_the_extremes() -> None:
    assert spread([3.0, 1.0, 2.26], 1) == "2.3 (1.0-3.0)"


def test_a_table_is_markdown() -> None:
    assert str(Table(("a", "b"), [("1", "2")])) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_budget_is_held_up_to_what_is_allowed() -> None:
    held = budgets([Budget("cold", 1.35, 1.35), Budget("warm", 0.5, 0.51)])
    assert [row[-1] for row in held.rows] == ["yes", "no"]
