#include "image/disc.h"
#include "base/file.h"
#include "base/text.h"
#include "guest/boot/menu.h"
#include "lab/fetch/program.h"
#include "lab/fetch/workspace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GRUB "/usr/lib/grub/i386-pc"
#define BOOT                                                                                                 \
    "/usr/lib/grub/i386-pc/boot_hybrid.img" /* a master boot record that starts what El Torito would */
#define LIMIT   ((size_t)64 << 20)
#define SECTORS "8192" /* of the FAT volume: 4 MiB */

/* Dates, serial numbers and identifiers are of no use in an image, and would differ each time. */
#define EPOCH "SOURCE_DATE_EPOCH=1767225600"
#define DATE  "2026010100000000"

static const struct {
    const char *program, *package;
} programs[] = {
    {"grub-mkimage", "grub-common"}, {"xorriso", "xorriso"}, {"mformat", "mtools"}, {"mcopy", "mtools"}};

static int require_all(struct vt_error *error)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < sizeof programs / sizeof programs[0]; i++)
        status = vt_program_require(programs[i].program, programs[i].package, error);
    if (status == 0 && access(BOOT, R_OK) != 0)
        status = vt_error_set(error, VT_EXIT_ENVIRONMENT, errno,
                              "%s is missing: install it with: apt-get install grub-pc-bin", BOOT);
    return status;
}

/* GRUB's own language. Its CPUID module tells a processor without 64-bit mode, which the loader could not. */
static void write_menu(char *text, size_t size)
{
    vt_text_append(text, size,
                   "set timeout=5\n"
                   "if cpuid -l; then true; else\n"
                   "  echo 'vmtoll: this processor has no 64-bit mode: nothing can be measured'\n"
                   "  sleep --interruptible 3600\n"
                   "fi\n");
    for (int i = 0; i < VT_BOOT_CHOICES; i++)
        vt_text_append(text, size, "menuentry '%s (e: other words)' {\n  multiboot2 /boot/vmtoll.elf %s\n}\n",
                       vt_boot_menu[i].title, vt_boot_menu[i].words);
}

static int write_one(const char *folder, const char *name, const void *data, size_t size,
                     struct vt_error *error)
{
    char *path = vt_workspace_path(folder, name);
    int status = path ? vt_file_write(path, data, size, error) : vt_error_memory(error, "a file of the disc");
    free(path);
    return status;
}

static int make_folder(const char *folder, const char *name, struct vt_error *error)
{
    char *path = vt_workspace_path(folder, name);
    int status = 0;

    if (!path)
        status = vt_error_memory(error, "a folder of the disc");
    else if (mkdir(path, 0700) != 0)
        status = vt_error_set(error, VT_EXIT_ENVIRONMENT, errno, "cannot make the folder '%s': %s", path,
                              strerror(errno));
    free(path);
    return status;
}

static int lay_out(const char *folder, const struct vt_image_file *pc, const struct vt_image_file *efi,
                   struct vt_error *error)
{
    static const char *const folders[] = {"disc", "disc/boot", "disc/boot/grub"};
    char menu[4096] = "";
    int status = 0;

    write_menu(menu, sizeof menu);
    for (size_t i = 0; status == 0 && i < sizeof folders / sizeof folders[0]; i++)
        status = make_folder(folder, folders[i], error);
    if (status == 0)
        status = write_one(folder, "disc/boot/grub/grub.cfg", menu, strlen(menu), error);
    if (status == 0)
        status = write_one(folder, "disc/boot/vmtoll.elf", pc->data, pc->size, error);
    if (status == 0)
        status = write_one(folder, "vmtoll.efi", efi->data, efi->size, error);
    return status;
}

static int run_step(const char *const *argv, const char *folder, struct vt_error *error)
{
    char *text = NULL;
    int status = vt_program_run((char *const *)argv, folder, &text, NULL);

    if (status != 0)
        vt_error_set(error, VT_EXIT_ENVIRONMENT, 0, "image: making the disc failed at %s: %s", argv[2],
                     text && *text ? vt_program_last_line(text) : "no reason given");
    free(text);
    return status == 0 ? 0 : -EIO;
}

/* clang-format off */
static const char *const grub[] = {
    "env", EPOCH, "grub-mkimage", "-O", "i386-pc-eltorito", "-d", GRUB, "-p", "/boot/grub", "-o", "disc/boot/loader",
    "biosdisk", "iso9660", "part_msdos", "multiboot2", "normal", "cpuid", "echo", "sleep", "test", "true", "halt", "reboot", NULL};
static const char *const volume[] = {
    "env", EPOCH, "mformat", "-i", "volume", "-C", "-T", SECTORS, "-h", "16", "-s", "32", "-N", "564d5450", "-v", "VMTOLL", "::",
    NULL};
static const char *const folder_efi[] = {"env", EPOCH, "mmd", "-i", "volume", "::/EFI", "::/EFI/BOOT", NULL};
static const char *const fill[] = {"env", EPOCH, "mcopy", "-i", "volume", "vmtoll.efi", "::/EFI/BOOT/BOOTX64.EFI", NULL};
static const char *const iso[] = {
    "env", EPOCH, "xorriso", "-as", "mkisofs", "-quiet", "-r", "-V", "VMTOLL", "--set_all_file_dates", DATE,
    "-b", "boot/loader", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info",
    "--grub2-mbr", BOOT, "-append_partition", "2", "0xef", "volume",
    "-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot", "-o", "disc.iso", "disc", NULL};
/* clang-format on */

static int assemble(const char *folder, struct vt_error *error)
{
    static const char *const *const steps[] = {grub, volume, folder_efi, fill, iso};
    int status = 0;

    for (size_t i = 0; status == 0 && i < sizeof steps / sizeof steps[0]; i++)
        status = run_step(steps[i], folder, error);
    return status;
}

static int deliver(const char *folder, const char *output, struct vt_error *error)
{
    char *path = vt_workspace_path(folder, "disc.iso"), *data = NULL;
    size_t size = 0;
    int status = path ? vt_file_read(path, LIMIT, &data, &size, error) : vt_error_memory(error, "the disc");

    if (status == 0)
        status = vt_file_write(output, data, size, error);
    free(data);
    free(path);
    return status;
}

int vt_image_disc_write(const char *output, const struct vt_image_file *pc, const struct vt_image_file *efi,
                        struct vt_error *error)
{
    struct vt_workspace workspace;
    int status = require_all(error);

    if (status == 0)
        status = vt_file_check(output, error);
    if (status == 0)
        status = vt_workspace_open(&workspace, error);
    if (status != 0)
        return status;
    status = lay_out(workspace.folder, pc, efi, error);
    if (status == 0)
        status = assemble(workspace.folder, error);
    if (status == 0)
        status = deliver(workspace.folder, output, error);
    vt_workspace_close(&workspace);
    return status;
}
