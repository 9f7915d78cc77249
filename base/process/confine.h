/*
 * Less than the user may do: for this process before it reads what strangers wrote
 * (seccomp, Landlock), and for programs it starts (no_new_privs, limits, no
 * capabilities). What this kernel, this container or this build does not have is
 * left out, and never an error.
 */
#ifndef VT_BASE_PROCESS_CONFINE_H
#define VT_BASE_PROCESS_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/* What holds, as bits. */
enum vt_confined {
    VT_CONFINED_CAPABILITIES = 1, /* root's are those that reading and replacing files take */
    VT_CONFINED_FILES = 2,        /* Landlock: written beside the outputs alone, nothing executed */
    VT_CONFINED_CALLS = 4,        /* seccomp: files, memory and threads; no process, no network */
};

/*
 * For the rest of this process, which has one thread yet: files may be read, but
 * written only beside the files in `outputs` and below the temporary folder; no
 * program is started and nothing reaches the network. An output may be NULL or "-".
 * Returns what could be had.
 */
unsigned vt_confine_reader(const char *const *outputs, size_t count);

/* Of a program that is about to be started; 0: no limit. */
struct vt_confine_limits {
    size_t memory, file; /* bytes of address space, and of one file */
    unsigned seconds;    /* of processor time */
    bool ordinary;       /* root's capabilities are taken from it */
};

/* In the child, before it executes a program. */
void vt_confine_program(const struct vt_confine_limits *limits);

#endif
