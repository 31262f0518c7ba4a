"""A session: a plan of many runs of vmm in one lab, so that its own boot is paid for once."""

import json
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LAB = Path(__file__).with_name("run")
FRUITLESS = 4  # so many labs may break down, one after the other, in which no run came to its end
STILL_S = 900  # a lab in which none does for so long stands still


def run_sessions(
    labs: int, script: Path, plan: dict, results: Path, has_ended: Callable[[str], bool], *lab: str,
    most_broken: int | None = None,
) -> tuple[int, int]:  # fmt: skip
    """As run_session(), in so many labs at once, each with its share of the runs."""
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
    """Has `script` make the plan's "runs", each of which has a "name", in a lab with the options `lab`. Should that
    break down, or no run end in it for `still_s` seconds, a new one goes on with those that have not ended; `most_broken`
    may do so, where that is not None.

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
