"""The benchmark of handlers works, and the calls that it counts are those that are promised. Times are not tested."""

from benchmarks import functions
from benchmarks.peers import OURS


def test_every_handler_does_the_same_work_and_a_create_is_two_calls() -> None:
    figures = {each.name: each for each in functions.measure(rounds=1, warm=1, installing=False)}
    assert len(figures) == 5
    assert all(each.cold and each.warm and each.memory for each in figures.values())
    assert figures[OURS].create_calls == 2
    assert figures[OURS].delete_calls <= 4
    assert f"| {OURS} |" in str(functions.table(list(figures.values())))
