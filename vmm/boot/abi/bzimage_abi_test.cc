// Checks our layouts against the kernel's own UAPI header.
#include "vmm/boot/abi/bzimage_abi.h"

#include <asm/bootparam.h>

#include "gtest/gtest.h"

namespace vmm {
namespace {

#define SAME_FIELD(field)                                                 \
  EXPECT_EQ(offsetof(SetupHeader, field), offsetof(setup_header, field)); \
  EXPECT_EQ(sizeof(SetupHeader::field), sizeof(setup_header::field))

TEST(BzImageAbiTest, TheSetupHeaderIsTheKernelsOwn) {
  EXPECT_EQ(sizeof(SetupHeader), sizeof(setup_header));
  EXPECT_EQ(kSetupHeaderOffset, offsetof(boot_params, hdr));
  SAME_FIELD(setup_sects);
  SAME_FIELD(syssize);
  SAME_FIELD(boot_flag);
  SAME_FIELD(header);
  SAME_FIELD(version);
  SAME_FIELD(kernel_version);
  SAME_FIELD(type_of_loader);
  SAME_FIELD(loadflags);
  SAME_FIELD(ramdisk_image);
  SAME_FIELD(ramdisk_size);
  SAME_FIELD(cmd_line_ptr);
  SAME_FIELD(initrd_addr_max);
  SAME_FIELD(kernel_alignment);
  SAME_FIELD(relocatable_kernel);
  SAME_FIELD(xloadflags);
  SAME_FIELD(cmdline_size);
  SAME_FIELD(payload_offset);
  SAME_FIELD(payload_length);
  SAME_FIELD(setup_data);
  SAME_FIELD(pref_address);
  SAME_FIELD(init_size);
}

TEST(BzImageAbiTest, BootParamsAreTheKernelsOwn) {
  EXPECT_EQ(kBootParamsSize, sizeof(boot_params));
  EXPECT_EQ(kBootParamsAcpiRsdpAddr, offsetof(boot_params, acpi_rsdp_addr));
  EXPECT_EQ(kBootParamsExtRamdiskImage, offsetof(boot_params, ext_ramdisk_image));
  EXPECT_EQ(kBootParamsExtRamdiskSize, offsetof(boot_params, ext_ramdisk_size));
  EXPECT_EQ(kBootParamsExtCmdLinePtr, offsetof(boot_params, ext_cmd_line_ptr));
  EXPECT_EQ(kBootParamsE820Entries, offsetof(boot_params, e820_entries));
  EXPECT_EQ(kBootParamsSentinel, offsetof(boot_params, sentinel));
  EXPECT_EQ(kBootParamsE820Table, offsetof(boot_params, e820_table));
  EXPECT_EQ(kE820MaxEntries, uint64_t{E820_MAX_ENTRIES_ZEROPAGE});
  EXPECT_EQ(sizeof(E820Entry), sizeof(boot_e820_entry));
  EXPECT_EQ(sizeof(SetupDataHead), sizeof(setup_data));
}

TEST(BzImageAbiTest, FlagsAreTheKernelsOwn) {
  EXPECT_EQ(kLoadflagLoadedHigh, LOADED_HIGH);
  EXPECT_EQ(kLoadflagKaslr, KASLR_FLAG);
  EXPECT_EQ(kXlfKernel64, XLF_KERNEL_64);
  EXPECT_EQ(kXlfCanBeLoadedAbove4G, XLF_CAN_BE_LOADED_ABOVE_4G);
  EXPECT_EQ(kXlf5Level, XLF_5LEVEL);
  EXPECT_EQ(kXlf5LevelEnabled, XLF_5LEVEL_ENABLED);
}

}  // namespace
}  // namespace vmm
