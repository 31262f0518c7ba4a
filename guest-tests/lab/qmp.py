"""QEMU's monitor."""

import json
import subprocess


class QemuError(Exception):
    """QEMU did not do what it was told; says nothing of what reads its dumps."""


class Monitor:
    """Speaks QMP with a QEMU that has it on its standard streams (`-qmp stdio`), opened as text: one order at a time;
    events are kept until they are asked for. Raises QemuError."""

    def __init__(self, qemu: subprocess.Popen) -> None:
        self._qemu = qemu
        self._events: list[str] = []
        self._read()  # its greeting
        self.order("qmp_capabilities")

    def _read(self) -> dict:
        if not (line := self._qemu.stdout.readline()):
            raise QemuError("QEMU ended, or its time did")
        return json.loads(line)

    def order(self, command: str, **arguments: object) -> None:
        """Returns when it is done."""
        self._qemu.stdin.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._qemu.stdin.flush()
        while "return" not in (answer := self._read()):
            if "error" in answer:
                raise QemuError(f"{command}: {answer['error']['desc']}")
            self._events.append(answer.get("event", ""))

    def wait_for(self, event: str) -> None:
        while event not in self._events:
            self._events.append(self._read().get("event", ""))
