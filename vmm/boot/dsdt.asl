// The DSDT in AML. It describes the devices in vmm/platform/memory_map.h that a kernel cannot find by itself. iasl
// compiles it when the program is built.
//
// There is no PCI host bridge, so no kernel scans for PCI. There is no keyboard controller, so no kernel waits for one.
// The processors are in the MADT.
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

        // Linux's qemu_fw_cfg driver, if it is loaded, reports the address of its VMCOREINFO through this device.
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

    // Soft off. SLP_TYPa has the value of kSlpTypS5 in devices/acpi_pm.h.
    Name (\_S5, Package () {5, 5, 0, 0})
}
