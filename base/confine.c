#include "base/confine.h"
#include "config.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Headers of Debian 12 are those of Linux 6.1. */
#define REFER    (1ULL << 13) /* ABI 2 */
#define TRUNCATE (1ULL << 14) /* ABI 3 */

#define WRITING                                                                                              \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |        \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | REFER)
#define NEVER                                                                                                \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |              \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

#define CAPABILITY(name) (1ULL << (name))

static bool keep_capabilities(uint64_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0)
        return false;
    for (int i = 0; i <= CAP_LAST_CAP; i++)
        if (!(kept >> i & 1))
            prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    for (int half = 0; half < 2; half++) {
        data[half].permitted &= (uint32_t)(kept >> 32 * half);
        data[half].effective &= data[half].permitted;
        data[half].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) == 0;
}

/* A folder that cannot be opened is left to the error of who writes there. */
static void allow_below(int rules, const char *folder, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = access,
        .parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
    };
    if (rule.parent_fd < 0)
        return;
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
}

static void allow_folder_of(int rules, const char *path, uint64_t access)
{
    char *copy = strdup(path), *slash = copy ? strrchr(copy, '/') : NULL;
    if (slash)
        slash[slash == copy] = '\0';
    allow_below(rules, slash ? copy : ".", access);
    free(copy);
}

/* A link leads elsewhere, and a folder of charts is written to itself. */
static void allow_output(int rules, const char *path, uint64_t access)
{
    struct stat status;
    char *real = realpath(path, NULL);
    allow_folder_of(rules, path, access);
    if (real && stat(real, &status) == 0 && S_ISDIR(status.st_mode))
        allow_below(rules, real, access);
    else if (real)
        allow_folder_of(rules, real, access);
    free(real);
}

static bool confine_files(const char *const *outputs, size_t count)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 2) /* without REFER, files could not be renamed between folders */
        return false;
    uint64_t writing = WRITING | (version >= 3 ? TRUNCATE : 0);
    struct landlock_ruleset_attr attributes = {.handled_access_fs = writing | NEVER};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (rules < 0)
        return false;
    const char *temporary = getenv("TMPDIR");
    allow_below(rules, temporary && *temporary == '/' ? temporary : "/tmp", writing);
    for (size_t i = 0; i < count; i++)
        if (outputs[i] && strcmp(outputs[i], "-") != 0)
            allow_output(rules, outputs[i], writing);
    bool confined = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return confined;
}

#if defined __SANITIZE_ADDRESS__
#define LEAKS_ARE_SOUGHT 1 /* with ptrace, at the end */
#else
#define LEAKS_ARE_SOUGHT 0
#endif

#if VT_HAVE_SECCOMP && !LEAKS_ARE_SOUGHT
#include <errno.h>
#include <sched.h>
#include <seccomp.h>

/* clock calls are here for machines without a vDSO clock. */
static const int needed[] = {
    /* clang-format off */
    SCMP_SYS(access), SCMP_SYS(brk), SCMP_SYS(chmod), SCMP_SYS(clock_getres), SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(exit),
    SCMP_SYS(exit_group), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(fadvise64), SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat), SCMP_SYS(fchown), SCMP_SYS(fcntl), SCMP_SYS(fdatasync), SCMP_SYS(flock), SCMP_SYS(fstat),
    SCMP_SYS(fstatfs), SCMP_SYS(fsync), SCMP_SYS(ftruncate), SCMP_SYS(futex), SCMP_SYS(getcwd), SCMP_SYS(getdents64),
    SCMP_SYS(getegid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getrandom),
    SCMP_SYS(getrlimit), SCMP_SYS(getrusage), SCMP_SYS(gettid), SCMP_SYS(gettimeofday), SCMP_SYS(getuid),
    SCMP_SYS(lseek), SCMP_SYS(lstat), SCMP_SYS(madvise), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(mmap),
    SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(nanosleep), SCMP_SYS(newfstatat), SCMP_SYS(open),
    SCMP_SYS(openat), SCMP_SYS(pipe2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
    SCMP_SYS(read), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(readv), SCMP_SYS(rename), SCMP_SYS(renameat),
    SCMP_SYS(renameat2), SCMP_SYS(restart_syscall), SCMP_SYS(rmdir), SCMP_SYS(rseq), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list), SCMP_SYS(sigaltstack), SCMP_SYS(stat), SCMP_SYS(statfs),
    SCMP_SYS(statx), SCMP_SYS(sysinfo), SCMP_SYS(tgkill), SCMP_SYS(time), SCMP_SYS(umask), SCMP_SYS(uname),
    SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(wait4), SCMP_SYS(write), SCMP_SYS(writev),
    /* clang-format on */
};

/* Threads but no processes; signals to nobody else but to ask whether he is there; limits are read. */
static int allow_in_part(scmp_filter_ctx filter)
{
    const struct {
        int call;
        struct scmp_arg_cmp when;
    } parts[] = {
        {SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)},
        {SCMP_SYS(kill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())},
        {SCMP_SYS(kill), SCMP_A1(SCMP_CMP_EQ, 0)},
        {SCMP_SYS(tkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())},
        {SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0)},
        {SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, 0x5401)}, /* TCGETS */
        {SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, 0x5413)}, /* TIOCGWINSZ */
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, parts[i].call, 1, &parts[i].when) != 0)
            return -EINVAL;
    return 0;
}

/* What is not allowed looks as if the kernel lacked it: libraries then take the older way (clone3 to clone).
 */
static bool confine_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int status = filter ? allow_in_part(filter) : -ENOMEM;
    for (size_t i = 0; status == 0 && i < sizeof needed / sizeof needed[0]; i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, needed[i], 0);
#if SCMP_VER_MAJOR > 2 || (SCMP_VER_MAJOR == 2 && SCMP_VER_MINOR >= 5)
    if (status == 0)
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
#endif
    if (status == 0)
        status = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    return status == 0;
}
#else
static bool confine_calls(void)
{
    return false;
}
#endif

unsigned vt_confine_reader(const char *const *outputs, size_t count)
{
    const uint64_t of_files = CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_DAC_OVERRIDE) |
                              CAPABILITY(CAP_DAC_READ_SEARCH) | CAPABILITY(CAP_FOWNER) |
                              CAPABILITY(CAP_FSETID);
    unsigned confined = keep_capabilities(of_files) ? VT_CONFINED_CAPABILITIES : 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return confined;
    if (confine_files(outputs, count))
        confined |= VT_CONFINED_FILES;
    if (confine_calls())
        confined |= VT_CONFINED_CALLS;
    return confined;
}

static void limit(int resource, rlim_t most)
{
    struct rlimit now;
    if (most == 0 || getrlimit(resource, &now) != 0 || now.rlim_cur <= most)
        return;
    struct rlimit lower = {.rlim_cur = most, .rlim_max = most};
    setrlimit(resource, &lower);
}

void vt_confine_program(const struct vt_confine_limits *limits)
{
    const struct rlimit none = {0, 0};
    if (limits->ordinary)
        keep_capabilities(0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
    limit(RLIMIT_AS, limits->memory);
    limit(RLIMIT_FSIZE, limits->file);
    limit(RLIMIT_CPU, limits->seconds);
}
