#include "lab/fetch/package.h"
#include "base/file.h"
#include "base/stream.h"
#include "lab/fetch/program.h"
#include "lab/fetch/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_PARTS 16
#define SUMS       "md5sums" /* of the files that matter here, in the form of md5sum(1) */

struct fetch {
    struct vt_package *package;
    const char *cache;
    const char *real; /* what the package's name starts with, before its version; or NULL */
    const struct vt_lab_stop *stop;
    void (*note)(void *context, const char *text);
    void *context;
    struct vt_error *error;
};

static void note(const struct fetch *fetch, const char *what)
{
    char text[256];
    snprintf(text, sizeof text, "%s %s", what, fetch->package->name);
    if (fetch->note)
        fetch->note(fetch->context, text);
}

static int lacks(const struct fetch *fetch, int number, const char *what, const char *why)
{
    char doing[160];

    snprintf(doing, sizeof doing, "fetching %s", fetch->package->name);
    if (number == -EINTR || number == -ETIME)
        return vt_lab_stop_tell(fetch->stop, number, fetch->error, doing);
    return vt_error_set(fetch->error, VT_EXIT_ENVIRONMENT, 0, "cannot %s the package %s: %s", what,
                        fetch->package->name, why && *why ? why : "no reason given");
}

static int no_memory(const struct fetch *fetch)
{
    return vt_error_memory(fetch->error, "the package");
}

/* The last line is the reason, unless one of the programs behind it gave a better one. */
static const char *why_failed(char *output)
{
    const char *full = strerror(ENOSPC);
    return strstr(output, full) ? full : vt_program_last_line(output);
}

/* Run one of apt's and dpkg's programs; its last line is the reason when it fails. */
static int run(const struct fetch *fetch, char *const *argv, const char *folder, const char *what,
               char **text)
{
    char *output = NULL;
    int status = vt_program_run(argv, folder, &output, fetch->stop);
    if (status != 0)
        lacks(fetch, status, what, output ? why_failed(output) : strerror(-status));
    if (status == 0 && text)
        *text = output;
    else
        free(output);
    return status == 0 ? 0 : -EIO;
}

/* One process at a time works on the cache; the lock goes with the process. */
static int lock(const struct fetch *fetch)
{
    char *path = vt_workspace_path(fetch->cache, "lock");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
    free(path);
    if (fd < 0)
        return vt_error_set(fetch->error, VT_EXIT_ENVIRONMENT, errno,
                            "cannot write to the cache folder '%s': %s", fetch->cache, strerror(errno));
    for (bool waiting = false; flock(fd, LOCK_EX | LOCK_NB) != 0; waiting = true) {
        if (!waiting)
            note(fetch, "waiting for another vmtoll that fetches");
        int why = vt_lab_stop_asked(fetch->stop);
        if (why != 0) {
            close(fd);
            return lacks(fetch, why, "", "");
        }
        poll(NULL, 0, 100);
    }
    return fd;
}

/* Of the kernel's own file, its KVM modules, the hypervisor and the map of its functions: the rest of a
 * package is never read. Not every package carries sums, so they are made of what was unpacked from the file
 * apt has checked. */
static int keep_sums(const struct fetch *fetch, const char *tree)
{
    char *const argv[] = {
        "find",   ".",        "-type",   "f",     "(",      "-path",        "./boot/*", "-o",
        "-name",  "vmlinuz*", "-o",      "-path", "*/kvm*", "-o",           "-name",    "irqbypass.ko*",
        "-o",     "-name",    "ccp.ko*", "-o",    "-path",  "*/boot/*.map", ")",        "-exec",
        "md5sum", "{}",       "+",       NULL};
    char *path = vt_workspace_path(tree, SUMS), *sums = NULL;
    int status = path ? run(fetch, argv, tree, "check", &sums) : no_memory(fetch);

    if (status == 0)
        status = sums && *sums ? vt_file_write(path, sums, strlen(sums), fetch->error)
                               : lacks(fetch, 0, "use", "it holds neither a kernel nor a hypervisor");
    free(path);
    free(sums);
    return status;
}

/* Into a folder beside the final one, renamed when complete: an interrupted unpacking is never mistaken for a
 * package. */
