"""Checks the dump of an L1 that died with an L2 in it: with `vmcore`, then with crash and drgn on the extracted L2."""

import json
import re
from pathlib import Path

from lab import kernels
from campaign.end import End
from campaign.tools import Ran, crash, run_tool
from campaign.tally import Tally
from nested import l1

DRGN_SCRIPT = Path(__file__).with_name("drgn_facts.py")

REGISTERS = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", *(f"r{n}" for n in range(8, 16))]

# Several frames, the last of which begins a kernel stack.
WHOLE_STACK = r"^ *#[3-9].*\n(.*\n)* *#\d+ .* (secondary_startup_64|ret_from_fork|entry_|asm_)"


def judge(tally: Tally, name: str, l2: kernels.Kernel, l2_cpus: int, vmcore: Path, results: Path) -> None:
    """`results` holds the files of L1's end: end.json, console, stderr, vmcore. `vmcore` is the tool."""
    end = End.read(results)

    def check(sentence: str, holds: bool, evidence: str = "") -> bool:
        return tally.check(f"L2 {name}: {sentence}", holds, evidence)

    def tool(*words: str | Path) -> Ran:
        return run_tool(vmcore, *words)

    lived = l1.READY in end.console and l1.PANIC in end.console and end.status == 120
    if not check(f"its shell is up when L1 is panicked ({end.seconds} s)", lived, end.evidence):
        return

    l1_core, l2_core = results / "vmcore", results / "L2.vmcore"
    ran = tool("vmcs", l1_core, "--json")
    vcpus = json.loads(ran.output)["vcpus"] if ran.status == 0 else []
    check("vmcore vmcs finds a VMCB or VMCS for each of its vCPUs, and no other",
          len([vcpu for vcpu in vcpus if "no_vcpu" not in vcpu]) == l2_cpus, ran.output)  # fmt: skip

    ran = tool("guest", l1_core, "--list")
    check("vmcore guest --list names its kernel", ran.has(f"kernel  {re.escape(l2.release)}$"), ran.output)

    ran = tool("guest", l1_core, "--extract", "0", "-o", l2_core)
    if not check("one command takes its vmcore out of L1's", ran.status == 0 and l2_core.exists(), ran.output):
        return
    l1_cpus = [line for line in tool("info", l1_core).output.splitlines() if " rip " in line]
    check("general registers of each vCPU are found in L1", "not known" not in ran.output,
          "\n".join([ran.output, "L1's CPUs:", *l1_cpus]))  # fmt: skip

    ran = tool("check", l2_core)
    check("vmcore check finds nothing wrong with it", ran.status == 0, ran.output)
    ran = tool("info", l2_core, "--json")
    cpus = json.loads(ran.output)["cpus"] if ran.status == 0 else []
    check("there are all vCPUs in it", len(cpus) == l2_cpus, ran.output)

    if l2.vmlinux.exists():
        check_registers(tally, name, l2, l2_core, cpus)
        check_crash(tally, name, l2, l2_core, results, cpus)
    else:
        tally.skip(f"L2 {name}: crash and drgn", f"no vmlinux of {l2.release}")
    ran = tool("dmesg", l2_core)
    check("vmcore dmesg prints its log", "Linux version" in ran.output and "Run /init" in ran.output, ran.output)


def check_registers(tally: Tally, name: str, l2: kernels.Kernel, l2_core: Path, cpus: list[dict]) -> None:
    """Checks the registers of ./spin: on its CPU, or on its stack if its CPU had just left it for the kernel."""
    ran = run_tool("drgn", "-c", l2_core, "-s", l2.vmlinux, DRGN_SCRIPT)
    facts = dict(line.split(" ", 1) for line in ran.output.splitlines() if line.startswith("spin."))
    names = {register: int.from_bytes(register.ljust(8).encode(), "little") for register in REGISTERS}
    held = [{register: int(cpu[register], 16) for register in REGISTERS} for cpu in cpus if cpu["mode"] == "user"]
    held.append({register: int(facts.get(f"spin.{register}", "0"), 16) for register in REGISTERS})
    tally.check(f"L2 {name}: each register of the program that spun holds its own name", names in held, f"{held}")

    def check(sentence: str, holds: bool) -> None:
        tally.check(f"L2 {name}: drgn {sentence}", holds, ran.output)

    check("reads the release", ran.has(rf"^release {re.escape(l2.release)}$"))
    tasks = [r"1 init", r"2 kthreadd", r"\d+ sh", r"\d+ spin"]
    check("lists all tasks", all(ran.has(f"^task {task}$") for task in tasks))
    check("shows where the shell waits for its next line", ran.has(r"^waits .*\b(do_poll|n_tty_read)\b"))


def check_crash(tally: Tally, name: str, l2: kernels.Kernel, l2_core: Path, results: Path, cpus: list[dict]) -> None:
    # crash 8.0.2 does not find this kernel's task list by itself. If the kernel has no CONFIG_X86_MCE, it does not find
    # a CPU's position either. It takes both as arguments.
    tasks = "list task_struct.tasks -s task_struct.comm -h init_task"
    in_kernel = [(n, cpu) for n, cpu in enumerate(cpus) if cpu["mode"] == "kernel"]
    stacks = {f"set -c {n}": f"bt -S {cpu['rsp']} -I {cpu['rip']}" for n, cpu in in_kernel}
    ran, said = crash(l2, l2_core, results, "sys", "ps", "log", tasks, *(c for pair in stacks.items() for c in pair))

    def check(sentence: str, holds: bool, evidence: str) -> None:
        tally.check(f"L2 {name}: crash {sentence}", holds, evidence + ran.output)

    check("tells the release and the CPUs",
          Ran(0, said["sys"]).has(rf"RELEASE: {re.escape(l2.release)}$")
          and Ran(0, said["sys"]).has(rf"CPUS: {len(cpus)}\b"), said["sys"])  # fmt: skip
    check("prints the log", "Linux version" in said["log"] and "Run /init" in said["log"], said["log"])
    running = re.findall(r"^>.* (\S+)$", said["ps"], re.MULTILINE)
    check("shows in ps what ran on each CPU", len(running) == len(cpus) and "spin" in running, said["ps"])
    names = ["init", "kthreadd", "sh", "spin"]
    check("lists all tasks", all(f'"{name}\\000' in said[tasks] for name in names), said[tasks])
    unwound = [said[stack] for stack in stacks.values()]
    sentence = "unwinds a CPU to where the kernel begins, on the registers that were found"
    if unwound:
        check(sentence, any(re.search(WHOLE_STACK, stack, re.MULTILINE) for stack in unwound), "\n".join(unwound))
    else:
        tally.skip(f"L2 {name}: crash {sentence}", "they are all in user mode")
