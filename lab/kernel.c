#include "lab/kernel.h"
#include "lab/fetch/given.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux Documentation/arch/x86/boot.rst; offsets in the file */
#define SETUP_SECTORS 0x1f1
#define SYSTEM_SIZE   0x1f4 /* in units of 16 bytes */
#define BOOT_FLAG     0x1fe
#define HEADER        0x202
#define VERSION       0x206
#define LOAD_FLAGS    0x236
#define HEADER_END    0x268

#define SECTOR          512
#define DEFAULT_SECTORS 4
#define LOAD_64         1 /* XLF_KERNEL_64, since version 2.12 */
#define VERSION_FLAGS   0x20c

/* Multiboot specification 3.1 */
#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_SPAN  8192

#define NOTE_PVH 18 /* XEN_ELFNOTE_PHYS32_ENTRY */

struct head {
    unsigned char bytes[HEADER_END];
    off_t size; /* of the file */
};

static uint32_t number(const struct head *head, size_t offset, size_t size)
{
    uint32_t value = 0;
    memcpy(&value, head->bytes + offset, size);
    return value;
}

/* NULL: it is a kernel. */
static const char *judge_image(const struct head *head)
{
    uint32_t sectors = head->bytes[SETUP_SECTORS] ? head->bytes[SETUP_SECTORS] : DEFAULT_SECTORS;
    off_t needed = (off_t)(sectors + 1) * SECTOR + ((off_t)number(head, SYSTEM_SIZE, 4) - 1) * 16;

    if (head->size < needed)
        return "it is cut off";
    if (number(head, VERSION, 2) >= VERSION_FLAGS && !(number(head, LOAD_FLAGS, 2) & LOAD_64))
        return "it is a kernel for 32 bits, which does not run this program";
    return NULL;
}

static bool holds_pvh_note(int fd, uint64_t offset, uint64_t size)
{
    unsigned char notes[4096];
    const uint32_t kind = NOTE_PVH;
    ssize_t got = pread(fd, notes, size < sizeof notes ? size : sizeof notes, (off_t)offset);

    for (size_t at = 0; got >= 16 && at <= (size_t)got - 16; at += 4)
        if (memcmp(notes + at + 8, &kind, 4) == 0 && memcmp(notes + at + 12, "Xen", 4) == 0)
            return true;
    return false;
}

/* NULL: it is a kernel. */
static const char *judge_elf(const struct head *head, int fd)
{
    Elf64_Ehdr elf;
    Elf64_Phdr segment;

    memcpy(&elf, head->bytes, sizeof elf);
    if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_machine != EM_X86_64 ||
        elf.e_phentsize != sizeof segment)
        return "it is a program for another processor";
    for (unsigned i = 0; i < elf.e_phnum; i++)
        if (pread(fd, &segment, sizeof segment, (off_t)(elf.e_phoff + i * sizeof segment)) ==
                sizeof segment &&
            segment.p_type == PT_NOTE && holds_pvh_note(fd, segment.p_offset, segment.p_filesz))
            return NULL;
    return "it is an ELF file without a PVH entry";
}

static const char *judge(const struct head *head, int fd, bool elf)
{
    if (number(head, BOOT_FLAG, 2) == 0xaa55 && memcmp(head->bytes + HEADER, "HdrS", 4) == 0)
        return judge_image(head);
    if (memcmp(head->bytes, ELFMAG, SELFMAG) != 0)
        return "it is no kernel for x86";
    return elf ? judge_elf(head, fd) : "it is an ELF file, which GRUB does not boot";
}

int vt_lab_kernel_check(const char *path, bool elf, struct vt_error *error)
{
    struct head head = {.size = 0};
    struct stat status;

    int given = vt_given_check(path, "the kernel", error);
    if (given != 0)
        return given;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0 || pread(fd, head.bytes, sizeof head.bytes, 0) < 0) {
        given = vt_error_set(error, VT_EXIT_USAGE, errno, "cannot read the kernel '%s': %s", path,
                             strerror(errno));
    } else {
        head.size = status.st_size;
        const char *why = judge(&head, fd, elf);
        if (why)
            given =
                vt_error_set(error, VT_EXIT_USAGE, ENOEXEC,
                             "cannot boot '%s': %s: give a bzImage, arch/x86/boot/bzImage of a build tree or "
                             "vmlinuz-VERSION of /boot",
                             path, why);
    }
    if (fd >= 0)
        close(fd);
    return given;
}

static bool is_multiboot(int fd)
{
    unsigned char bytes[MULTIBOOT_SPAN];
    const uint32_t magic = MULTIBOOT_MAGIC;
    ssize_t got = pread(fd, bytes, sizeof bytes, 0);

    for (ssize_t at = 0; at + 12 <= got; at += 4) {
        uint32_t header[3];
        memcpy(header, bytes + at, sizeof header);
        if (header[0] == magic && header[0] + header[1] + header[2] == 0)
            return true;
    }
    return false;
}

int vt_lab_hypervisor_check(const char *path, struct vt_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool known = fd >= 0 && is_multiboot(fd);

    if (fd >= 0)
        close(fd);
    return known ? 0
                 : vt_error_set(
                       error, VT_EXIT_USAGE, ENOEXEC,
                       "cannot boot '%s': it is no multiboot image: give xen/xen or xen/xen.gz of a build "
                       "tree, or xen-VERSION.gz of /boot",
                       path);
}
