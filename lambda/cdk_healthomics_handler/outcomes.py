"""How a request ends: the answers that the decisions come to. Pure, standard library only."""

from cdk_healthomics_handler import reason
from cdk_healthomics_handler.actions import Answer
from cdk_healthomics_handler.event import NOTHING_STARTED, UNSETTLED, Request
from cdk_healthomics_handler.run import Run
from cdk_healthomics_handler.seen import Seen


def succeeded(request: Request, why: str, run: Run) -> Answer:
    """SUCCESS of a Create or Update: its run, with every attribute."""
    physical_id = request.link_id or str(run.physical_id)
    return Answer(why, succeeded=True, physical_id=physical_id, attributes=run.attributes)


def done(request: Request, why: str) -> Answer:
    """SUCCESS of a Delete."""
    return Answer(why, succeeded=True, physical_id=request.physical_id or "")


def ended(request: Request, run: Run, seen: Seen) -> Answer:
    """FAILED: the run has ended otherwise than was waited for."""
    return Answer(
        reason.of_end(run, seen.tasks or ()), succeeded=False, physical_id=request.link_id or str(run.physical_id)
    )


def overtaken(request: Request, run: Run | None, seen: Seen, outcome: str) -> Answer:
    """FAILED, to nobody: a newer request has taken this one's place."""
    return failed(request, run, seen, f"CloudFormation has given this request up and moved on, {outcome}.")


def failed(request: Request, run: Run | None, seen: Seen, why: str) -> Answer:
    """FAILED. Where the Create has no run, its id tells the Delete that follows whether there can be one."""
    made_up = f"{UNSETTLED if seen.uncertain else NOTHING_STARTED}{request.request_id}"
    physical_id = request.link_id or (str(run.physical_id) if run else request.physical_id or made_up)
    return Answer(why, succeeded=False, physical_id=physical_id)
