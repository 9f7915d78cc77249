/*
 * Lab `xen`: the image as Xen's first domain, under QEMU, once as a PV domain (its
 * kernel deprivileged: trapped or paravirtual) and once as a PVH domain (Xen's own
 * use of AMD-V). A PVH domain 0 wants an IOMMU. Both run at the same time, each on
 * a machine of its own: what they count is instructions, which no neighbour changes.
 */
#include "base/file.h"
#include "base/memory.h"
#include "lab/image.h"
#include "lab/kernel.h"
#include "lab/labs.h"
#include "lab/fetch/given.h"
#include "lab/fetch/package.h"
#include "lab/fetch/unpack.h"
#include "lab/fetch/workspace.h"
#include "lab/profile/places.h"
#include "lab/profile/qemu.h"
#include "lab/profile/xenmap.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT        180
#define POLL_MS      20
#define META_PACKAGE "xen-system-amd64"
#define REAL_PACKAGE "xen-hypervisor-"

#define MODULE "image " /* its name; what the image is told follows */

#define COMMON_OPTIONS "console=com1 com1=115200,8n1 loglvl=warning dom0_mem=64M dom0_max_vcpus=1"

static char *const common[] = {
    /* clang-format off */
    "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none",
    "-machine", "q35,kernel-irqchip=off", "-accel", "tcg", "-smp", "1", "-m", "512",
    "-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm", "-seed", "1",
    "-serial", "file:console", "-chardev", "file,id=link,path=link", "-device", "isa-debugcon,iobase=0x5f0,chardev=link",
    "-kernel", "xen",
    /* clang-format on */
};
enum { COMMON = sizeof common / sizeof common[0], MOST = COMMON + 12 };

/*
 * A ring-3 IRETQ of a PV domain dies under QEMU's SMAP. QEMU 10 offers an x2APIC, and ends with "Bad icount
 * read" when Xen sets its timer.
 */
#define CPU "max,-x2apic"
static char *const pv[] = {"-cpu", (CPU ",-smap"), "-append", COMMON_OPTIONS, NULL};
static char *const pvh[] = {"-cpu", CPU, "-device", "amd-iommu", "-append", (COMMON_OPTIONS " dom0=pvh"),
                            NULL};

static const struct {
    struct vt_lab_image image;
    char *const *arguments;
    const char *lab;
    bool virtualized; /* it is left by #VMEXIT */
} domains[] = {
    {{.engine = "xen-pv",
      .start = vt_image_xenpv,
      .end = vt_image_xenpv_end,
      .file = "image",
      .hypervisor = true,
      .cpl = 3,
      .path = VT_PATH_EMULATED},
     pv,
     "xen",
     false},
    {{.engine = "xen-pvh",
      .start = vt_image_pvh,
      .end = vt_image_pvh_end,
      .file = "image",
      .hypervisor = true,
      .path = VT_PATH_HARDWARE},
     pvh,
     "xen",
     true},
};

enum { DOMAINS = sizeof domains / sizeof domains[0] };

/* A domain's machine, watched by a thread of its own. */
struct machine {
    struct both *both;
    size_t index;
    struct vt_workspace workspace;
    struct vt_lab_request request; /* stop and progress lead to `both` */
    struct vt_lab_outcome outcome;
    char module[sizeof MODULE + VT_LAB_IMAGE_CHOICE]; /* the image's name and command line */
    struct vt_plugin_argument plugin;
    struct vt_error error;
    int status;
    pthread_t thread;
    bool started;
    /* Under the lock of `both`. */
    bool ended;
    struct vt_lab_progress progress;
    char stage[128], name[64]; /* what its texts lead to */
};

struct both {
    pthread_mutex_t lock;
    volatile int stop;
    const struct machine *failed; /* the first that did */
    char *map;                    /* of Xen's functions, where they are asked for; owned */
    struct machine machine[DOMAINS];
};

static struct vt_profile_places places_of(const struct machine *machine)
{
    const struct vt_lab_image *image = &domains[machine->index].image;
    return vt_profile_places_of_image(image->start, image->end, !domains[machine->index].virtualized);
}

/* Options of the emulator behind `count` others; how many there are then. */
static size_t place_plugin(struct machine *machine, char **argv, size_t count)
{
    struct vt_profile_places places = places_of(machine);

    machine->status =
        vt_plugin_place(machine->workspace.folder, &places.record, &machine->plugin, &machine->error);
    argv[count++] = "-plugin";
    argv[count++] = machine->plugin.text;
    return count;
}

static int read_profile(struct machine *machine)
{
    struct vt_lab_profile *profile = &machine->outcome.profiles[0];
    char *symbols = vt_xen_map_symbols(machine->both->map);

    machine->outcome.profile_count = 1;
    profile->engine = domains[machine->index].image.engine;
    profile->code = places_of(machine).code;
    profile->virtualized = domains[machine->index].virtualized;
    profile->computed = true;
    profile->skipped = 1;
    if (!symbols || vt_symbols_read(&profile->symbols, symbols) != 0)
        return vt_error_memory(&machine->error, "the names of functions");
    return vt_plugin_read(machine->workspace.folder, &profile->capture, &machine->error);
}

