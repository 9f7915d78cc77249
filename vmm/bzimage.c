#include "vmm/bzimage.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <string.h>

/* Guest-physical addresses below 1 MiB. */
#define GDT          0x6000
#define TABLES       0x8000 /* PML4, PDPT and one directory: the first gibibyte */
#define COMMAND_LINE 0x20000
#define LOW_END      0x9fc00 /* of the memory below the firmware's */
#define HIGH         0x100000

#define SECTOR          512
#define DEFAULT_SECTORS 4 /* where the header says 0 */
#define BOOT_FLAG       0xaa55
#define HEADER          0x53726448 /* "HdrS" */
#define VERSION         0x20c      /* the first with a 64-bit entry */
#define ENTRY_64        0x200      /* from where the protected-mode part lies */
#define LOADER          0xff       /* no number of its own */
#define E820_USABLE     1
#define PAGE            4096

#define PAGE_FLAGS  UINT64_C(0x003) /* present, writable */
#define PAGE_LARGE  UINT64_C(0x080)
#define ENTRIES     512
#define MAPPED_SIZE ((uint64_t)ENTRIES << 21)

#define SELECTOR_CODE   0x10 /* __BOOT_CS and __BOOT_DS */
#define SELECTOR_DATA   0x18
#define DESCRIPTOR_CODE UINT64_C(0x00af9b000000ffff)
#define DESCRIPTOR_DATA UINT64_C(0x00cf93000000ffff)

static int refuse(struct vt_error *error, const char *why)
{
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, ENOEXEC, "the kernel does not boot as a guest: %s", why);
}

static const char *judge(const struct setup_header *header, size_t from, size_t size)
{
    if (header->boot_flag != BOOT_FLAG || header->header != HEADER)
        return "it is no bzImage";
    if (header->version < VERSION || !(header->xloadflags & XLF_KERNEL_64))
        return "it has no 64-bit entry";
    return from >= size ? "it is cut off" : NULL;
}

/* In whole pages from `top` down. 0: there is no room above `floor`. */
static uint64_t place_below(uint64_t top, uint64_t floor, size_t size)
{
    uint64_t room = top > floor ? top - floor : 0;
    return size > room ? 0 : (top - size) & ~(uint64_t)(PAGE - 1);
}

static void page_tables(uint8_t *memory)
{
    uint64_t *tables = (void *)(memory + TABLES);

    memset(tables, 0, 3 * PAGE);
    tables[0] = (TABLES + PAGE) | PAGE_FLAGS;
    tables[ENTRIES] = (TABLES + 2 * PAGE) | PAGE_FLAGS;
    for (uint64_t i = 0; i < ENTRIES; i++)
        tables[2 * ENTRIES + i] = i << 21 | PAGE_FLAGS | PAGE_LARGE;
}

static void descriptors(uint8_t *memory)
{
    uint64_t *gdt = (void *)(memory + GDT);
    gdt[SELECTOR_CODE / 8] = DESCRIPTOR_CODE;
    gdt[SELECTOR_DATA / 8] = DESCRIPTOR_DATA;
}

static void memory_map(struct boot_params *parameters, size_t size)
{
    parameters->e820_table[0] = (struct boot_e820_entry){0, LOW_END, E820_USABLE};
    parameters->e820_table[1] = (struct boot_e820_entry){HIGH, size - HIGH, E820_USABLE};
    parameters->e820_entries = 2;
}

/* The kernel unpacks itself to its preferred address, and wants init_size bytes from there on. */
static int place(uint8_t *memory, size_t size, const struct vt_bzimage *image, size_t from,
                 struct boot_params *parameters, struct vt_error *error)
{
    struct setup_header *header = &parameters->hdr;
    uint64_t kernel = header->pref_address, code = image->kernel_size - from;
    uint64_t needed = code > header->init_size ? code : header->init_size;
    size_t words = strlen(image->command_line) + 1;

    if (kernel < HIGH || kernel > size || needed > size - kernel || size > MAPPED_SIZE)
        return refuse(error, "it does not fit into the machine's memory");
    uint64_t initrd = place_below(size, kernel + needed, image->initrd_size);
    if (initrd == 0)
        return refuse(error, "its initial RAM disk does not fit into the machine's memory");
    if (words > header->cmdline_size || words > LOW_END - COMMAND_LINE)
        return refuse(error, "its command line is too long");
    memcpy(memory + kernel, (const uint8_t *)image->kernel + from, code);
    memcpy(memory + initrd, image->initrd, image->initrd_size);
    memcpy(memory + COMMAND_LINE, image->command_line, words);
    header->code32_start = (uint32_t)kernel;
    header->ramdisk_image = (uint32_t)initrd;
    header->ramdisk_size = (uint32_t)image->initrd_size;
    header->cmd_line_ptr = COMMAND_LINE;
    header->type_of_loader = LOADER;
    return 0;
}

int vt_bzimage_load(uint8_t *memory, size_t size, const struct vt_bzimage *image, uint64_t *entry,
                    struct vt_error *error)
{
    struct boot_params parameters = {0};
    const size_t at = offsetof(struct boot_params, hdr);

    if (image->kernel_size < at + sizeof parameters.hdr || size < 2 * HIGH)
        return refuse(error, "it is no bzImage");
    memcpy(&parameters.hdr, (const uint8_t *)image->kernel + at, sizeof parameters.hdr);
    size_t sectors = parameters.hdr.setup_sects ? parameters.hdr.setup_sects : DEFAULT_SECTORS;
    size_t from = (sectors + 1) * SECTOR;
    const char *why = judge(&parameters.hdr, from, image->kernel_size);
    if (why)
        return refuse(error, why);
    int status = place(memory, size, image, from, &parameters, error);
    if (status != 0)
        return status;
    memory_map(&parameters, size);
    memcpy(memory + VT_BZIMAGE_PARAMETERS, &parameters, sizeof parameters);
    page_tables(memory);
    descriptors(memory);
    *entry = parameters.hdr.pref_address + ENTRY_64;
    return 0;
}

void vt_bzimage_registers(struct kvm_sregs *sregs)
{
    const struct kvm_segment code = {
        .limit = 0xffffffff, .selector = SELECTOR_CODE, .type = 0xb, .present = 1, .s = 1, .l = 1, .g = 1};
    const struct kvm_segment data = {
        .limit = 0xffffffff, .selector = SELECTOR_DATA, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1};

    sregs->cs = code;
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->gdt = (struct kvm_dtable){.base = GDT, .limit = SELECTOR_DATA + 7};
    sregs->cr0 = 0x80000011; /* PG, ET, PE */
    sregs->cr3 = TABLES;
    sregs->cr4 = 0x20;   /* PAE */
    sregs->efer = 0x500; /* LMA, LME */
}
