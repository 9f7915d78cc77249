#include "lab/emulator/disc.h"
#include "base/file.h"
#include "lab/fetch/program.h"
#include "lab/fetch/workspace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GRUB "/usr/lib/grub/i386-pc"

/*
 * A date in the file system is read by GRUB, and moves everything that counts instructions after it: the
 * kernel seeds its random numbers by them, and places its objects by those.
 */
#define EPOCH "SOURCE_DATE_EPOCH=1767225600"
#define DATE  "2026010100000000"

#define LOADER "loader.cfg" /* GRUB reads it from its own image */

/* What GRUB does, and the module of it that can. */
static const struct loading {
    const char *text, *module;
} linux_ = {"linux /kernel %s\ninitrd /initrd\nboot\n", "linux"},
  multiboot = {"multiboot2 /kernel %s\nboot\n", "multiboot2"};

int vt_disc_require(struct vt_error *error)
{
    int status = vt_program_require("grub-mkimage", "grub-common", error);
    if (status == 0)
        status = vt_program_require("xorriso", "xorriso", error);
    if (status == 0 && access(GRUB, F_OK) != 0)
        status = vt_error_set(error, VT_EXIT_ENVIRONMENT, errno,
                              "%s is missing: install it with: apt-get install grub-pc-bin", GRUB);
    return status;
}

static int write_loader(const char *folder, const struct loading *loading, const char *command_line,
                        struct vt_error *error)
{
    char *path = vt_workspace_path(folder, LOADER), *text = NULL;
    int size = asprintf(&text, loading->text, command_line);
    int status = path && size >= 0 ? vt_file_write(path, text, (size_t)size, error)
                                   : vt_error_memory(error, "the boot loader's settings");

    if (size >= 0)
        free(text);
    free(path);
    return status;
}

static int make_folder(const char *folder, struct vt_error *error)
{
    char *path = vt_workspace_path(folder, "disc");
    int status = 0;

    if (!path)
        status = vt_error_memory(error, "the disc's path");
    else if (mkdir(path, 0700) != 0 && errno != EEXIST)
        status = vt_error_set(error, VT_EXIT_ENVIRONMENT, errno, "cannot make the folder '%s': %s", path,
                              strerror(errno));
    free(path);
    return status;
}

static int run_step(const char *const *argv, const char *folder, const struct vt_lab_request *request,
                    struct vt_error *error)
{
    char *text = NULL;
    int status = vt_program_run((char *const *)argv, folder, &text, &request->stop);

    if (status == -EINTR || status == -ETIME)
        vt_lab_stop_tell(&request->stop, status, error, "making a boot disc");
    else if (status != 0)
        vt_error_set(error, VT_EXIT_ENVIRONMENT, 0, "making a boot disc failed at %s: %s", argv[0],
                     text ? vt_program_last_line(text) : "no reason given");
    free(text);
    return status == 0 ? 0 : -EIO;
}

int vt_disc_make(const char *folder, const struct vt_disc *disc, const struct vt_lab_request *request,
                 struct vt_error *error)
{
    const struct loading *loading = disc->initrd ? &linux_ : &multiboot;
    static const char *const clear[] = {"rm", "-f", "--", VT_DISC_FILE, NULL}; /* xorriso would add to it */
    const char *const copy[] = {"cp", "--", disc->kernel, "disc/kernel", NULL};
    const char *const move[] = {"mv", "--", disc->initrd, "disc/initrd", NULL};
    const char *const grub[] = {"grub-mkimage",
                                "-O",
                                "i386-pc-eltorito",
                                "-d",
                                GRUB,
                                "-p",
                                "/",
                                "-c",
                                LOADER,
                                "-o",
                                "disc/loader",
                                "biosdisk",
                                "iso9660",
                                loading->module,
                                NULL};
    static const char *const image[] = {"env",
                                        EPOCH,
                                        "xorriso",
                                        "-as",
                                        "mkisofs",
                                        "-quiet",
                                        "-r",
                                        "-b",
                                        "loader",
                                        "-no-emul-boot",
                                        "-boot-load-size",
                                        "4",
                                        "-boot-info-table",
                                        "--set_all_file_dates",
                                        DATE,
                                        "-o",
                                        VT_DISC_FILE,
                                        "disc",
                                        NULL};
    const char *const *const steps[] = {clear, copy, disc->initrd ? move : NULL, grub, image};

    int status = make_folder(folder, error);
    if (status == 0)
        status = write_loader(folder, loading, disc->command_line, error);
    for (size_t i = 0; status == 0 && i < sizeof steps / sizeof steps[0]; i++)
        status = steps[i] ? run_step(steps[i], folder, request, error) : 0;
    return status;
}
