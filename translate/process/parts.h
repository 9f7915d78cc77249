/* What the files of the process platform share. */
#ifndef VT_TRANSLATE_PROCESS_PARTS_H
#define VT_TRANSLATE_PROCESS_PARTS_H

#include "translate/internal.h"
#include "translate/process/process.h"

#define VT_SIGNAL_STACK 131072

struct vt_translate_process {
    struct vt_translate t; /* first */
    bool (*fix_fault)(ucontext_t *context);
    uint8_t *reservation; /* window, context, code */
    size_t reserved;
    int memfd;
    void *decoder;
    void *signal_stack;
};

static inline struct vt_translate_process *vt_process_of(struct vt_translate *t)
{
    return (struct vt_translate_process *)t;
}

/* memory.c: fill the places of process->t, and unmap whatever is mapped. */
int vt_process_map(struct vt_translate_process *process, const struct vt_translate_settings *settings,
                   struct vt_error *error);
void vt_process_unmap(struct vt_translate_process *process);
bool vt_process_give(struct vt_translate *t, void *chunk, size_t size);
void vt_process_take(struct vt_translate *t, void *chunk, size_t size);
void vt_process_populate(void *memory, size_t size);
void vt_process_clear(void *memory, size_t size);
void vt_process_protect(struct vt_translate *t, void *page, bool writable);

/* fault.c */
void vt_process_catch(struct vt_translate_process *process);
void vt_process_release(void);
bool vt_process_peek(const struct vt_translate *t, uint64_t address, uint64_t *value);

#endif
