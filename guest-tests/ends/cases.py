"""The table of ends: the way in which a stock kernel reaches each, the witness that sees it, and the message that vmm
must then print."""

import re
from dataclasses import dataclass, replace

HANG_AFTER_S = 8


@dataclass(frozen=True)
class End:
    """One way for a run to end."""

    name: str
    job: str  # for the guest's init, in ./jobs or ../campaign/init
    # The values that result.json must have.
    outcome: str
    exit_code: int
    source: str = ""  # of a panic or triple fault
    hang: str = ""  # the kind of hang
    message: str = ""  # a pattern for the death's message
    frames: tuple[str, ...] = ()  # in this order in the dead CPU's stack, the first one next to panic() or to the top
    signs: tuple[str, ...] = ()  # patterns, each for a line of trouble on the console: "oops: BUG: kernel NULL"
    # The way to bring it about.
    witness: str = ""  # the witness that sees it, for the name and the table
    append: str = ""
    arguments: tuple[str, ...] = ()
    initrd: bool = True
    cpus: int = 1
    act: str = ""  # what ./session.py does to vmm
    timeout_s: int = 180
    begun: str = r"guest: .* job "  # a pattern on the console: from then on the guest can end like this
    clean: bool = False  # nothing is wrong with this guest
    often: int = 1  # runs per round

    @property
    def title(self) -> str:
        return f"{self.name}, {self.witness}" if self.witness else self.name

    @property
    def file_name(self) -> str:
        return re.sub(r"\W+", "-", self.title)

    @property
    def command_line(self) -> list[str]:
        """The arguments for vmm."""
        words = ["console=ttyS0", "quiet", f"job={self.job}" if self.initrd else "", self.append]
        return [f"--append={' '.join(word for word in words if word)}", f"--cpus={self.cpus}", "--memory=256M",
                *self.arguments]  # fmt: skip


# The possible witnesses of a panic. Each is alone: the other witnesses are switched off.
CATCH = {"witness": "caught", "source": "trap", "arguments": ("--catch=panic",)}
PVPANIC = {"witness": "pvpanic", "source": "pvpanic", "arguments": ("--catch=off",)}
CONSOLE = {"witness": "console", "source": "console", "arguments": ("--catch=off", "--catch-console=panic")}


def seen_by(end: End, *witnesses: dict) -> list[End]:
    """Returns `end` once for each of `witnesses`. The console's witness gets a kernel without a pvpanic driver."""
    ends = []
    for witness in witnesses:
        append = f"{end.append} modules=no" if witness is CONSOLE else end.append
        more = dict(witness, append=append.strip(), arguments=(*end.arguments, *witness["arguments"]))
        ends.append(replace(end, **more))
    return ends


def panic(name: str, job: str, message: str, *frames: str, **more: object) -> End:
    return End(name, job, "panic", 120, message=message, frames=frames, **more)


NO_INIT = {"initrd": False, "begun": "Kernel panic"}

PANICS = [
    *seen_by(panic("sysrq-c", "panic", "^sysrq triggered crash$", "sysrq_handle_crash"), CATCH, PVPANIC, CONSOLE),
    *seen_by(panic("NULL dereference", "null-pointer", "^Fatal exception$", "oops_end", "null_pointer", "ends_init",
                   append="oops=panic", signs=("^oops: .*kernel NULL pointer",)), CATCH, PVPANIC, CONSOLE),
    *seen_by(panic("BUG()", "bug", "^Fatal exception$", "oops_end", "bug", "ends_init",
                   append="oops=panic", signs=("^bug: .*kernel BUG at .*ends.c:",)), CATCH, PVPANIC, CONSOLE),
    *seen_by(panic("WARN(), panic_on_warn", "warning", "panic_on_warn set", "check_panic_on_warn", "__warn", "warning",
                   append="loglevel=5 sysctl.kernel.panic_on_warn=1", signs=("^warning: .*ends.c:",)),
             CATCH, PVPANIC, CONSOLE),
    *seen_by(panic("stack overflow", "stack-overflow", "^Fatal exception", "oops_end", "stack_overflow",
                   append="oops=panic", signs=("^oops: .*stack guard page",)), CATCH, PVPANIC, CONSOLE),
    *seen_by(panic("init ends", "exit", "^Attempted to kill init!", "do_exit"), CATCH, PVPANIC, CONSOLE),
    *seen_by(panic("no root", "", "^VFS: Unable to mount root fs", "mount_block_root", "prepare_namespace",
                   append="root=/dev/nowhere", **NO_INIT), CATCH, CONSOLE),
    *seen_by(panic("panic in early boot", "", "panic_on_warn set", "check_panic_on_warn", "__warn", "rcu_init",
                   append="rcutree.rcu_fanout_leaf=1 panic_on_warn=1 earlyprintk=ttyS0", **NO_INIT), CATCH, CONSOLE),
    *seen_by(panic("reboot after a panic", "panic", "^sysrq triggered crash$", "sysrq_handle_crash",
                   append="panic=1"), CATCH, PVPANIC),
    # Without a witness it is still no reset, and no time-out.
    panic("reboot after a panic", "panic", "^sysrq triggered crash$", "sysrq_handle_crash", witness="unwatched",
          source="console", append="panic=1 modules=no", arguments=("--catch=off",)),
    panic("sysrq-c", "panic", "^sysrq triggered crash$", "sysrq_handle_crash", witness="unwatched",
          source="console", append="modules=no", arguments=("--catch=off",), timeout_s=40, begun="Kernel panic"),
    panic("sysrq-c, no pvpanic driver", "panic", "^sysrq triggered crash$", "sysrq_handle_crash",
          witness="caught", source="trap", append="modules=no", arguments=("--catch=panic",)),
    # The kernel's own watchdogs.
    *seen_by(panic("soft lockup, the kernel's word", "soft-lockup", "^softlockup: hung tasks", "watchdog_timer_fn",
                   append="softlockup_panic=1 sysctl.kernel.watchdog_thresh=3", signs=("^soft-lockup: ",)),
             CATCH, PVPANIC),
    *seen_by(panic("hung task, the kernel's word", "deadlock", "^hung_task: blocked tasks", "watchdog",
                   append="sysctl.kernel.hung_task_panic=1 sysctl.kernel.hung_task_timeout_secs=4",
                   signs=("^hung-task: ",)), CATCH, PVPANIC),
]  # fmt: skip

