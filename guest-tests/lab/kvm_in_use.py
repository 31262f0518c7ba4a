"""Keeps KVM in use while a session runs guest after guest.

When the last VM is gone, KVM leaves the processors, and with the next VM it takes them again. When that goes on and on,
the emulated machine now and then stands still forever. That was not seen while one VM stayed.
"""

import fcntl
import os

KVM_CREATE_VM = 0xAE01


class KvmInUse:
    def __init__(self) -> None:
        self._kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
        self._vm = fcntl.ioctl(self._kvm, KVM_CREATE_VM, 0)
        os.set_inheritable(self._vm, False)

    def close(self) -> None:
        os.close(self._vm)
        os.close(self._kvm)
