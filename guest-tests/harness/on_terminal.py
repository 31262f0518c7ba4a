"""A program on a terminal of its own, of which the test plays the user."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time

TIOCGPTN = 0x80045430  # the number of a terminal in /dev/pts


class OnTerminal:
    """Starts `command` with a terminal as its three streams, in its foreground."""

    def __init__(self, command: list[str], rows: int, columns: int) -> None:
        self.seen = b""
        self._pid, self._master = pty.fork()
        if self._pid == 0:
            # The parent gives the size before it lets us go on.
            os.read(0, 1)
            os.execv(command[0], command)
        number = struct.unpack("I", fcntl.ioctl(self._master, TIOCGPTN, bytes(4)))[0]
        self._slave = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY)
        self._mode = termios.tcgetattr(self._slave)
        self.resize(rows, columns)
        os.write(self._master, b"\n")

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, pattern: str, seconds: float = 150) -> bool:
        """False: what came in that time does not match. What matches, and all before it, is forgotten."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = re.search(pattern.encode(), self.seen)
            if found:
                self.seen = self.seen[found.end() :]
                return True
            if select.select([self._master], [], [], 1)[0]:
                self.seen += os.read(self._master, 65536)
        return False

    def is_raw(self) -> bool:
        return not termios.tcgetattr(self._slave)[3] & termios.ICANON

    def mode_is_restored(self) -> bool:
        return termios.tcgetattr(self._slave) == self._mode

    def end(self, seconds: float = 60) -> int | None:
        """The exit status; None if it does not end in that time, and then it is killed."""
        stop = time.monotonic() + seconds
        while time.monotonic() < stop:
            if select.select([self._master], [], [], 0.1)[0]:
                self.seen += os.read(self._master, 65536)
            ended, status = os.waitpid(self._pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        os.kill(self._pid, 9)
        os.waitpid(self._pid, 0)
        return None