static int run_domain(struct machine *machine)
{
    char *argv[MOST];
    size_t count = COMMON;
    struct vt_emulator emulator = {
        .lab = domains[machine->index].lab,
        .argv = argv,
        .folder = machine->workspace.folder,
        .link_file = "link",
        .console_file = "console",
        .panic = "Panic on CPU",
        .limit = LIMIT,
        .request = &machine->request,
    };

    memcpy(argv, common, sizeof common);
    for (char *const *more = domains[machine->index].arguments; *more; more++)
        argv[count++] = *more;
    argv[count++] = "-initrd";
    argv[count++] = machine->module;
    if (machine->request.profile)
        count = place_plugin(machine, argv, count);
    argv[count] = NULL;
    if (machine->status != 0)
        return machine->status;
    int status = vt_lab_image_run(&domains[machine->index].image, &emulator, machine->module + strlen(MODULE),
                                  &machine->outcome, &machine->error);
    return status == 0 && machine->request.profile ? read_profile(machine) : status;
}

static void *watch_domain(void *context)
{
    struct machine *machine = context;
    struct both *both = machine->both;

    machine->status = run_domain(machine);
    pthread_mutex_lock(&both->lock);
    machine->ended = true;
    if (machine->status != 0 && !both->failed) {
        both->failed = machine;
        both->stop = 1;
    }
    pthread_mutex_unlock(&both->lock);
    return NULL;
}

static void keep_progress(void *context, const struct vt_lab_progress *progress)
{
    struct machine *machine = context;

    pthread_mutex_lock(&machine->both->lock);
    machine->progress = *progress;
    snprintf(machine->stage, sizeof machine->stage, "%s", progress->stage);
    snprintf(machine->name, sizeof machine->name, "%s", progress->name ? progress->name : "");
    machine->progress.stage = machine->stage;
    machine->progress.name = machine->name;
    pthread_mutex_unlock(&machine->both->lock);
}

/* Of both together, in the words of the one that has more before it. Returns whether both have ended. */
static bool report_both(struct both *both, const struct vt_lab_request *request)
{
    struct vt_lab_progress shown = {0};
    size_t done = 0, total = 0, ended = 0;

    pthread_mutex_lock(&both->lock);
    for (size_t i = 0; i < DOMAINS; i++) {
        const struct machine *machine = &both->machine[i];
        done += machine->progress.done;
        total += machine->progress.total;
        ended += machine->ended || !machine->started;
        if (i == 0 || machine->progress.done < shown.done)
            shown = machine->progress;
    }
    if (request->progress && shown.stage) {
        shown.done = done;
        shown.total = shown.total ? total : 0;
        request->progress(request->context, &shown);
    }
    pthread_mutex_unlock(&both->lock);
    return ended == DOMAINS;
}

static int start_machine(struct both *both, size_t index, const struct vt_lab_request *request,
                         struct vt_error *error)
{
    struct machine *machine = &both->machine[index];

    machine->both = both;
    machine->index = index;
    machine->request = *request;
    machine->request.stop.flag = &both->stop;
    machine->request.progress = keep_progress;
    machine->request.context = machine;
    int number = pthread_create(&machine->thread, NULL, watch_domain, machine);
    machine->started = number == 0;
    return number == 0 ? 0
                       : vt_error_set(error, VT_EXIT_ENVIRONMENT, number,
                                      "lab xen: cannot start a thread: %s", strerror(number));
}

static int take_outcomes(struct both *both, struct vt_lab_outcome *outcome, struct vt_error *error)
{
    for (size_t i = 0; i < DOMAINS; i++) {
        struct vt_lab_outcome *more = &both->machine[i].outcome;
        struct vt_measurement *all =
            vt_memory_grow(outcome->measurements, outcome->count, more->count, sizeof *all);
        if (!all)
            return vt_error_memory(error, "the measurements");
        if (more->count > 0)
            memcpy(all + outcome->count, more->measurements, more->count * sizeof *all);
        outcome->measurements = all;
        outcome->count += more->count;
        more->count = 0;
        if (more->profile_count)
            outcome->profiles[outcome->profile_count++] = more->profiles[0];
        more->profile_count = 0;
    }
    return 0;
}

static int run_both(struct both *both, const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                    struct vt_error *error)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < DOMAINS; i++)
        status = start_machine(both, i, request, error);
    both->stop |= status != 0;
    while (!report_both(both, request)) {
        both->stop |= *request->stop.flag;
        poll(NULL, 0, POLL_MS);
    }
    for (size_t i = 0; i < DOMAINS; i++)
        if (both->machine[i].started)
            pthread_join(both->machine[i].thread, NULL);
    if (status == 0 && both->failed) {
        *error = both->failed->error;
        status = both->failed->status;
    }
    return status == 0 ? take_outcomes(both, outcome, error) : status;
}

