#include "price/machines.h"
#include "base/memory.h"
#include "price/source/virsh.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct finding {
    struct vt_price_machines *machines;
    bool lost; /* no memory */
};

static void add(struct finding *finding, const char *domain, pid_t process)
{
    struct vt_price_machines *machines = finding->machines;
    if (machines->count == VT_PRICE_MACHINES)
        return;
    char *name = domain ? strdup(domain) : NULL;
    struct vt_price_target *slot = domain && !name ? NULL : vt_memory_append(machines->list, machines->count);
    finding->lost |= !slot;
    if (slot)
        *slot = (struct vt_price_target){.domain = name, .process = process};
    else
        free(name);
}

/* "list --name" prints a name a line; virsh's echo of the question stands before. */
static void take_name(char *line, void *context)
{
    if (*line != '\0' && strncmp(line, "virsh # ", 8) != 0 && strncmp(line, "virsh > ", 8) != 0)
        add(context, line, 0);
}

/* No virsh and no libvirt are no domains. */
static void find_domains(struct finding *finding)
{
    struct vt_virsh virsh;
    if (vt_virsh_open(&virsh, NULL) != 0)
        return;
    if (vt_virsh_ask(&virsh, "", NULL, NULL, NULL) == 0)
        vt_virsh_ask(&virsh, "list --name", take_name, finding, NULL);
    vt_virsh_close(&virsh);
}

static bool holds_machine(const char *root, pid_t process)
{
    char path[PATH_MAX], link[64];
    bool holds = false;
    snprintf(path, sizeof path, "%s/%d/fd", root, (int)process);
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && !holds && (entry = readdir(folder));) {
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, link, sizeof link - 1);
        link[length > 0 ? length : 0] = '\0';
        holds = strcmp(link, "anon_inode:kvm-vm") == 0;
    }
    if (folder)
        closedir(folder);
    return holds;
}

static bool is_domains(const pid_t *domains, size_t count, pid_t process)
{
    for (size_t i = 0; i < count; i++)
        if (domains[i] == process)
            return true;
    return false;
}

static void find_processes(const char *root, struct finding *finding)
{
    pid_t domains[VT_PRICE_MACHINES];
    size_t count = finding->machines->count;
    for (size_t i = 0; i < count; i++)
        domains[i] = vt_virsh_process(finding->machines->list[i].domain);
    DIR *folder = opendir(root);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        pid_t process = (pid_t)strtol(entry->d_name, NULL, 10);
        if (process > 0 && !is_domains(domains, count, process) && holds_machine(root, process))
            add(finding, NULL, process);
    }
    if (folder)
        closedir(folder);
}

static int by_name(const void *a, const void *b)
{
    const struct vt_price_target *one = a, *two = b;
    if (one->domain && two->domain)
        return strcmp(one->domain, two->domain);
    if (one->domain || two->domain)
        return one->domain ? -1 : 1;
    return (one->process > two->process) - (one->process < two->process);
}

int vt_price_machines_find(const char *root, struct vt_price_machines *machines, struct vt_error *error)
{
    struct finding finding = {.machines = machines};
    *machines = (struct vt_price_machines){0};
    find_domains(&finding);
    find_processes(root, &finding);
    if (finding.lost) {
        vt_price_machines_release(machines);
        return vt_error_memory(error, "the machines that run here");
    }
    if (machines->count > 0)
        qsort(machines->list, machines->count, sizeof *machines->list, by_name);
    return 0;
}

void vt_price_machines_release(struct vt_price_machines *machines)
{
    for (size_t i = 0; i < machines->count; i++)
        free((char *)(uintptr_t)machines->list[i].domain);
    free(machines->list);
    *machines = (struct vt_price_machines){0};
}
