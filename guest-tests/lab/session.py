"""A session: a plan of many runs of vmm in one lab, so that the lab boots only once for all of them."""

import json
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LAB = Path(__file__).with_name("run")
FRUITLESS = 4  # give up after this many labs in a row that broke down before any run ended
STILL_S = 900  # a lab in which no run ends for so long stands still


def run_sessions(
    labs: int, script: Path, plan: dict, results: Path, has_ended: Callable[[str], bool], *lab: str,
    most_broken: int | None = None,
) -> tuple[int, int]:  # fmt: skip
    """Like run_session(), in `labs` labs at once, each with its share of the runs."""
    shares = [dict(plan, runs=plan["runs"][n::labs]) for n in range(labs)]
    with ThreadPoolExecutor(labs) as pool:
        sessions = [
            pool.submit(run_session, script, share, results, has_ended, *lab, plan_name=f"plan-{n}.json",
                        most_broken=most_broken)
            for n, share in enumerate(shares)
            if share["runs"]
        ]  # fmt: skip
        ended = [session.result() for session in sessions]
    return max((status for status, _ in ended), default=0), sum(broken for _, broken in ended)


def run_session(
    script: Path, plan: dict, results: Path, has_ended: Callable[[str], bool], *lab: str, plan_name: str = "plan.json",
    still_s: int = STILL_S, most_broken: int | None = None,
) -> tuple[int, int]:  # fmt: skip
    """Lets `script` make the plan's "runs", each with a "name", in a lab with the options `lab`. If that lab breaks
    down, or no run ends in it for `still_s` seconds, a new lab continues with the runs that have not ended. At most
    `most_broken` labs may break down; None: no limit.

    Returns the last lab's exit status, 0 if all were run, and how many broke down.
    """
    file = results / plan_name
    left, fruitless, broken = plan["runs"], 0, 0
    while left:
        file.write_text(json.dumps(dict(plan, runs=left), indent=1))
        before = left
        command = [LAB, *lab, "--", "python3", script, file]
        status = _run_lab(command, lambda: sum(has_ended(run["name"]) for run in before), still_s)
        if status == 0:
            return 0, broken
        broken += 1
        print(f"# the lab broke down ({status})", flush=True)
        left = [run for run in before if not has_ended(run["name"])]
        fruitless = fruitless + 1 if left == before else 0
        if fruitless == FRUITLESS or broken == most_broken:
            return status, broken
    return 0, broken


def _run_lab(command: list, count_ended: Callable[[], int], still_s: int) -> int:
    ended, moved = 0, time.monotonic()
    with subprocess.Popen(command) as lab:
        while True:
            try:
                return lab.wait(5)
            except subprocess.TimeoutExpired:
                if count_ended() != ended:
                    ended, moved = count_ended(), time.monotonic()
                elif time.monotonic() - moved > still_s:
                    lab.terminate()
                    return lab.wait()
