#include "base/code.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE ((size_t)4096)

int vt_code_open(struct vt_code *code, size_t size)
{
    int number;

    *code = (struct vt_code){.size = (size + PAGE - 1) & ~(PAGE - 1)};
    code->fd = memfd_create("vmtoll-code", MFD_CLOEXEC);
    if (code->fd < 0)
        return -errno;
    if (ftruncate(code->fd, (off_t)code->size) == 0)
        code->writable = mmap(NULL, code->size, PROT_READ | PROT_WRITE, MAP_SHARED, code->fd, 0);
    if (code->writable && code->writable != MAP_FAILED)
        return 0;
    number = errno;
    close(code->fd);
    *code = (struct vt_code){.fd = -1};
    return -number;
}

int vt_code_map(const struct vt_code *code, void *place, int fixed)
{
    void *mapped = mmap(place, code->size, PROT_READ | PROT_EXEC, MAP_SHARED | fixed, code->fd, 0);

    if (mapped == MAP_FAILED)
        return -errno;
    if (mapped == place)
        return 0;
    munmap(mapped, code->size); /* a kernel before 4.17 takes MAP_FIXED_NOREPLACE for a hint */
    return -EEXIST;
}

void vt_code_close(struct vt_code *code)
{
    if (!code->writable)
        return;
    munmap(code->writable, code->size);
    close(code->fd);
    *code = (struct vt_code){.fd = -1};
}