/* Own: as it was named. Otherwise boot/xen-4.17-amd64.gz of package xen-hypervisor-4.17-amd64. */
static char *find_xen(const struct vt_package *package, const struct vt_lab_request *request)
{
    char *path;
    if (request->hypervisor)
        return realpath(request->hypervisor, NULL);
    return asprintf(&path, "%s/boot/xen-%s.gz", package->folder, package->name + strlen(REAL_PACKAGE)) < 0
               ? NULL
               : path;
}

/* Unpacked into the folder, or a link to it. */
static int name_in(const char *folder, const char *from, const char *unpacked, struct vt_error *error)
{
    char *path = vt_workspace_path(folder, "xen");
    if (!path)
        return vt_error_memory(error, "a file's name");
    int status = strcmp(from, unpacked) == 0 ? symlink(unpacked, path) : rename(unpacked, path);
    int number = errno;
    free(path);
    return status == 0 ? 0
                       : vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "cannot write in '%s': %s", folder,
                                      strerror(number));
}

/* Unpacked: QEMU does not do it. What Debian's package holds is not its user's fault. */
static int place_xen(const struct vt_package *package, const char *folder,
                     const struct vt_lab_request *request, struct vt_error *error)
{
    char *from = find_xen(package, request), *unpacked = NULL;

    if (!from)
        return vt_error_memory(error, "a file's name");
    int status = vt_given_check(from, "the hypervisor", error);
    if (status == 0)
        status = vt_unpack(from, folder, &unpacked, &request->stop, error);
    if (status == 0)
        status = vt_lab_hypervisor_check(unpacked, error);
    if (status != 0 && !request->hypervisor && error->exit == VT_EXIT_USAGE)
        error->exit = VT_EXIT_ENVIRONMENT;
    if (status == 0)
        status = name_in(folder, from, unpacked, error);
    free(unpacked);
    free(from);
    return status;
}

/* A folder for each machine, and Xen in it. */
static int make_folders(struct both *both, const struct vt_package *package,
                        const struct vt_lab_request *request, struct vt_error *error)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < DOMAINS; i++) {
        status = vt_workspace_open(&both->machine[i].workspace, error);
        if (status == 0)
            status = place_xen(package, both->machine[i].workspace.folder, request, error);
    }
    return status;
}

static int get_xen(struct vt_package *package, const struct vt_lab_request *request, struct vt_error *error)
{
    if (!request->hypervisor)
        return vt_package_get(package, META_PACKAGE, REAL_PACKAGE, vt_lab_note, (void *)request,
                              &request->stop, error);
    return vt_given_check(request->hypervisor, "the hypervisor", error);
}

/* The package's version says more than Xen does of itself. */
static void name_xen(const struct both *both, const struct vt_package *package,
                     struct vt_lab_outcome *outcome)
{
    if (*package->name)
        snprintf(outcome->hypervisor, sizeof outcome->hypervisor, "Xen %s", package->version);
    else
        snprintf(outcome->hypervisor, sizeof outcome->hypervisor, "%s", both->machine[0].outcome.hypervisor);
}

static void release(struct both *both)
{
    for (size_t i = 0; i < DOMAINS; i++) {
        vt_workspace_close(&both->machine[i].workspace);
        vt_lab_release(&both->machine[i].outcome);
    }
    free(both->map);
    pthread_mutex_destroy(&both->lock);
}

int vt_lab_run_xen(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error)
{
    struct both both = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct vt_package package = {0};
    char choice[VT_LAB_IMAGE_CHOICE];

    int status = vt_lab_require_emulator(request, outcome, "qemu-system-x86_64", "qemu-system-x86", error);
    if (status == 0)
        status = vt_lab_image_choice(request, choice, error);
    for (size_t i = 0; status == 0 && i < DOMAINS; i++)
        snprintf(both.machine[i].module, sizeof both.machine[i].module, MODULE "%s", choice);
    if (status == 0)
        status = get_xen(&package, request, error);
    if (status == 0 && request->profile)
        status = vt_xen_map_get(&package, request, vt_lab_note, &both.map, error);
    if (status == 0)
        status = make_folders(&both, &package, request, error);
    if (status == 0)
        status = run_both(&both, request, outcome, error);
    if (request->profile)
        status = vt_plugin_explain(status, "xen", outcome->emulator, error);
    name_xen(&both, &package, outcome);
    snprintf(outcome->command_line, sizeof outcome->command_line, "%s", COMMON_OPTIONS);
    release(&both);
    vt_package_release(&package);
    return status;
}