static int unpack(const struct fetch *fetch, char *debs, const char *scratch)
{
    char *tree = vt_workspace_path(scratch, "tree"), *deb;
    int status = tree ? 0 : no_memory(fetch);

    while (status == 0 && (deb = strsep(&debs, "\n")))
        if (*deb)
            status = run(fetch, (char *[]){"dpkg-deb", "-x", deb, tree, NULL}, NULL, "unpack", NULL);
    if (status == 0)
        status = keep_sums(fetch, tree);
    if (status == 0) {
        vt_workspace_remove(fetch->package->folder);
        if (rename(tree, fetch->package->folder) != 0)
            status = vt_error_set(fetch->error, VT_EXIT_ENVIRONMENT, errno, "cannot rename to '%s': %s",
                                  fetch->package->folder, strerror(errno));
    }
    free(tree);
    return status;
}

/* All that apt-get left in an empty folder, a line for each. */
static int find_debs(const struct fetch *fetch, const char *scratch, char **debs)
{
    *debs = NULL;
    int status = run(fetch, (char *[]){"find", (char *)scratch, "-maxdepth", "1", "-name", "*.deb", NULL},
                     NULL, "find", debs);
    return status == 0 && !**debs ? lacks(fetch, 0, "download", "apt-get left no file") : status;
}

/*
 * What is fetched: the package itself and those of its dependencies that are named after the same version. A
 * kernel of Debian was one package; of Linux 7.2 linux-image-VERSION is empty, and linux-binary-VERSION and
 * linux-modules-VERSION hold the files.
 */
static int find_parts(const struct fetch *fetch, char **wanted)
{
    const struct vt_package *package = fetch->package;
    const char *suffix = package->name + strlen(fetch->real ? fetch->real : package->name);
    char *text = NULL, *argv[] = {"apt-cache", "depends", "--important", fetch->package->name, NULL}, *line;
    FILE *list;
    size_t size;

    int status = run(fetch, argv, NULL, "look up", &text);
    if (status != 0)
        return status;
    list = vt_stream_memory(wanted, &size);
    if (list)
        fprintf(list, "%s=%s\n", package->name, package->version);
    for (char *rest = text; list && *suffix && (line = strsep(&rest, "\n"));) {
        const char *found = strstr(line, "Depends: "), *name = found ? found + strlen("Depends: ") : "";
        if (strlen(name) > strlen(suffix) && strcmp(name + strlen(name) - strlen(suffix), suffix) == 0)
            fprintf(list, "%s\n", name);
    }
    free(text);
    return list && fclose(list) == 0 ? 0 : no_memory(fetch);
}

static int download_parts(const struct fetch *fetch, const char *scratch)
{
    char *argv[4 + MOST_PARTS] = {"apt-get", "-q", "download"}, *wanted = NULL, *name;
    size_t count = 3;

    int status = find_parts(fetch, &wanted);
    for (char *rest = wanted; status == 0 && (name = strsep(&rest, "\n")) && count < 3 + MOST_PARTS;)
        if (*name)
            argv[count++] = name;
    if (status == 0)
        status = run(fetch, argv, scratch, "download", NULL);
    free(wanted);
    return status;
}

static int download(const struct fetch *fetch)
{
    /* The lock is held: what lies here is left of a process that was killed. */
    char *scratch = vt_workspace_path(fetch->cache, "fetch"), *debs = NULL;

    if (scratch)
        vt_workspace_remove(scratch);
    if (!scratch || mkdir(scratch, 0700) != 0) {
        free(scratch);
        return vt_error_set(fetch->error, VT_EXIT_ENVIRONMENT, errno,
                            "cannot write to the cache folder '%s': %s", fetch->cache, strerror(errno));
    }
    note(fetch, "downloading");
    int status = download_parts(fetch, scratch);
    if (status == 0)
        status = find_debs(fetch, scratch, &debs);
    if (status == 0) {
        note(fetch, "unpacking");
        status = unpack(fetch, debs, scratch);
    }
    vt_workspace_remove(scratch);
    free(scratch);
    free(debs);
    return status;
}

