#include "tests/unit/price/monitor.h"
#include "base/file.h"
#include "tests/unit/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void serve(int fd, const char *const *lines, size_t count)
{
    char question[4096];
    for (size_t i = 0; i < count; i++) {
        if (i && read(fd, question, sizeof question) <= 0)
            return;
        size_t length = strlen(lines[i]);
        for (size_t at = 0; at < length;) {
            ssize_t sent = send(fd, lines[i] + at, length - at, MSG_NOSIGNAL);
            if (sent <= 0)
                return;
            at += (size_t)sent;
        }
    }
}

pid_t monitor_start(const char *path, const char *const *lines, size_t count)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int client = accept(fd, NULL, NULL);
        close(fd);
        serve(client, lines, count);
        _exit(0);
    }
    close(fd);
    return pid;
}

void monitor_end(pid_t monitor)
{
    kill(monitor, SIGKILL);
    waitpid(monitor, NULL, 0);
}

const char *const *monitor_recorded(const char *name, size_t *count)
{
    static const char *lines[64];
    char path[256], *text, *rest = NULL;
    size_t size;
    snprintf(path, sizeof path, "tests/data/price/%s", name);
    ck_assert_int_eq(vt_file_read(path, 1 << 20, &text, &size, NULL), 0);
    *count = 0;
    for (char *line = strtok_r(text, "\n", &rest); line && *count < 64; line = strtok_r(NULL, "\n", &rest))
        lines[(*count)++] = line;
    return lines;
}
