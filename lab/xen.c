/*
 * Lab `xen`: the image as Xen's first domain, under QEMU, once as a PV domain (its
 * kernel deprivileged: trapped or paravirtual) and once as a PVH domain (Xen's own
 * use of AMD-V). A PVH domain 0 wants an IOMMU.
 */
#include "base/file.h"
#include "lab/image.h"
#include "lab/labs.h"
#include "lab/package.h"
#include "lab/program.h"
#include "lab/workspace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT        120
#define META_PACKAGE "xen-system-amd64"
#define REAL_PACKAGE "xen-hypervisor-"

#define COMMON_OPTIONS "console=com1 com1=115200,8n1 loglvl=warning dom0_mem=64M dom0_max_vcpus=1"

static char *const common[] = {
    /* clang-format off */
    "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none",
    "-machine", "q35,kernel-irqchip=off", "-accel", "tcg", "-smp", "1", "-m", "512",
    "-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm", "-seed", "1",
    "-serial", "file:console", "-chardev", "file,id=link,path=link", "-device", "isa-debugcon,iobase=0x5f0,chardev=link",
    "-kernel", "xen", "-initrd", "image",
    /* clang-format on */
};
enum { COMMON = sizeof common / sizeof common[0], MOST = COMMON + 8 };

/* A ring-3 IRETQ of a PV domain dies under QEMU's SMAP. */
static char *const pv[] = {"-cpu", "max,-smap", "-append", COMMON_OPTIONS, NULL};
static char *const pvh[] = {"-cpu", "max", "-device", "amd-iommu", "-append", (COMMON_OPTIONS " dom0=pvh"),
                            NULL};

static const struct {
    struct vt_lab_image image;
    char *const *arguments;
    const char *lab;
} domains[] = {
    {{.engine = "xen-pv",
      .start = vt_image_xenpv,
      .end = vt_image_xenpv_end,
      .file = "image",
      .hypervisor = true,
      .cpl = 3,
      .path = VT_PATH_EMULATED},
     pv,  "xen"},
    {{.engine = "xen-pvh",
      .start = vt_image_pvh,
      .end = vt_image_pvh_end,
      .file = "image",
      .hypervisor = true,
      .path = VT_PATH_HARDWARE},
     pvh, "xen"},
};

static int run_domain(size_t index, const char *folder, const struct vt_lab_request *request,
                      struct vt_lab_outcome *outcome, struct vt_error *error)
{
    char *argv[MOST], *path = vt_workspace_path(folder, "link");
    size_t count = COMMON;
    struct vt_emulator emulator = {
        .lab = domains[index].lab,
        .argv = argv,
        .folder = folder,
        .link_file = "link",
        .console_file = "console",
        .panic = "Panic on CPU",
        .limit = request->limit > 0 ? request->limit : LIMIT,
        .request = request,
    };

    memcpy(argv, common, sizeof common);
    for (char *const *more = domains[index].arguments; *more; more++)
        argv[count++] = *more;
    argv[count] = NULL;
    /* What the domain before said must not be taken for this one's words. */
    if (path)
        remove(path);
    free(path);
    return vt_lab_image_run(&domains[index].image, &emulator, outcome, error);
}

static void note_fetch(void *context, const char *text)
{
    const struct vt_lab_request *request = context;
    struct vt_lab_progress progress = {.stage = text};
    if (request->progress)
        request->progress(request->context, &progress);
}

/* boot/xen-4.17-amd64.gz of package xen-hypervisor-4.17-amd64, unpacked: QEMU does not do it. */
static int place_xen(const struct vt_package *package, const char *folder,
                     const struct vt_lab_request *request, struct vt_error *error)
{
    char *from = NULL, *text = NULL;
    if (asprintf(&from, "%s/boot/xen-%s.gz", package->folder, package->name + strlen(REAL_PACKAGE)) < 0)
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "out of memory");
    int status = vt_program_run((char *[]){"cp", "--", from, "xen.gz", NULL}, folder, &text, request->stop);
    if (status == 0) {
        free(text);
        status = vt_program_run((char *[]){"gzip", "-d", "xen.gz", NULL}, folder, &text, request->stop);
    }
    if (status != 0)
        vt_error_set(error, VT_EXIT_ENVIRONMENT, 0, "lab xen: cannot unpack '%s': %s", from,
                     text ? vt_program_last_line(text) : "no reason given");
    free(text);
    free(from);
    return status == 0 ? 0 : -EIO;
}

int vt_lab_run_xen(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error)
{
    struct vt_workspace workspace = {0};
    struct vt_package package = {0};

    int status = vt_lab_require_emulator(outcome, "qemu-system-x86_64", "qemu-system-x86", error);
    if (status == 0)
        status = vt_package_get(&package, META_PACKAGE, REAL_PACKAGE, note_fetch, (void *)request,
                                request->stop, error);
    if (status == 0)
        status = vt_workspace_open(&workspace, error);
    if (status == 0)
        status = place_xen(&package, workspace.folder, request, error);
    for (size_t i = 0; status == 0 && i < sizeof domains / sizeof domains[0]; i++)
        status = run_domain(i, workspace.folder, request, outcome, error);
    snprintf(outcome->hypervisor, sizeof outcome->hypervisor, "Xen %s", package.version);
    snprintf(outcome->command_line, sizeof outcome->command_line, "%s", COMMON_OPTIONS);
    vt_workspace_close(&workspace);
    vt_package_release(&package);
    return status;
}
