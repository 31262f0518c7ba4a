"""Counts the cases in GoogleTest's XML, and prints those that did not pass."""

import xml.etree.ElementTree as ElementTree
from collections import Counter


def count(label: str, cases_file: str, times: bool = False) -> Counter:
    """How many "passed", "failed" and were "skipped", of the test binary `label`. `times` has each passed one printed, too."""
    ends = Counter()
    for case in ElementTree.parse(cases_file).iter("testcase"):
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            ends["failed"] += 1
            print(f"not ok - {label}: {case.get('classname')}.{case.get('name')}")
        elif skipped is not None:
            ends["skipped"] += 1
            reason = skipped.get("message") or (skipped.text or "").strip()
            print(f"skip - {case.get('classname')}.{case.get('name')}: {' '.join(reason.split())}")
        else:
            ends["passed"] += 1
            if times:
                print(f"ok - {case.get('classname')}.{case.get('name')} ({float(case.get('time', 0)):.0f} s)")
    return ends
