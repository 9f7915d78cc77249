/* A kernel in a machine's memory: where everything lies, and what is refused of a file that comes from
 * outside. */
#include "tests/unit/suite.h"
#include "vmm/bzimage.h"

#include <asm/bootparam.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 32 << 20, SECTORS = 3, CODE = 5000, KERNEL = (SECTORS + 1) * 512 + CODE };

static uint8_t kernel[KERNEL], initrd[70000], *memory;
static struct vt_bzimage image;
static struct vt_error error;
static uint64_t entry;

static struct setup_header *header(void)
{
    return (void *)(kernel + offsetof(struct boot_params, hdr));
}

static void make(void)
{
    free(memory);
    memory = calloc(1, SIZE);
    ck_assert_ptr_nonnull(memory);
    memset(kernel, 0x11, sizeof kernel);
    memset(initrd, 0x22, sizeof initrd);
    *header() = (struct setup_header){.setup_sects = SECTORS,
                                      .boot_flag = 0xaa55,
                                      .header = 0x53726448,
                                      .version = 0x20f,
                                      .xloadflags = XLF_KERNEL_64,
                                      .pref_address = 0x1000000,
                                      .init_size = 0x200000,
                                      .cmdline_size = 2047};
    image = (struct vt_bzimage){kernel, initrd, sizeof kernel, sizeof initrd, "quiet console=ttyS0"};
}

static int load(void)
{
    return vt_bzimage_load(memory, SIZE, &image, &entry, &error);
}

START_TEST(kernel_disk_and_words_lie_where_the_kernel_looks)
{
    make();
    ck_assert_msg(load() == 0, "%s", error.text);
    const struct boot_params *parameters = (void *)(memory + VT_BZIMAGE_PARAMETERS);
    ck_assert_uint_eq(entry, 0x1000200);
    ck_assert_mem_eq(memory + 0x1000000, kernel + (SECTORS + 1) * 512, CODE);
    ck_assert_mem_eq(memory + parameters->hdr.ramdisk_image, initrd, sizeof initrd);
    ck_assert_uint_eq(parameters->hdr.ramdisk_size, sizeof initrd);
    ck_assert_uint_ge(parameters->hdr.ramdisk_image, 0x1200000); /* behind what the kernel unpacks into */
    ck_assert_str_eq((const char *)memory + parameters->hdr.cmd_line_ptr, image.command_line);
    ck_assert_uint_eq(parameters->e820_entries, 2);
    ck_assert_uint_eq(parameters->e820_table[1].addr + parameters->e820_table[1].size, SIZE);
}
END_TEST

/* Long mode from the first instruction: what the entry is reached with must be mapped and be code. */
START_TEST(the_vcpu_starts_in_long_mode_on_tables_that_map_the_kernel)
{
    struct kvm_sregs sregs = {0};

    make();
    ck_assert_int_eq(load(), 0);
    vt_bzimage_registers(&sregs);
    const uint64_t *pml4 = (void *)(memory + sregs.cr3);
    const uint64_t *pdpt = (void *)(memory + (pml4[0] & ~UINT64_C(0xfff)));
    const uint64_t *directory = (void *)(memory + (pdpt[0] & ~UINT64_C(0xfff)));
    const uint64_t *gdt = (void *)(memory + sregs.gdt.base);
    ck_assert_uint_eq(directory[entry >> 21], (entry & ~UINT64_C(0x1fffff)) | 0x83);
    ck_assert_uint_eq(gdt[sregs.cs.selector / 8] >> 53 & 1, 1);
    ck_assert(sregs.cs.l && sregs.efer == 0x500 && sregs.cr0 >> 31 && sregs.cr4 >> 5 & 1);
}
END_TEST

static void refused(const char *word)
{
    ck_assert_int_lt(load(), 0);
    ck_assert_msg(strstr(error.text, word), "%s", error.text);
}

START_TEST(what_does_not_boot_is_refused_with_the_reason)
{
    make();
    header()->boot_flag = 0;
    refused("no bzImage");
    make();
    header()->version = 0x20b;
    refused("no 64-bit entry");
    make();
    header()->xloadflags = 0;
    refused("no 64-bit entry");
    make();
    image.kernel_size = 300;
    refused("no bzImage");
    make();
    header()->setup_sects = 40;
    refused("cut off");
    make();
    header()->pref_address = 0x1000;
    refused("does not fit");
    make();
    header()->pref_address = UINT64_MAX - 0x1000;
    refused("does not fit");
    make();
    header()->init_size = 0xf0000000;
    refused("does not fit");
    make();
    image.initrd_size = SIZE; /* never read: there is no room for it */
    refused("RAM disk does not fit");
    make();
    header()->cmdline_size = 5;
    refused("command line is too long");
}
END_TEST

VT_SUITE(kernel_disk_and_words_lie_where_the_kernel_looks,
         the_vcpu_starts_in_long_mode_on_tables_that_map_the_kernel,
         what_does_not_boot_is_refused_with_the_reason)