/* A package may hold links, and so may what somebody put into the cache; md5sum would follow them. */
static bool lies_there(const struct fetch *fetch)
{
    enum { LARGEST_LIST = 16 << 20 };
    char *sums = NULL, *path = vt_workspace_path(fetch->package->folder, SUMS);
    size_t size;
    bool all = path && vt_workspace_holds(fetch->package->folder, SUMS) &&
               vt_file_read(path, LARGEST_LIST, &sums, &size, NULL) == 0;
    for (char *rest = sums, *line; all && (line = strsep(&rest, "\n"));) {
        const char *name = strstr(line, "  ");
        all = !*line || (name && vt_workspace_holds(fetch->package->folder, name + 2));
    }
    free(sums);
    free(path);
    return all;
}

static bool intact(const struct fetch *fetch)
{
    return lies_there(fetch) &&
           vt_program_run((char *[]){"md5sum", "--check", "--quiet", "--strict", SUMS, NULL},
                          fetch->package->folder, NULL, fetch->stop) == 0;
}

/* "  Depends: linux-image-6.1.0-56-cloud-amd64" */
static int resolve(const struct fetch *fetch, const char *name)
{
    char *text = NULL;
    struct vt_package *package = fetch->package;

    snprintf(package->name, sizeof package->name, "%s", name);
    if (!fetch->real)
        return 0;
    int status = run(fetch, (char *[]){"apt-cache", "depends", "--important", (char *)name, NULL}, NULL,
                     "look up", &text);
    if (status != 0)
        return status;
    char pattern[160];
    snprintf(pattern, sizeof pattern, "Depends: %s", fetch->real);
    const char *found = strstr(text, pattern);
    if (found)
        sscanf(found, "Depends: %127s", package->name);
    free(text);
    return found ? 0 : lacks(fetch, 0, "look up", "apt knows no such package: run apt-get update");
}

/* The candidate of apt-cache policy, which is what apt-get download takes. */
static int find_version(const struct fetch *fetch)
{
    char *text = NULL;
    int status =
        run(fetch, (char *[]){"apt-cache", "policy", fetch->package->name, NULL}, NULL, "look up", &text);
    if (status != 0)
        return status;
    const char *line = strstr(text, "Candidate: ");
    bool found = line && sscanf(line, "Candidate: %127s", fetch->package->version) == 1 &&
                 strcmp(fetch->package->version, "(none)") != 0;
    free(text);
    return found ? 0 : lacks(fetch, 0, "look up", "apt knows no such package: run apt-get update");
}

static int make_ready(const struct fetch *fetch)
{
    struct stat status;
    bool present = lstat(fetch->package->folder, &status) == 0;

    if (present)
        note(fetch, "checking");
    if (present && intact(fetch))
        return 0;
    int why = vt_lab_stop_asked(fetch->stop);
    if (why != 0)
        return lacks(fetch, why, "", "");
    if (present)
        note(fetch, "the cache is damaged, fetching again");
    return download(fetch);
}

static int get(struct fetch *fetch, const char *name)
{
    static const char *const programs[] = {"apt-get", "apt-cache", "dpkg-deb", "md5sum"};
    struct vt_package *package = fetch->package;
    char file[300];

    snprintf(package->name, sizeof package->name, "%s", name);
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (!vt_program_exists(programs[i]))
            return vt_error_set(fetch->error, VT_EXIT_ENVIRONMENT, ENOENT,
                                "%s is missing: on a system that is not Debian give --kernel BZIMAGE "
                                "--modules DIR (xen: --hypervisor FILE)",
                                programs[i]);
    int status = resolve(fetch, name);
    if (status == 0)
        status = find_version(fetch);
    if (status != 0)
        return status;
    snprintf(file, sizeof file, "%s_%s", package->name, package->version);
    package->folder = vt_workspace_path(fetch->cache, file);
    if (!package->folder)
        return vt_error_memory(fetch->error, "the package's path");
    int held = lock(fetch);
    if (held < 0)
        return held;
    status = make_ready(fetch);
    close(held);
    return status;
}

int vt_package_get(struct vt_package *package, const char *name, const char *real,
                   void (*note_line)(void *context, const char *text), void *context,
                   const struct vt_lab_stop *stop, struct vt_error *error)
{
    char *cache = vt_workspace_cache(error);
    struct fetch fetch = {package, cache, real, stop, note_line, context, error};

    *package = (struct vt_package){0};
    int status = cache ? get(&fetch, name) : -ENOENT;
    free(cache);
    if (status != 0)
        vt_package_release(package);
    return status;
}

void vt_package_release(struct vt_package *package)
{
    free(package->folder);
    package->folder = NULL;
}
