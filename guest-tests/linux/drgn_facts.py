"""Run by drgn on a vmcore: prints what ./checks.py wants to know."""

from drgn import Program

prog: Program  # drgn's own

print("release", prog["init_uts_ns"].name.release.string_().decode())
crashed = prog.crashed_thread()
print("crashed", crashed.tid, crashed.object.comm.string_().decode())
for number, frame in enumerate(crashed.stack_trace()):
    print("frame", number, frame.name)
