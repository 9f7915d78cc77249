/*
 * virsh(1), started once on libvirt's read-only connection and asked line by line: a program per reading
 * would cost more than the reading.
 */
#ifndef VT_PRICE_SOURCE_VIRSH_H
#define VT_PRICE_SOURCE_VIRSH_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct vt_virsh {
    pid_t process;
    int in, out; /* its standard input and output */
    char *bytes; /* received, not yet taken; owned */
    size_t size;
    int patience;    /* milliseconds an answer may take */
    char wrong[256]; /* the last line that told of an error */
};

/* On failure there is nothing to close. */
int vt_virsh_open(struct vt_virsh *virsh, struct vt_error *error);

/* Receives one line of an answer, without its end. */
typedef void vt_virsh_taker(char *line, void *context);

/* The name of a domain as a word of virsh's; false: it has characters that no name has. */
bool vt_virsh_quote(const char *name, char *word, size_t size);

/* Ask; `command` is one line, without its end. An answer that tells of an error is one. */
int vt_virsh_ask(struct vt_virsh *virsh, const char *command, vt_virsh_taker *take, void *context,
                 struct vt_error *error);

/* The process that a domain of the system's libvirt is; 0: unknown. */
pid_t vt_virsh_process(const char *domain);

/* End it. */
void vt_virsh_close(struct vt_virsh *virsh);

#endif
