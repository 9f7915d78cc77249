/* What a process under the filter may still ask the kernel for, and what looks as if it were not there. */
#include "base/process/filter.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void begin(void)
{
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (!vt_filter_calls())
        vt_skip("this kernel or this build has no filters");
}

static void refused(long result, const char *what)
{
    ck_assert_msg(result < 0 && errno == ENOSYS, "%s: %ld, errno %d", what, result, errno);
}

static void *nothing(void *context)
{
    return context;
}

static void *try_files_memory_and_threads_are_there(void *context)
{
    pthread_t thread;
    FILE *file;
    begin();
    ck_assert_ptr_nonnull(file = fopen("/proc/self/status", "re"));
    ck_assert_int_ge(fgetc(file), 0);
    fclose(file);
    ck_assert_int_eq(pthread_create(&thread, NULL, nothing, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(kill(getpid(), 0), 0);
    return context;
}

static void *try_processes_and_the_network_are_not(void *context)
{
    begin();
    refused(fork(), "fork");
    /* It makes no process, so nothing follows one. */
    /* NOLINTNEXTLINE(clang-analyzer-unix.Vfork,clang-analyzer-security.insecureAPI.vfork) */
    refused(vfork(), "vfork");
    refused(execl("/bin/true", "true", NULL), "execve");
    refused(socket(AF_INET, SOCK_STREAM, 0), "socket");
    refused(syscall(SYS_ptrace, 0, 0, 0, 0), "ptrace");
    refused(syscall(SYS_io_uring_setup, 1, NULL), "io_uring_setup");
    return context;
}

/* Of these, some arguments are allowed, up to the last bit. */
static void *try_calls_are_allowed_in_part(void *context)
{
    struct rlimit limit;
    char *beyond = (char *)(1ULL << 32); /* a pointer whose lower half is NULL */
    pid_t parent = getppid();
    begin();
    ck_assert_int_eq(kill(parent, 0), 0);
    refused(kill(parent, SIGCONT), "a signal to another process");
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    refused(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL), "setting a limit");
    refused(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, beyond, NULL), "setting a limit");
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_lt(ioctl(null, TCGETS, &limit), 0);
    ck_assert_int_eq(errno, ENOTTY);
    ck_assert_int_lt(ioctl(null, 0x802c542aUL, &limit), 0); /* TCGETS2: glibc 2.42's isatty() */
    ck_assert_int_eq(errno, ENOTTY);
    refused(ioctl(null, TIOCSTI, "x"), "typing for the user");
    return context;
}

/* The numbers of x32 mean the same calls, with a bit more. */
static void *try_other_numbers_are_refused(void *context)
{
    begin();
    refused(syscall(0x40000000 | SYS_getpid), "getpid of x32");
    refused(syscall(-1), "a number below all");
    refused(syscall(100000), "a number beyond all");
    return context;
}

/* In a thread of its own, which has its filter to itself: Check takes the time before and after a test, and
 * finds out each time by a timer which clock there is. */
static void filtered(void *(*body)(void *context))
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, body, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

START_TEST(files_memory_and_threads_are_there)
{
    filtered(try_files_memory_and_threads_are_there);
}
END_TEST

START_TEST(processes_and_the_network_are_not)
{
    filtered(try_processes_and_the_network_are_not);
}
END_TEST

START_TEST(calls_are_allowed_in_part)
{
    filtered(try_calls_are_allowed_in_part);
}
END_TEST

START_TEST(other_numbers_are_refused)
{
    filtered(try_other_numbers_are_refused);
}
END_TEST

VT_SUITE(files_memory_and_threads_are_there, processes_and_the_network_are_not, calls_are_allowed_in_part,
         other_numbers_are_refused)
