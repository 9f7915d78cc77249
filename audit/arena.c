#include "audit/descriptor.h"
#include "audit/trial.h"
#include "base/code.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, SIGNAL_PAGES = 16 };

/* One mapping: code, run, read-only page, signal stack; each starts on a page. */
static size_t pages(size_t size)
{
    return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static size_t code_size(void)
{
    return pages(vt_audit_code_offset(vt_audit_code_end));
}

static size_t arena_size(void)
{
    return code_size() + pages(sizeof(struct vt_audit_run)) + (1 + SIGNAL_PAGES) * PAGE;
}

static int lay_code(struct vt_audit_arena *arena)
{
    int status = vt_code_open(&arena->written, code_size());
    if (status != 0)
        return status;
    memcpy(arena->written.writable, vt_audit_code_start, vt_audit_code_offset(vt_audit_code_end));
    return vt_code_map(&arena->written, arena->code, MAP_FIXED);
}

int vt_audit_arena_open(struct vt_audit_arena *arena, struct vt_error *error)
{
    uint8_t *memory =
        mmap(NULL, arena_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (memory == MAP_FAILED)
        return vt_error_set(
            error, VT_EXIT_ENVIRONMENT, errno,
            "audit: cannot map %zu bytes below 4 GiB: %s; raise the limit of memory (ulimit -v)",
            arena_size(), strerror(errno));
    arena->code = memory;
    arena->run = (struct vt_audit_run *)(void *)(memory + code_size());
    arena->readonly = (uint8_t *)arena->run + pages(sizeof *arena->run);
    arena->signal_stack = arena->readonly + PAGE;
    arena->code_selector = vt_audit_code_selector();
    arena->code32_selector = vt_audit_find_code32();
    int status = lay_code(arena);
    if (status == 0 && mprotect(arena->readonly, PAGE, PROT_READ) == 0)
        return 0;
    if (status == 0)
        status = -errno;
    vt_audit_arena_close(arena);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, -status,
                        "audit: cannot make the code under test executable: %s; allow this program to map "
                        "executable memory (SELinux: execmem)",
                        strerror(-status));
}

void vt_audit_arena_close(struct vt_audit_arena *arena)
{
    munmap(arena->code, arena_size());
    vt_code_close(&arena->written);
    *arena = (struct vt_audit_arena){0};
}
