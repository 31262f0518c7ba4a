"""Run by drgn on L2's vmcore: prints the facts that ./run needs."""

from drgn import Object, Program
from drgn.helpers.linux.pid import for_each_task

prog: Program  # provided by drgn

THREAD_SIZE = 16384  # x86-64 without KASAN
OLD_NAMES = {"rax": "ax", "rbx": "bx", "rcx": "cx", "rdx": "dx", "rsi": "si", "rdi": "di", "rbp": "bp"}

print("release", prog["init_uts_ns"].name.release.string_().decode())

for task in for_each_task(prog):
    comm = task.comm.string_().decode()
    print("task", task.pid.value_(), comm)
    if comm == "spin":  # the kernel saved it at its last entry
        top = task.stack.value_() + THREAD_SIZE - prog.type("struct pt_regs").size
        regs = Object(prog, "struct pt_regs", address=top)
        for name in ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", *(f"r{n}" for n in range(8, 16))]:
            print(f"spin.{name}", hex(regs.member_(OLD_NAMES.get(name, name)).value_()))
    if comm == "sh":
        print("waits", *(frame.name for frame in prog.stack_trace(task) if frame.name))
