/*
 * KVM's counters by name: a vCPU's binary statistics (Documentation/virt/kvm/api.rst,
 * KVM_GET_STATS_FD), which need no privilege beyond the vCPU's descriptor; before Linux 5.14
 * the files of its machine in debugfs, which are root's.
 */
#ifndef VT_VMM_STATS_H
#define VT_VMM_STATS_H

#include "base/counter.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct vt_stats {
    int fd; /* -1: this kernel offers none; every counter is then unknown */
    uint64_t data_offset;
    uint32_t data_size;          /* bytes that hold all values this build knows */
    int32_t offset[VT_COUNTERS]; /* byte offset into the data block, -1: not offered */
    uint32_t files;              /* bit per counter that is a file of debugfs */
    int folder;                  /* where they are, if any */
};

/* Where there is no descriptor: the counters that are files of `folder`. True: there are some. */
bool vt_stats_open_folder(struct vt_stats *stats, const char *folder);

/*
 * Can the folders' names be known here? The kernel names them after the numbers that the first PID namespace
 * has for processes; in another one a name could be that of somebody else's machine.
 */
bool vt_stats_has_folder_names(void);

/* The folder of debugfs with the counters of this process's machine `vm`; false where its name cannot be
 * known. */
bool vt_stats_name_folder(int vm, char *folder, size_t size);

/* Look the counters up once. *stats owns the descriptor from here on; -1: there is none, every counter is
 * unknown. */
int vt_stats_adopt(struct vt_stats *stats, int fd, struct vt_error *error);

/* Current values; unknown where the kernel has no such counter. */
void vt_stats_read(const struct vt_stats *stats, struct vt_counters *counters);

void vt_stats_close(struct vt_stats *stats);

/* Receives one counter; `name` lasts until it returns. */
typedef void vt_stats_taker(const char *name, uint64_t value, void *context);

/*
 * Every counter of one value that a statistics descriptor has, those this build does not know included; it
 * may be another process's. Returns 0, or a negative errno with `error`.
 */
int vt_stats_each(int fd, vt_stats_taker *take, void *context, struct vt_error *error);

/* The same of a machine's folder in debugfs, whose files are sums over its vCPUs; under the names of today.
 */
int vt_stats_each_file(const char *folder, vt_stats_taker *take, void *context, struct vt_error *error);

#endif
