#include "tests/difference/shared_image.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAME_MOST 32

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

static bool find_image(const char *name, char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - NAME_MOST);

    if (length <= 0)
        return false;
    path[length] = '\0';
    snprintf(strrchr(path, '/') + 1, NAME_MOST, "%s", name);
    return access(path, R_OK) == 0;
}

/* Ends with this process, whatever becomes of it. */
static void become_qemu(const char *file, const char *image, size_t size)
{
    char backend[256], megabytes[16];

    snprintf(backend, sizeof backend, "memory-backend-file,id=m,size=%zu,share=on,mem-path=%s", size, file);
    snprintf(megabytes, sizeof megabytes, "%zu", size >> 20);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("qemu-system-x86_64", "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
           "-display", "none", "-monitor", "none", "-object", backend, "-machine", "q35,memory-backend=m",
           "-m", megabytes, "-accel", "tcg", "-cpu", "max", "-smp", "1", "-kernel", image, (char *)NULL);
    _exit(127);
}

bool shared_image_is_alive(struct shared_image *image)
{
    if (image->pid > 0 && waitpid(image->pid, NULL, WNOHANG) == image->pid)
        image->pid = -1;
    return image->pid > 0;
}

static bool wait_ready(struct shared_image *image, const volatile uint64_t *ready, char *reason, size_t room)
{
    time_t end = time(NULL) + SHARED_IMAGE_SECONDS;

    while (!*ready && shared_image_is_alive(image) && time(NULL) < end)
        nap();
    if (*ready)
        return true;
    snprintf(reason, room, "%s",
             image->pid < 0 ? "qemu-system-x86_64 does not start: apt-get install qemu-system-x86"
                            : "the image does not come up in QEMU");
    return false;
}

bool shared_image_open(struct shared_image *image, const char *name, size_t size, size_t ready, char *reason,
                       size_t room)
{
    char path[4096], file[] = "/tmp/vmtoll-judge-XXXXXX";

    ck_assert_msg(find_image(name, path, sizeof path), "%s is not beside the test: make tests", name);
    int fd = mkostemp(file, O_CLOEXEC);
    *image = (struct shared_image){.pid = -1, .memory = MAP_FAILED, .size = size};
    if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
        image->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (image->memory == MAP_FAILED) {
        snprintf(reason, room, "no file for QEMU's memory in /tmp");
        return false;
    }
    image->pid = fork();
    if (image->pid == 0)
        become_qemu(file, path, size);
    bool is_ready =
        wait_ready(image, (const volatile uint64_t *)(const void *)(image->memory + ready), reason, room);
    unlink(file);
    close(fd);
    if (!is_ready)
        shared_image_close(image);
    return is_ready;
}

void shared_image_close(struct shared_image *image)
{
    if (image->pid > 0) {
        kill(image->pid, SIGKILL);
        waitpid(image->pid, NULL, 0);
    }
    munmap(image->memory, image->size);
    image->pid = -1;
}

bool shared_image_wait(struct shared_image *image, const volatile uint64_t *go, const volatile uint64_t *done)
{
    time_t end = time(NULL) + SHARED_IMAGE_SECONDS;

    while (__atomic_load_n(done, __ATOMIC_SEQ_CST) != *go) {
        if (!shared_image_is_alive(image) || time(NULL) > end)
            return false;
        nap();
    }
    return true;
}
