"""QEMU's monitor."""

import json
import subprocess


class QemuError(Exception):
    """QEMU did not carry out a command; this says nothing about the readers of its dumps."""


class Monitor:
    """Speaks QMP with a QEMU that has it on its standard streams (`-qmp stdio`), opened as text: one command at a time.
    Keeps events until somebody asks for them. Raises QemuError."""

    def __init__(self, qemu: subprocess.Popen) -> None:
        self._qemu = qemu
        self._events: list[str] = []
        self._read()  # QEMU's greeting
        self.order("qmp_capabilities")

    def _read(self) -> dict:
        if not (line := self._qemu.stdout.readline()):
            raise QemuError("QEMU ended, or its time did")
        return json.loads(line)

    def order(self, command: str, **arguments: object) -> None:
        """Returns when the command has finished."""
        self._qemu.stdin.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._qemu.stdin.flush()
        while "return" not in (answer := self._read()):
            if "error" in answer:
                raise QemuError(f"{command}: {answer['error']['desc']}")
            self._events.append(answer.get("event", ""))

    def wait_for(self, event: str) -> None:
        while event not in self._events:
            self._events.append(self._read().get("event", ""))
