/*
 * In what a machine with Linux differs from the lab's own: words for its kernel, parameters
 * of KVM's modules, processors. Owns: checking them, for they come from outside and reach a
 * boot loader, and the command line made of them. parameters.h puts them in force.
 */
#ifndef VT_LAB_TUNING_H
#define VT_LAB_TUNING_H

#include "base/error.h"

#include <stddef.h>

/* As many processors as a lab's machine has at most. */
#define VT_LAB_PROCESSORS 8

/* What a lab's command line has room for; Linux (COMMAND_LINE_SIZE) has twice as much. */
#define VT_LAB_COMMAND_LINE 1024

struct vt_lab_tuning {
    const char *append;     /* words for the kernel's command line, blanks between; NULL: none */
    const char *parameters; /* "kvm_amd.npt=0,kvm.mmio_caching=0"; NULL: none */
    long processors;        /* 1 to VT_LAB_PROCESSORS; 0 counts as 1 */
};

/* Do they make sense in a lab whose module of KVM is `module` ("kvm_amd")? On no: -EINVAL and a line. */
int vt_lab_tuning_check(const struct vt_lab_tuning *tuning, const char *module, struct vt_error *error);

/*
 * The kernel's command line: `own` words, then what all labs say, then the tuning, and what the first process
 * is told. -E2BIG where it does not fit.
 */
int vt_lab_tuning_command_line(const struct vt_lab_tuning *tuning, const char *own,
                               char text[VT_LAB_COMMAND_LINE], struct vt_error *error);

/* "2", for an emulator's arguments. */
struct vt_lab_number {
    char text[4];
};
struct vt_lab_number vt_lab_tuning_processors(const struct vt_lab_tuning *tuning);

#endif
