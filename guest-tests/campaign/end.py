"""The end of a run, as ./session.py left it."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class End:
    """The files that ./session.py left of a run."""

    status: int
    seconds: float
    console: str
    words: str  # printed by vmm
    memory: dict | None  # how the dump compares with the guest's memory

    @classmethod
    def read(cls, results: Path) -> "End":
        def text(name: str) -> str:
            file = results / name
            return file.read_text(errors="replace") if file.exists() else ""

        end = json.loads(text("end.json") or '{"status": -1, "seconds": 0}')
        return cls(end["status"], end["seconds"], text("console"), text("stderr"), end.get("memory"))

    @property
    def evidence(self) -> str:
        tails = "\n".join([*self.console.splitlines()[-15:], "--- vmm said:", *self.words.splitlines()[-10:]])
        return f"{tails}\n--- and ended with {self.status}"
