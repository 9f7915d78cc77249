/*
 * Where an output file goes: a folder that is held open, and a name in it that is
 * no link. Links are followed one by one, as the kernel would with
 * fs.protected_symlinks=1, whether it is set or not: a link that another user left
 * in a folder which anyone may write to is refused, and so is a file of his there.
 */
#ifndef VT_BASE_PLACE_H
#define VT_BASE_PLACE_H

#include <stdbool.h>
#include <sys/stat.h>

struct vt_place {
    int folder;   /* -1: none */
    int direct;   /* a copy of the descriptor that was named; -1: none was */
    bool special; /* written to as it is, never replaced: a descriptor, a device, a pipe */
    char *name;   /* in the folder */
    bool exists;
    struct stat status; /* what is there, when it exists */
    const char *why;    /* in words, where errno says too little; else NULL */
};

/* A negative errno where nothing may be written there. Release in any case. */
int vt_place_find(struct vt_place *place, const char *path);

/* A descriptor of what is special, the caller's; waits where a pipe has no reader. Or a negative errno. */
int vt_place_open(struct vt_place *place);

/* Give `fd`, which will be renamed to the place, mode and owner of what is there. */
int vt_place_keep(struct vt_place *place, int fd);

void vt_place_release(struct vt_place *place);

#endif
