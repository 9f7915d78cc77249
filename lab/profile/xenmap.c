#include "lab/profile/xenmap.h"
#include "base/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULE  "xen"
#define LARGEST ((size_t)16 << 20)

/* Beside xen/xen or xen/xen.gz. */
static int find_own(const struct vt_lab_request *request, char path[PATH_MAX])
{
    const char *slash = strrchr(request->hypervisor, '/');
    int length = slash ? (int)(slash + 1 - request->hypervisor) : 0;
    return snprintf(path, PATH_MAX, "%.*sxen-syms.map", length, request->hypervisor) < PATH_MAX ? 0 : -1;
}

/* usr/lib/debug/boot/xen-syms-4.17-amd64.map of xen-hypervisor-4.17-amd64-dbg. */
static int find_debian(const struct vt_package *package, const struct vt_lab_request *request,
                       void (*note)(void *context, const char *text), char path[PATH_MAX],
                       struct vt_error *error)
{
    static const char real[] = "xen-hypervisor-";
    struct vt_package debug = {0};
    char name[160];

    snprintf(name, sizeof name, "%s-dbg", package->name);
    int status = vt_package_get(&debug, name, NULL, note, (void *)request, &request->stop, error);
    if (status == 0 && strcmp(debug.version, package->version) != 0)
        status =
            vt_error_set(error, VT_EXIT_ENVIRONMENT, ENOENT,
                         "%s is there as version %s, and Xen as %s: its functions have no names; run apt-get "
                         "update, or leave out --profile",
                         name, debug.version, package->version);
    if (status == 0)
        snprintf(path, PATH_MAX, "%s/usr/lib/debug/boot/xen-syms-%s.map", debug.folder,
                 package->name + strlen(real));
    vt_package_release(&debug);
    return status;
}

int vt_xen_map_get(const struct vt_package *package, const struct vt_lab_request *request,
                   void (*note)(void *context, const char *text), char **text, struct vt_error *error)
{
    char path[PATH_MAX] = "";
    size_t size;

    int status =
        request->hypervisor ? find_own(request, path) : find_debian(package, request, note, path, error);
    return status == 0 ? vt_file_read(path, LARGEST, text, &size, error) : status;
}

/* What a linker calls the ends of sections is no function. */
static int is_linkers(const char *name)
{
    static const char *const names[] = {"_stextentry", "_etextentry", "_stext", "_etext", "__image_base__"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return 1;
    return 0;
}

/* "0xffff82d040200008 t head.o#multiboot1_header": a local name has its file before it. */
char *vt_xen_map_symbols(const char *map)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    if (!stream)
        return NULL;
    for (const char *line = map; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        unsigned long long address;
        char type, name[256];
        if (sscanf(line, "%llx %c %255s", &address, &type, name) != 3)
            continue;
        const char *local = strrchr(name, '#'), *shown = local ? local + 1 : name;
        if (!is_linkers(shown))
            fprintf(stream, "%llx %c %s [%s]\n", address, type, shown, MODULE);
    }
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}
