"""Run by drgn on a vmcore: prints the facts that ./checks.py needs.

Does not use crashed_thread(): drgn before 0.0.27 takes the thread number of a register note, which is a CPU's number
plus one, for a PID.
"""

from drgn import Program
from drgn.helpers.linux.percpu import per_cpu
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.printk import get_dmesg

prog: Program  # provided by drgn

print("release", prog["init_uts_ns"].name.release.string_().decode())

cpu = prog["panic_cpu"].counter.value_()
print("panicked", per_cpu(prog["runqueues"], cpu).curr.comm.string_().decode())

for task in for_each_task(prog):
    print("task", task.pid.value_(), task.comm.string_().decode())

print(get_dmesg(prog).decode())
