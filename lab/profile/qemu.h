/* The plugin in a machine's folder: written there, named to QEMU, and what it wrote read back. */
#ifndef VT_LAB_PROFILE_QEMU_H
#define VT_LAB_PROFILE_QEMU_H

#include "base/error.h"
#include "lab/profile/capture.h"
#include "lab/profile/record.h"

/* What follows "-plugin". */
struct vt_plugin_argument {
    char text[240];
};

/* Write the plugin into `folder`. */
int vt_plugin_place(const char *folder, const struct vt_record_places *places,
                    struct vt_plugin_argument *argument, struct vt_error *error);

/* Was it the plugin that an emulator refused, as `error` quotes it? Then say which emulator that is and what
 * to do instead. Returns what to end with: `status`, or the error's. */
int vt_plugin_explain(int status, const char *lab, const char *emulator, struct vt_error *error);

/* All is measured again: drop what it wrote in `folder`, if anything. */
void vt_plugin_forget(const char *folder);

/* The text of `size` bytes that the machine handed over in pages: terminated, the caller's; NULL: it did not,
 * or not all. */
int vt_plugin_read_names(const char *folder, size_t size, char **text, struct vt_error *error);

/* Read what it wrote in `folder`; without any, a capture without batches. */
int vt_plugin_read(const char *folder, struct vt_capture *capture, struct vt_error *error);

#endif
