/*
 * The wall time of one `vmtoll probe`, from starting the program to its end: it
 * must feel instant, 100 ms at most.
 */
#include "tests/bench/versus.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS 50

/* Milliseconds; negative when the program failed. */
static double run_once(const char *program)
{
    char *arguments[] = {(char *)program, "probe", "--json", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    double from = vt_versus_clock();
    if (posix_spawn(&child, program, &actions, NULL, arguments, environ) == 0)
        waitpid(child, &status, 0);
    double took = vt_versus_clock() - from;
    posix_spawn_file_actions_destroy(&actions);
    return status == 0 ? took / 1e6 : -1;
}

int main(void)
{
    static double runs[RUNS];
    const char *program = getenv("VMTOLL");
    if (!program)
        program = "build/vmtoll";
    for (int i = 0; i < RUNS; i++)
        if ((runs[i] = run_once(program)) < 0) {
            printf("%s probe failed\n", program);
            return 3;
        }
    double median = vt_versus_median(runs, RUNS);
    printf("vmtoll probe: median %.1f ms, slowest of %d %.1f ms (median at most 100): %s\n", median, RUNS,
           runs[RUNS - 1], median <= 100 ? "kept" : "NOT KEPT");
    return median > 100;
}