# Caught where it happens, in a kernel that would live on; and the same ends if vmm is not asked to catch them.
CAUGHT_OOPS = {"witness": "caught", "source": "trap", "arguments": ("--catch=oops",)}
CAUGHT_WARNING = {"witness": "caught", "source": "trap", "arguments": ("--catch=warn",)}
OOPSES = [
    *seen_by(panic("oops of a NULL dereference", "null-pointer", "^BUG: kernel NULL pointer dereference",
                   "oops_exit", "null_pointer", signs=("^oops: .*kernel NULL pointer",)), CAUGHT_OOPS),
    *seen_by(panic("oops of a BUG()", "bug", "^kernel BUG at", "oops_exit", "bug", signs=("^bug: .*kernel BUG at",)),
             CAUGHT_OOPS),
    *seen_by(panic("oops of a stack overflow", "stack-overflow", "^BUG: TASK stack guard page was hit",
                   "oops_exit", "stack_overflow", signs=("^oops: .*stack guard page",)), CAUGHT_OOPS),
    # In the lab the emulated CPU now and then gives the kernel an earlier reason to warn, about its XSAVE area.
    *seen_by(panic("WARN()", "warning", "", "__warn", "warning", append="noxsave"), CAUGHT_WARNING),
    End("oops survived", "null-pointer", "power-off", 0, signs=("^oops: ",), arguments=("--catch=panic",)),
    End("WARN() survived", "warning", "power-off", 0, append="loglevel=5", signs=("^warning: .*ends.c:",),
        arguments=("--catch=panic",)),
]  # fmt: skip

WATCHED = (f"--hang-after={HANG_AFTER_S}s", "--catch=panic")


def hang(name: str, job: str, kind: str, **more: object) -> End:
    return End(name, job, "hang", 122, hang=kind, arguments=WATCHED, **more)


HANGS = [
    hang("hard lockup", "hard-lockup", "interrupts-off", frames=("loop_without_interrupts",)),
    hang("hard lockup, one of two CPUs", "hard-lockup", "interrupts-off", cpus=2, frames=("loop_without_interrupts",)),
    hang("hard lockup, NMI panics", "hard-lockup", "interrupts-off", append="unknown_nmi_panic", source="trap",
         message="^NMI: Not continuing$", frames=("nmi_panic", "loop_without_interrupts")),
    hang("soft lockup", "soft-lockup", "livelock"),
    hang("deadlock in the kernel", "deadlock", "idle"),
    hang("deadlock in user space", "lost-wakeup", "idle"),
]  # fmt: skip

OTHERS = [
    End("triple fault", "triple-fault", "triple-fault", 121, source="triple-fault", frames=("triple_fault",),
        arguments=WATCHED),
    End("power-off", "poweroff", "power-off", 0, arguments=WATCHED),
    End("reboot", "reboot", "reset", 123, arguments=WATCHED),
    End("a program's status", "status", "guest-exit", 42, arguments=WATCHED),
    End("time-out", "waits", "timeout", 124, timeout_s=25, arguments=("--catch=panic",), begun=""),
    End("SIGTERM to vmm", "waits", "interrupted", 143, act="terminate", arguments=WATCHED),
    # The host's fault, not a hang of the guest.
    End("vmm stopped for longer than --hang-after", "starved", "power-off", 0, act="stop", arguments=WATCHED),
    End("vmm with a CPU quota of 3 %", "starved", "power-off", 0, act="starve", arguments=WATCHED),
]  # fmt: skip

PROVOKED = [*PANICS, *OOPSES, *HANGS, *OTHERS]


def clean(name: str, job: str, often: int, **more: object) -> End:
    return End(name, job, "power-off", 0, begun="guest: has worked", clean=True, often=often, arguments=WATCHED,
               **more)  # fmt: skip


CLEAN = [
    clean("boot, work, power off", "work", 22),
    clean("user loop longer than --hang-after", "long-user-loop", 4),
    clean("kernel loop longer than --hang-after", "long-kernel-loop", 4),
    clean("two CPUs, one idle", "two-cpus", 4, cpus=2),
]

# Each outcome, each witness, each kind of hang and each kernel at least once.
_QUICK = {
    "cloud": ["sysrq-c, caught", "BUG(), pvpanic", "no root, console", "sysrq-c, unwatched",
              "oops of a stack overflow, caught", "hard lockup", "triple fault", "power-off", "reboot",
              "a program's status", "vmm stopped for longer than --hang-after", "boot, work, power off"],
    "amd64": ["NULL dereference, console", "soft lockup", "time-out", "vmm with a CPU quota of 3 %",
              "two CPUs, one idle"],
    "rt": ["WARN(), panic_on_warn, caught", "deadlock in user space", "reboot after a panic, pvpanic",
           "kernel loop longer than --hang-after"],
}  # fmt: skip
_BY_TITLE = {end.title: end for end in [*PROVOKED, *CLEAN]}
QUICK = [(flavour, _BY_TITLE[title]) for flavour, titles in _QUICK.items() for title in titles]
