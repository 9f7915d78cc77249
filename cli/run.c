#include "base/suggest.h"
#include "cli/command.h"

#include <string.h>

int vt_cli_run(struct vt_commands commands, const char *name, int argc, char **argv)
{
    struct vt_suggestion suggestion = {.wanted = name};
    for (size_t i = 0; i < commands.count; i++) {
        if (strcmp(commands.list[i].name, name) == 0)
            return commands.list[i].run(argc, argv);
        vt_suggest_offer(&suggestion, commands.list[i].name);
    }
    return vt_cli_misuse("unknown command '%s'%s (see vmtoll help)", name, vt_suggest_text(&suggestion));
}
