#include "cli/command.h"
#include "cli/options.h"

#include <stdio.h>

static void print_overview(struct vt_commands commands)
{
    printf("usage: vmtoll COMMAND [options]\n\n"
           "What does crossing from a guest into its hypervisor cost here, per instruction,\n"
           "on every road there is?\n\ncommands:\n");
    for (size_t i = 0; i < commands.count; i++)
        printf("  %-10s %s\n", commands.list[i].name, commands.list[i].summary);
    printf("\n`vmtoll COMMAND --help` shows a command's options; `vmtoll --version` the version.\n"
           "exit status: 0 done, or yes; 1 the answer is no; 2 bad command line or input;\n"
           "3 this machine cannot do it; 4 a defect of vmtoll\n");
}

int vt_cmd_help(struct vt_commands commands, int argc, char **argv)
{
    const struct vt_option options[] = {{0}};
    const struct vt_synopsis synopsis = {
        .command = "help",
        .operands = "[COMMAND]",
        .summary = "Show what vmtoll can do, or the help of one command.",
        .most = 1,
        .options = options,
    };
    int status = vt_options_parse(&synopsis, &argc, &argv);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    if (argc == 1)
        return vt_cli_run(commands, argv[0], 2, (char *[]){argv[0], "--help", NULL});
    print_overview(commands);
    return VT_EXIT_DONE;
}
