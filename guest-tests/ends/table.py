"""Counts the runs of a campaign, by end and kernel: right, missed, mistaken."""

from collections import defaultdict
from dataclasses import dataclass, field

from ends.cases import End
from ends.judge import Verdict
from lab.kernels import FLAVOURS


@dataclass(frozen=True)
class Run:
    end: End
    flavour: str  # from lab.kernels.FLAVOURS
    number: int  # of this end with this kernel, from 1

    @property
    def name(self) -> str:
        """Also names the folder of its results."""
        return f"{self.flavour}-{self.end.file_name}-{self.number}"

    def __str__(self) -> str:
        return f"{self.flavour}, {self.end.title}, run {self.number}"


@dataclass
class Count:
    runs: int = 0
    right: int = 0
    missed: int = 0
    mistaken: int = 0

    def add(self, other: "Count") -> None:
        self.runs += other.runs
        self.right += other.right
        self.missed += other.missed
        self.mistaken += other.mistaken


@dataclass
class Table:
    _rows: dict[End, dict[str, Count]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Count)))

    def add(self, run: Run, verdict: Verdict) -> None:
        wrong = not verdict.right
        missed = wrong and verdict.missed
        self._rows[run.end][run.flavour].add(Count(1, verdict.right, missed, wrong and not missed))

    def __str__(self) -> str:
        lines = [_line("right / runs", *FLAVOURS, "missed", "mistaken")]
        for heading, clean in ("provoked", False), ("clean", True):
            rows = {end: cells for end, cells in self._rows.items() if end.clean == clean}
            total: dict[str, Count] = defaultdict(Count)
            for cells in rows.values():
                for flavour, count in cells.items():
                    total[flavour].add(count)
            lines += ["", *(_row(end.title, cells) for end, cells in rows.items()), _row(f"all {heading}", total)]
        return "\n".join(lines)


def _row(title: str, cells: dict[str, Count]) -> str:
    whole = Count()
    for count in cells.values():
        whole.add(count)
    right = [f"{cells[flavour].right} / {cells[flavour].runs}" if flavour in cells else "-" for flavour in FLAVOURS]
    return _line(title, *right, str(whole.missed), str(whole.mistaken))


def _line(title: str, *cells: str) -> str:
    return f"{title:<44}" + "".join(f"{cell:>11}" for cell in cells)
