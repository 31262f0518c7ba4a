// The first three virtio devices as iasl sees them: virtio_aml_test.cc compares what VirtioDevicesAml writes.
DefinitionBlock ("", "SSDT", 2, "VMM   ", "VMM     ", 1)
{
    Scope (\_SB)
    {
        Device (VR00)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xD0000000, 0x200)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) {5}
            })
        }

        Device (VR01)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xD0001000, 0x200)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) {6}
            })
        }

        Device (VR02)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 2)
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xD0002000, 0x200)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) {7}
            })
        }
    }
}
