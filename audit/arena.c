#include "audit/descriptor.h"
#include "audit/trial.h"

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

static int protect(struct vt_audit_arena *arena)
{
    if (mprotect(arena->readonly, PAGE, PROT_READ) != 0)
        return -errno;
    return mprotect(arena->code, code_size(), PROT_READ | PROT_EXEC) != 0 ? -errno : 0;
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
    memcpy(arena->code, vt_audit_code_start, vt_audit_code_offset(vt_audit_code_end));
    int status = protect(arena);
    if (status == 0)
        return 0;
    vt_audit_arena_close(arena);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, -status,
                        "audit: cannot make the code under test executable: %s; allow this program to map "
                        "executable memory (SELinux: execmem)",
                        strerror(-status));
}

void vt_audit_arena_close(struct vt_audit_arena *arena)
{
    munmap(arena->code, arena_size());
    *arena = (struct vt_audit_arena){0};
}
