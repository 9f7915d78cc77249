#include "base/process/confine.h"
#include "base/process/filter.h"

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
    if (vt_filter_calls())
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
