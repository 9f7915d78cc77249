/*
 * Memory for code that this program lays down and then runs: written at one address, run at another, and
 * at no address both. That is all systemd's MemoryDenyWriteExecute, prctl(PR_SET_MDWE) and SELinux without
 * execmem leave open.
 *
 * Owns: the memory and the place it is written at. Does not own: the places it is run at.
 */
#ifndef VT_BASE_CODE_H
#define VT_BASE_CODE_H

#include <stddef.h>
#include <stdint.h>

struct vt_code {
    int fd;
    uint8_t *writable; /* NULL when closed */
    size_t size;       /* whole pages */
};

/* 0, or a negative errno; then nothing stays open. */
int vt_code_open(struct vt_code *code, size_t size);

/*
 * Executable and readable at `place`, a page's address, in addition. `fixed`: MAP_FIXED, for a place inside
 * a mapping of the caller's, or MAP_FIXED_NOREPLACE. The caller unmaps it; it outlives vt_code_close. 0, or
 * a negative errno.
 */
int vt_code_map(const struct vt_code *code, void *place, int fixed);

/* Safe on one that is zeroed, failed to open or is already closed. */
void vt_code_close(struct vt_code *code);

#endif
