// What a kernel cannot find by itself: the devices of vmm/platform/memory_map.h, in AML. Compiled by
// iasl when the program is built.
//
// There is no PCI host bridge, so nobody scans for PCI, and no keyboard controller, so nobody
// waits for one. The processors are in the MADT.
DefinitionBlock ("", "DSDT", 2, "VMM   ", "VMM     ", 1)
{
    Scope (\_SB)
    {
        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))  // 16550A
            Name (_UID, 1)
            Name (_STA, 0x0F)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x03F8, 0x03F8, 1, 8)
                IRQNoFlags () {4}
            })
        }

        // Linux's pvpanic-mmio driver binds to this name and takes the first resource.
        Device (PEVT)
        {
            Name (_HID, "QEMU0001")
            Name (_STA, 0x0F)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0505, 0x0505, 1, 1)
            })
        }

        // Linux's qemu_fw_cfg driver, if it is loaded, tells through this where its VMCOREINFO is.
        Device (FWCF)
        {
            Name (_HID, "QEMU0002")
            Name (_STA, 0x0B)  // as in QEMU: not shown to users
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0510, 0x0510, 1, 12)
            })
        }

        Device (RTC)
        {
            Name (_HID, EisaId ("PNP0B00"))  // MC146818
            Name (_STA, 0x0F)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0070, 0x0070, 1, 2)
                IRQNoFlags () {8}
            })
        }
    }

    // Soft off: SLP_TYPa is what devices/acpi_pm.h calls kSlpTypS5.
    Name (\_S5, Package () {5, 5, 0, 0})
}
