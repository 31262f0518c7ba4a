"""Collects test results as sentences, and counts them."""

from dataclasses import dataclass


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def check(self, sentence: str, holds: bool, evidence: str = "") -> bool:
        """Shows `evidence` only if the sentence does not hold."""
        if holds:
            self.passed += 1
            print(f"ok - {sentence}", flush=True)
        else:
            self.failed += 1
            print(f"not ok - {sentence}", flush=True)
            for line in evidence.rstrip().splitlines()[-30:]:
                print(f"    {line}", flush=True)
        return holds

    def skip(self, sentence: str, reason: str) -> None:
        self.skipped += 1
        print(f"skip - {sentence}: {reason}", flush=True)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"
