#include "lab/linux.h"
#include "base/memory.h"
#include "lab/below.h"
#include "lab/fetch/archive.h"
#include "lab/inside.h"
#include "lab/kernel.h"
#include "lab/fetch/modules.h"
#include "lab/own.h"
#include "lab/profile/collect.h"
#include "lab/profile/qemu.h"
#include "lab/rows.h"
#include "lab/fetch/workspace.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define META_PACKAGE "linux-image-cloud-amd64"
#define REAL_PACKAGE "linux-image-"

/* Enough operations that one stray exit stays below the third digit of exits per operation. */
#define ITERATIONS 100
#define PAIRS      7

#define UPPER_INITRD "upper-initrd" /* in the workspace */

/* In /boot, or with the modules, which is where Debian has it in Linux 7.2. */
static char *find_image(const char *folder, const char *version)
{
    static const char *const places[][2] = {
        {"boot/vmlinuz-", ""}, {"usr/lib/modules/", "/vmlinuz"}, {"lib/modules/", "/vmlinuz"}};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (snprintf(path, sizeof path, "%s/%s%s%s", folder, places[i][0], version, places[i][1]) <
                (int)sizeof path &&
            access(path, R_OK) == 0)
            return strdup(path);
    return NULL;
}

static int find_debian(struct vt_lab_linux *linux_, const struct vt_lab_request *request,
                       struct vt_error *error)
{
    int status = vt_package_get(&linux_->package, META_PACKAGE, REAL_PACKAGE, vt_lab_note, (void *)request,
                                &request->stop, error);
    if (status != 0)
        return status;
    linux_->kernel = find_image(linux_->package.folder, linux_->package.name + strlen(REAL_PACKAGE));
    linux_->modules = strdup(linux_->package.folder);
    if (!linux_->kernel)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, ENOENT, "the package %s holds no kernel",
                            linux_->package.name);
    return 0;
}

static int find_kernel(struct vt_lab_linux *linux_, const struct vt_lab_request *request, bool elf,
                       struct vt_error *error)
{
    int status = 0;

    if (request->kernel) {
        linux_->kernel = realpath(request->kernel, NULL);
        if (!linux_->kernel)
            return vt_error_set(error, VT_EXIT_USAGE, errno, "cannot read the kernel '%s': %s",
                                request->kernel, strerror(errno));
        linux_->modules = strdup(request->modules);
    } else {
        status = find_debian(linux_, request, error);
    }
    if (status == 0 && (!linux_->kernel || !linux_->modules))
        status = vt_error_memory(error, "the kernel's path");
    return status == 0 ? vt_lab_kernel_check(linux_->kernel, elf, error) : status;
}

void vt_lab_linux_close(struct vt_lab_linux *linux_)
{
    vt_workspace_close(&linux_->workspace);
    vt_lab_modules_release(&linux_->loaded);
    vt_package_release(&linux_->package);
    free(linux_->kernel);
    free(linux_->modules);
    free(linux_->rows);
    linux_->kernel = linux_->modules = linux_->rows = NULL;
}

struct libraries {
    struct vt_archive *archive;
    struct vt_error *error;
};

/* "lib/x86_64-linux-gnu/libc.so.6": every folder on the way, then the file. */
static int add_library(void *context, const char *path)
{
    struct libraries *libraries = context;
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", path + 1);
    for (char *slash = strchr(folder, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        vt_archive_folder(libraries->archive, folder);
        *slash = '/';
    }
    return vt_archive_file(libraries->archive, path + 1, 0755, path, libraries->error);
}

static int add_modules(struct vt_archive *archive, const struct vt_lab_modules *modules,
                       struct vt_error *error)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < modules->count; i++) {
        char name[300];
        const char *base = strrchr(modules->paths[i], '/');
        snprintf(name, sizeof name, VT_LAB_INSIDE_MODULES "/%02zu-%s", i,
                 base ? base + 1 : modules->paths[i]);
        status = vt_archive_file(archive, name, 0644, modules->paths[i], error);
    }
    return status;
}

/* What the machine needs that starts another one: the same kernel, and what that begins with. */
static int add_upper(struct vt_archive *archive, const struct vt_lab_linux *linux_, struct vt_error *error)
{
    char *initrd = vt_workspace_path(linux_->workspace.folder, UPPER_INITRD);
    int status = initrd ? vt_archive_file(archive, VT_LAB_BELOW_INITRD, 0644, initrd, error)
                        : vt_error_memory(error, "the upper machine's initial RAM disk");

    free(initrd);
    if (status == 0)
        status = vt_archive_file(archive, VT_LAB_BELOW_KERNEL, 0644, linux_->kernel, error);
    vt_archive_data(archive, VT_LAB_BELOW_WORDS, 0644, linux_->command_line, strlen(linux_->command_line));
    return status;
}

