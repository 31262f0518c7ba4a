"""Judges whether vmm named the end of a run correctly, by its exit code and result.json."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ends.cases import End

# Outcomes of a run in which vmm saw nothing bad.
UNSEEN = {"power-off", "reset", "guest-exit", "timeout"}


@dataclass(frozen=True)
class Verdict:
    """The mistakes in the name of a run's end; empty if there are none."""

    faults: tuple[str, ...]
    missed: bool = False  # there was a bad end and vmm saw nothing of it; otherwise it took the end for another one
    signature: str = ""
    evidence: str = ""

    @property
    def right(self) -> bool:
        return not self.faults


def judge(end: End, results: Path) -> Verdict:
    def text(name: str) -> str:
        file = results / name
        return file.read_text(errors="replace") if file.exists() else ""

    record = json.loads(text("result.json") or "{}")
    status = json.loads(text("end.json") or "{}").get("status")
    faults = [*_check_outcome(end, record, status), *_check_words(end, record)]
    missed = record.get("outcome") in UNSEEN and end.outcome not in UNSEEN
    tails = [*text("console").splitlines()[-12:], "--- vmm said:", *text("stderr").splitlines()[-12:]]
    signature = (record.get("death") or {}).get("signature", "")
    return Verdict(tuple(faults), missed, signature, "\n".join([*faults, *tails]))


def _check_outcome(end: End, record: dict, status: int | None) -> list[str]:
    seen = {
        "outcome": (record.get("outcome"), end.outcome),
        "exit code": (status, end.exit_code),
        "exit code in the record": (record.get("exit_code"), end.exit_code),
        "source of the panic": ((record.get("panic") or {}).get("source", ""), end.source),
        "kind of the hang": ((record.get("hang") or {}).get("kind", ""), end.hang),
    }
    if end.outcome == "guest-exit":
        seen["guest's status"] = (record.get("guest_status"), end.exit_code)
    return [f"{name} is {is_!r}, not {must_be!r}" for name, (is_, must_be) in seen.items() if is_ != must_be]


def _check_words(end: End, record: dict) -> list[str]:
    faults = []
    death = record.get("death") or {}
    message = death.get("message", "")
    if re.search(end.message, message) is None:
        faults.append(f"message is {message!r}, not {end.message!r}")
    # "check_panic_on_warn.cold+0x1f/0x30": the compiler has moved a part of the function elsewhere.
    functions = [re.split(r"[.+]", frame)[0] for frame in death.get("stack", [])]
    if (record.get("fault") or {}).get("registers_lost"):
        # kvm_amd resets the vCPU before it reports a triple fault. vmm must not make anything up then.
        if functions:
            faults.append(f"stack is {functions}, of registers that are lost")
        return faults
    if end.source and not death.get("signature"):
        faults.append("no signature")
    behind = functions[functions.index("panic") + 1 :] if "panic" in functions else functions
    if end.frames and (behind[:1] != [end.frames[0]] or not _in_order(behind, end.frames)):
        faults.append(f"stack is {functions}, not with {end.frames} in it, the first of them the innermost")
    told = [f"{line['sign']}: {line['line']}" for line in record.get("console", {}).get("lines", [])]
    faults += [f"no {sign!r} is told of the console, only {told}" for sign in end.signs
               if not any(re.search(sign, line) for line in told)]  # fmt: skip
    if end.clean and told:
        faults.append(f"of the console of a clean boot is told {told}")
    return faults


def _in_order(functions: list[str], wanted: tuple[str, ...]) -> bool:
    left = iter(functions)
    return all(function in left for function in wanted)
