#include "lab/fetch/given.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int vt_given_check(const char *path, const char *what, struct vt_error *error)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return vt_error_set(error, VT_EXIT_USAGE, errno, "cannot read %s '%s': %s", what, path,
                            strerror(errno));
    if (!S_ISREG(status.st_mode))
        return vt_error_set(error, VT_EXIT_USAGE, EINVAL, "cannot read %s '%s': it is %s, not a regular file",
                            what, path,
                            S_ISDIR(status.st_mode)    ? "a folder"
                            : S_ISFIFO(status.st_mode) ? "a pipe"
                            : S_ISSOCK(status.st_mode) ? "a socket"
                                                       : "a device");
    if (access(path, R_OK) != 0)
        return vt_error_set(error, VT_EXIT_USAGE, errno, "cannot read %s '%s': %s", what, path,
                            strerror(errno));
    return 0;
}
