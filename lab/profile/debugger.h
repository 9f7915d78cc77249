/*
 * Bochs' debugger, which tells what the processor executes: it is stopped where a batch begins and where it
 * ends, and prints each instruction between, for record.h. Owns: the dialogue. Does not own: which batches
 * are worth it (traced.h), the emulator's life (lab/emulator.h).
 */
#ifndef VT_LAB_PROFILE_DEBUGGER_H
#define VT_LAB_PROFILE_DEBUGGER_H

#include "base/error.h"
#include "lab/profile/capture.h"
#include "lab/profile/places.h"

#include <stddef.h>

/* What Bochs reads commands from, in its folder (-rc). */
#define VT_DEBUGGER_COMMANDS "debugger"

struct vt_debugger;

/* Who gets what is not the debugger's. Returns 0 or a negative errno. */
typedef int (*vt_debugger_pass)(void *to, const char *data, size_t size);

/* NULL: memory is out. */
struct vt_debugger *vt_debugger_open(const struct vt_profile_places *places);
void vt_debugger_close(struct vt_debugger *debugger);

/* An emulator is about to start in `folder`; what an earlier one told is forgotten. */
int vt_debugger_start(struct vt_debugger *debugger, const char *folder, struct vt_error *error);

/* It has printed this. Returns 0, a negative errno, or what `pass` returned. */
int vt_debugger_take(struct vt_debugger *debugger, const char *data, size_t size, vt_debugger_pass pass,
                     void *to);

/* It has ended. */
int vt_debugger_read(struct vt_debugger *debugger, struct vt_capture *capture, struct vt_error *error);

#endif
