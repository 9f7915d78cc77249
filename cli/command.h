/*
 * The commands: one file each, cmd_<name>.c. A command parses its options, calls
 * the layers below and prints; it holds no logic of its own.
 *
 * This layer alone prints and exits. Answers go to standard output, everything
 * else to standard error, one line each, starting with "vmtoll: ".
 */
#ifndef VT_CLI_COMMAND_H
#define VT_CLI_COMMAND_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct vt_command {
    const char *name;
    const char *summary; /* one line of `vmtoll help` */
    /* argv[0] is the command's name. Returns the exit status. */
    int (*run)(int argc, char **argv);
    bool tells; /* how far it is, as it goes; what others print is held back until they have ended */
};

/* All commands, in the order help shows them. */
struct vt_commands {
    const struct vt_command *list;
    size_t count;
};

/* Runs `name`; an unknown one is a usage error. argv[0] is the command's name. */
int vt_cli_run(struct vt_commands commands, const char *name, int argc, char **argv);

int vt_cmd_ab(int argc, char **argv);
int vt_cmd_audit(int argc, char **argv);
int vt_cmd_bench(int argc, char **argv);
int vt_cmd_help(struct vt_commands commands, int argc, char **argv);
int vt_cmd_image(int argc, char **argv);
int vt_cmd_import(int argc, char **argv);
int vt_cmd_lab(int argc, char **argv);
int vt_cmd_list(int argc, char **argv);
int vt_cmd_probe(int argc, char **argv);
int vt_cmd_report(int argc, char **argv);
int vt_cmd_compare(int argc, char **argv);
int vt_cmd_price(int argc, char **argv);
int vt_cmd_tour(int argc, char **argv);

/* The part of `lab` that runs as the first process of an emulated machine; returns only where it is not. */
int vt_cli_lab_inside(void);

/* Print the record's line on standard error; returns the exit status it carries. */
int vt_cli_fail(const struct vt_error *error);

/* Print "vmtoll: " and the text as one line on standard error. */
void vt_cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a bad command line; returns VT_EXIT_USAGE. */
int vt_cli_misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
