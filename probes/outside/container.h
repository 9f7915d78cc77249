/*
 * Whether this process is in a container: by what the kernel says of its namespaces, its cgroup and its root
 * file system. A file that container managers leave names a container, it does not make one.
 */
#ifndef VT_PROBES_OUTSIDE_CONTAINER_H
#define VT_PROBES_OUTSIDE_CONTAINER_H

#include "probes/row.h"

#include <stdbool.h>
#include <stddef.h>

struct vt_container_facts {
    enum vt_answer first_pid, first_cgroup; /* are these namespaces the system's first? */
    char cgroups[2048];                     /* lines of /proc/self/cgroup */
    char root[1024];              /* the line of /proc/self/mountinfo with mount point "/"; "": none */
    bool openvz;                  /* a kernel of OpenVZ says that this is not its host */
    char init[32];                /* variable container of process 1; "": none, or not to be read */
    char own[32];                 /* of this process */
    char mark[64], mark_kind[32]; /* a file a manager leaves, and whose */
};

struct vt_container {
    enum vt_answer contained;
    char kind[32]; /* "docker"; "": nothing names it */
    char why[256];
};

/* `root` goes before every path ("": this system). */
void vt_container_read(const char *root, struct vt_container_facts *facts);

/* Pure. */
struct vt_container vt_container_judge(const struct vt_container_facts *facts);

#endif
