#include "base/process/interrupts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A few dozen rows of a machine with few CPUs; where there is more, what is read counts. */
#define LARGEST 65536

static void read_all(const char *path, char text[LARGEST])
{
    size_t used = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    for (; fd >= 0 && got > 0 && used<LARGEST - 1; used += got> 0 ? (size_t)got : 0)
        got = read(fd, text + used, LARGEST - 1 - used);
    if (fd >= 0)
        close(fd);
    text[used] = '\0';
}

/* "           CPU0       CPU2": the column of the CPU, of those that are online; -1: it is not. */
static int find_column(const char *header, int cpu)
{
    int column = 0, number, used;
    for (; sscanf(header, " CPU%d%n", &number, &used) == 1; header += used, column++)
        if (number == cpu)
            return column;
    return -1;
}

/* "LOC:       1234       5678   Local timer interrupts"; a row of all CPUs together has one column. */
static uint64_t take_column(const char *row, int column)
{
    const char *figure = strchr(row, ':');
    unsigned long long value = 0;
    int used = 0;

    for (figure = figure ? figure + 1 : ""; column >= 0; column--, figure += used)
        if (sscanf(figure, " %llu%n", &value, &used) != 1)
            return 0;
    return value;
}

uint64_t vt_interrupts_served(const char *path, int cpu)
{
    char text[LARGEST], *rest = text;
    uint64_t served = 0;

    read_all(path, text);
    char *header = strsep(&rest, "\n");
    int column = find_column(header, cpu);
    for (char *row; column >= 0 && (row = strsep(&rest, "\n"));)
        served += take_column(row, column);
    return served;
}
