/*
 * The translator in a process: its memory is mapped, its faults are signals.
 *
 * Owns: the platform (translate/platform.h) and the places of a translator that lives in a process. Does not
 * own: what is made of code (translate/).
 */
#ifndef VT_TRANSLATE_PROCESS_PROCESS_H
#define VT_TRANSLATE_PROCESS_PROCESS_H

#include "base/error.h"
#include "translate/translate.h"

#include <ucontext.h>

struct vt_translate_settings {
    size_t memory; /* bytes of guest memory, 0: 4 MiB; rounded up to pages, at most 16 MiB */
    size_t cache;  /* bytes of translated code, 0: 16 MiB; at most 64 MiB */
    const struct vt_environment *environment; /* the caller's; must outlive the translator */
    /* Asked, when not NULL, of faults that are not the guest's: has it edited the context so that all is
     * well? */
    bool (*fix_fault)(ucontext_t *context);
};

/* Needs the address range below 2 GiB. On success *out is the caller's until destroyed. */
int vt_translate_create(struct vt_translate **out, const struct vt_translate_settings *settings,
                        struct vt_error *error);
void vt_translate_destroy(struct vt_translate *translate);

/*
 * Guest memory: the same address in the process and in the guest, readable, writable, zero. Pages
 * from which code has been translated are read-only until the next flush; vt_translate_store writes to them,
 * too.
 */
uint8_t *vt_translate_memory(struct vt_translate *translate, size_t *size);

/*
 * Call `function` with the virtual CPU's registers as they are (RSP inside the window) and run until it
 * returns or something ends it. `exits`: how often translated code may be left before the run is ended, 0:
 * any number. While it runs, the thread's faults (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP) are the guest's.
 */
enum vt_translate_end vt_translate_call(struct vt_translate *translate, uint64_t function, uint64_t exits);

/*
 * End the run as soon as possible. For the handler of a real-time signal on the alternate stack, to be called
 * again until the run has ended; standard signals other than the faults wait until then.
 */
void vt_translate_stop(struct vt_translate *translate, void *ucontext);

#define VT_TRANSLATE_OWN 7

/* What it writes in the heap while guest code runs. */
void vt_translate_own(const struct vt_translate *translate, const void *parts[VT_TRANSLATE_OWN]);

#endif