static int add_all(struct vt_archive *archive, const struct vt_lab_modules *modules, const char *plan,
                   struct vt_error *error)
{
    static const char *const folders[] = {"dev", "proc", "sys", VT_LAB_INSIDE_MODULES};
    struct libraries libraries = {archive, error};

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        vt_archive_folder(archive, folders[i]);
    vt_archive_device(archive, "dev/console", 5, 1);
    vt_archive_device(archive, "dev/null", 1, 3);
    vt_archive_data(archive, VT_LAB_INSIDE_PLAN, 0644, plan, strlen(plan));
    int status = vt_archive_file(archive, "vmtoll", 0755, "/proc/self/exe", error);
    if (status == 0)
        status = vt_lab_own_libraries(add_library, &libraries);
    return status == 0 ? add_modules(archive, modules, error) : status;
}

/* What Debian's package lacks is not its user's fault. */
static int find_modules(struct vt_lab_linux *linux_, const char *module, const struct vt_lab_request *request,
                        struct vt_error *error)
{
    int status = vt_lab_modules_find(&linux_->loaded, linux_->modules, linux_->workspace.folder, module,
                                     &request->stop, error);
    if (status != 0 && !request->modules && error->exit == VT_EXIT_USAGE)
        error->exit = VT_EXIT_ENVIRONMENT;
    return status;
}

static int write_archive(const struct vt_lab_linux *linux_, const char *name, const struct vt_lab_plan *asked,
                         struct vt_error *error)
{
    struct vt_archive archive;
    struct vt_error ignored;
    char *path = vt_workspace_path(linux_->workspace.folder, name);
    char *plan = vt_lab_plan_print(asked);
    int status = path && plan ? vt_archive_open(&archive, path, error)
                              : vt_error_memory(error, "the initial RAM disk's plan");
    if (status == 0) {
        status = add_all(&archive, &linux_->loaded, plan, error);
        if (status == 0 && asked->starts)
            status = add_upper(&archive, linux_, error);
        int closed = vt_archive_close(&archive, status == 0 ? error : &ignored);
        status = status == 0 ? closed : status;
    }
    free(plan);
    free(path);
    return status;
}

/* At depth 2 the machine that measures first, for it lies in the other. */
static int write_archives(const struct vt_lab_linux *linux_, struct vt_error *error)
{
    struct vt_lab_plan upper = linux_->plan;
    int status = 0;

    upper.starts = false;
    if (linux_->plan.starts)
        status = write_archive(linux_, UPPER_INITRD, &upper, error);
    return status == 0 ? write_archive(linux_, VT_LAB_LINUX_INITRD, &linux_->plan, error) : status;
}

static int make_plan(struct vt_lab_plan *plan, const char *engine, const struct vt_lab_request *request,
                     struct vt_error *error)
{
    *plan = (struct vt_lab_plan){.iterations = ITERATIONS,
                                 .pairs = PAIRS,
                                 .profile = request->profile,
                                 .depth = request->depth > 1 ? request->depth : 1,
                                 .starts = request->depth > 1};
    snprintf(plan->engine, sizeof plan->engine, "%s", engine);
    snprintf(plan->levels, sizeof plan->levels, "%s", request->levels);
    if (request->tuning.parameters)
        snprintf(plan->parameters, sizeof plan->parameters, "%s", request->tuning.parameters);
    if (!request->cases)
        return 0;
    if (snprintf(plan->cases, sizeof plan->cases, "%s", request->cases) < (int)sizeof plan->cases)
        return 0;
    return vt_error_set(error, VT_EXIT_USAGE, E2BIG, "the list of cases is longer than %zu characters",
                        sizeof plan->cases - 1);
}

int vt_lab_linux_open(struct vt_lab_linux *linux_, const struct vt_lab_request *request, const char *lab,
                      const char *module, const char *own, bool elf, struct vt_error *error)
{
    *linux_ = (struct vt_lab_linux){0};
    int status = vt_lab_tuning_command_line(&request->tuning, own, linux_->command_line, error);
    if (status == 0)
        status = make_plan(&linux_->plan, lab, request, error);
    if (status == 0)
        status = find_kernel(linux_, request, elf && request->depth < 2, error);
    if (status == 0)
        status = vt_workspace_open(&linux_->workspace, error);
    if (status == 0)
        status = find_modules(linux_, module, request, error);
    if (status != 0)
        vt_lab_linux_close(linux_);
    return status;
}

/* NULL: the machine sent none, or not all. */
static int read_symbols(const struct vt_lab_linux *linux_, const struct vt_lab_link *link, char **text,
                        struct vt_error *error)
{
    const char *size = vt_lab_link_fact(link, "symbols");

    *text = link->symbols ? vt_symbols_unpack(link->symbols, link->symbols_size) : NULL;
    if (*text || !linux_->plan.pages || !size)
        return 0;
    return vt_plugin_read_names(linux_->workspace.folder, strtoul(size, NULL, 10), text, error);
}

static int take_symbols(const struct vt_lab_linux *linux_, const struct vt_lab_link *link,
                        struct vt_symbols *symbols, const char *lab, struct vt_error *error)
{
    char *text;
    int status = read_symbols(linux_, link, &text, error);

    if (status != 0)
        return status;
    const char *lower = vt_lab_link_fact(link, "modules-below"), *upper = vt_lab_link_fact(link, "modules");

    if (text && lower && (!upper || strcmp(lower, upper) != 0)) {
        free(text);
        return vt_error_set(
            error, VT_EXIT_ENVIRONMENT, EPROTO,
            "lab %s: the two kernels have functions at different addresses, and cannot be told "
            "apart: leave out --profile",
            lab);
    }
    if (!text)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, EPROTO,
                            "lab %s: the machine sent no names of functions", lab);
    return vt_symbols_read(symbols, text) == 0 ? 0 : vt_error_memory(error, "the names of functions");
}

static int keep_rows(struct vt_lab_linux *linux_, const struct vt_lab_link *link, struct vt_error *error)
{
    char *rows = link->rows_size ? vt_memory_grow(linux_->rows, linux_->rows_size, link->rows_size, 1) : NULL;
    if (!link->rows_size)
        return 0;
    if (!rows)
        return vt_error_memory(error, "the rows of a machine that ended");
    memcpy(rows + linux_->rows_size, link->rows, link->rows_size);
    linux_->rows = rows;
    linux_->rows_size += link->rows_size;
    return 0;
}

/* *row: the one that was running, or 0. */
static int run_once(struct vt_lab_linux *linux_, struct vt_emulator *emulator, struct vt_lab_outcome *outcome,
                    size_t *row, struct vt_error *error)
{
    struct vt_lab_link link = {0};
    const struct vt_lab_request *request = emulator->request;

    *row = 0;
    emulator->end = VT_EMULATOR_REFUSED;
    int status = write_archives(linux_, error);
    if (status == 0 && linux_->place)
        status = linux_->place(linux_, emulator->request, error);
    if (status != 0)
        return status;
    vt_plugin_forget(linux_->workspace.folder);
    status = vt_emulator_run(emulator, &link, error);
    const char *kernel = vt_lab_link_fact(&link, "kernel");
    if (kernel)
        snprintf(outcome->kernel, sizeof outcome->kernel, "%s", kernel);
    if (status == 0 && request->profile)
        status = take_symbols(linux_, &link, &outcome->profiles[0].symbols, emulator->lab, error);
    outcome->document = link.document;
    outcome->size = link.document_size;
    link.document = NULL;
    *row = link.total ? link.done : 0;
    if (status != 0 && *row && keep_rows(linux_, &link, error) != 0)
        *row = 0;
    vt_lab_link_release(&link);
    return status;
}

/* For the plan of the next run. False: another run would not help. */
static bool lose(struct vt_lab_plan *plan, const struct vt_emulator *emulator, size_t row)
{
    if (emulator->end == VT_EMULATOR_REFUSED || row == 0 || plan->lost_count == VT_LAB_LOST_MOST)
        return false;
    for (size_t i = 0; i < plan->lost_count; i++)
        if (plan->lost[i].number == row)
            return false;
    struct vt_lost_row *lost = &plan->lost[plan->lost_count++];
    lost->number = row;
    lost->status = vt_emulator_judge_lost(emulator, lost->reason, sizeof lost->reason);
    if (!plan->profile)
        plan->before = row;
    return true;
}

int vt_lab_linux_run(struct vt_lab_linux *linux_, struct vt_emulator *emulator,
                     struct vt_lab_outcome *outcome, struct vt_error *error)
{
    size_t row;
    int status;

    emulator->folder = linux_->workspace.folder;
    emulator->console_file = "console";
    emulator->panic = "Kernel panic - ";
    snprintf(outcome->command_line, sizeof outcome->command_line, "%s", linux_->command_line);
    do {
        free(outcome->document);
        outcome->document = NULL;
        status = run_once(linux_, emulator, outcome, &row, error);
    } while (status != 0 && lose(&linux_->plan, emulator, row));
    if (status == 0 && linux_->rows &&
        vt_lab_rows_put_back(&outcome->document, &outcome->size, linux_->rows, linux_->rows_size) != 0)
        status = vt_error_memory(error, "the rows of a machine that ended");
    return status;
}
