#include "cli/options.h"
#include "base/suggest.h"
#include "cli/command.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPTIONS = 24, HELP = 'h', FIRST = 256 };

static const struct vt_option help_option = {.name = "help", .letter = HELP, .help = "show this text"};

static const struct {
    const char *argument, *unit;
    double factor;
} units[] = {
    {"SECONDS", "s", 1},  {"SECONDS", "ms", 1e-3}, {"SECONDS", "min", 60},
    {"SECONDS", "m", 60}, {"SECONDS", "h", 3600},  {"PCT", "%", 1},
};

struct vt_option vt_options_json(const char **format)
{
    return (struct vt_option){
        .name = "json", .text = format, .stands_for = "json", .help = "the same as --format json"};
}

struct vt_option vt_options_format(const char **format)
{
    static const char *const choices[] = {"text", "json", NULL};
    return (struct vt_option){.name = "format",
                              .argument = "FORMAT",
                              .text = format,
                              .choices = choices,
                              .help = "text or json; by default text"};
}

bool vt_options_want_json(const char *format)
{
    return format && strcmp(format, "json") == 0;
}

static int count_options(const struct vt_option *options)
{
    int count = 0;
    while (options[count].name)
        count++;
    return count;
}

/* Text after the first line of a multi-line help lines up with the first. */
static void print_option(const struct vt_option *option)
{
    char left[40];
    const char *argument = option->argument ? option->argument : "";
    snprintf(left, sizeof left, "--%s%s%s", option->name, option->argument ? " " : "", argument);
    for (const char *line = option->help; line;) {
        int length = (int)strcspn(line, "\n");
        printf("  %-26s %.*s", line == option->help ? left : "", length, line);
        line = line[length] ? line + length + 1 : NULL;
        if (!line && option->letter)
            printf("; also -%c", option->letter);
        putchar('\n');
    }
}

static void print_help(const struct vt_synopsis *synopsis)
{
    const char *gap = *synopsis->operands ? " " : "";
    printf("usage: vmtoll %s [options]%s%s\n\n", synopsis->command, gap, synopsis->operands);
    printf("%s\n\noptions:\n", synopsis->summary);
    for (const struct vt_option *option = synopsis->options; option->name; option++)
        print_option(option);
    print_option(&help_option);
    if (synopsis->notes)
        printf("\n%s\n", synopsis->notes);
}

static int unknown_option(const struct vt_synopsis *synopsis, const char *word)
{
    if (strncmp(word, "--", 2) != 0)
        return vt_cli_misuse("%s: unknown option '%s' (see vmtoll %s --help)", synopsis->command, word,
                             synopsis->command);
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    struct vt_suggestion suggestion = {.wanted = name};
    for (const struct vt_option *option = synopsis->options; option->name; option++)
        vt_suggest_offer(&suggestion, option->name);
    vt_suggest_offer(&suggestion, help_option.name);
    char hint[64] = "";
    if (suggestion.nearest)
        snprintf(hint, sizeof hint, "; did you mean '--%s'?", suggestion.nearest);
    return vt_cli_misuse("%s: unknown option '--%s'%s (see vmtoll %s --help)", synopsis->command, name, hint,
                         synopsis->command);
}

static int check_choice(const struct vt_synopsis *synopsis, const struct vt_option *option, const char *value)
{
    struct vt_suggestion suggestion = {.wanted = value};
    for (const char *const *choice = option->choices; *choice; choice++) {
        if (strcmp(value, *choice) == 0)
            return VT_OPTIONS_PROCEED;
        vt_suggest_offer(&suggestion, *choice);
    }
    return vt_cli_misuse("%s: unknown %s '%s' for --%s%s (see vmtoll %s --help)", synopsis->command,
                         option->argument, value, option->name, vt_suggest_text(&suggestion),
                         synopsis->command);
}

/* What the unit behind a number makes of it; 0: no unit of this option. */
static double factor_of(const struct vt_option *option, const char *unit)
{
    if (!*unit)
        return 1;
    for (size_t i = 0; option->number && option->argument && i < sizeof units / sizeof units[0]; i++)
        if (strcmp(units[i].argument, option->argument) == 0 && strcmp(units[i].unit, unit) == 0)
            return units[i].factor;
    return 0;
}

static int read_number(const struct vt_synopsis *synopsis, const struct vt_option *option, const char *value)
{
    char *end;
    errno = 0;
    double number = option->integer ? (double)strtol(value, &end, 10) : strtod(value, &end);
    double factor = factor_of(option, end);
    if (end == value || factor == 0 || errno == ERANGE || isnan(number))
        return vt_cli_misuse("%s: --%s takes a%s number, not '%s'", synopsis->command, option->name,
                             option->integer ? " whole" : "", value);
    number *= factor;
    if (number < option->low || number > option->high)
        return vt_cli_misuse("%s: --%s takes %g to %g, not %s", synopsis->command, option->name, option->low,
                             option->high, value);
    if (option->integer)
        *option->integer = (long)number;
    else
        *option->number = number;
    return VT_OPTIONS_PROCEED;
}

/* Lists given one after the other are one list. */
static int join(const struct vt_synopsis *synopsis, const struct vt_option *option, const char *value)
{
    char *words = option->list->text;
    size_t used = strlen(*option->text), more = strlen(value);
    if (used + more + 2 > sizeof option->list->text)
        return vt_cli_misuse("%s: all --%s together are longer than %zu bytes", synopsis->command,
                             option->name, sizeof option->list->text);
    if (*option->text != words)
        memcpy(words, *option->text, used);
    words[used] = ',';
    memcpy(words + used + 1, value, more + 1);
    *option->text = words;
    return VT_OPTIONS_PROCEED;
}

static int accept(const struct vt_synopsis *synopsis, const struct vt_option *option, const char *value)
{
    if (option->flag) {
        *option->flag = true;
        return VT_OPTIONS_PROCEED;
    }
    if (option->stands_for)
        value = option->stands_for;
    if (!option->text)
        return read_number(synopsis, option, value);
    if (*value == '\0')
        return vt_cli_misuse("%s: --%s takes %s, not an empty word", synopsis->command, option->name,
                             option->argument);
    if (option->list && *option->text)
        return join(synopsis, option, value);
    *option->text = value;
    return option->choices ? check_choice(synopsis, option, value) : VT_OPTIONS_PROCEED;
}

/* By getopt_long's number of a long option, or by letter; NULL: none. */
static const struct vt_option *find_option(const struct vt_synopsis *synopsis, int found)
{
    if (found >= FIRST)
        return &synopsis->options[found - FIRST];
    for (const struct vt_option *option = synopsis->options; found && option->name; option++)
        if (option->letter == found)
            return option;
    return NULL;
}

/* getopt_long tells a defect by '?' or ':' and, for a known option, by its number in optopt. */
static int complain(const struct vt_synopsis *synopsis, int defect, char **argv)
{
    const struct vt_option *option = find_option(synopsis, optopt);
    if (!option) {
        char letter[] = {'-', (char)optopt, '\0'};
        return unknown_option(synopsis, optopt && optopt != HELP ? letter : argv[optind - 1]);
    }
    if (defect == ':')
        return vt_cli_misuse("%s: --%s needs %s", synopsis->command, option->name, option->argument);
    return vt_cli_misuse("%s: --%s takes no value", synopsis->command, option->name);
}

static int check_operands(const struct vt_synopsis *synopsis, int argc, char **argv)
{
    if (argc < synopsis->least)
        return vt_cli_misuse("%s: missing %s (see vmtoll %s --help)", synopsis->command, synopsis->operands,
                             synopsis->command);
    if (argc > synopsis->most)
        return vt_cli_misuse("%s: unexpected argument '%s' (see vmtoll %s --help)", synopsis->command,
                             argv[synopsis->most], synopsis->command);
    return VT_OPTIONS_PROCEED;
}

/* The letters as getopt(3) wants them; a missing value is to be told apart. */
static void list_letters(const struct vt_option *options, char letters[2 * MOST_OPTIONS + 3])
{
    size_t used = 0;
    letters[used++] = ':';
    letters[used++] = HELP;
    for (; options->name; options++)
        if (options->letter) {
            letters[used++] = options->letter;
            if (options->argument)
                letters[used++] = ':';
        }
    letters[used] = '\0';
}

int vt_options_parse(const struct vt_synopsis *synopsis, int *argc, char ***argv)
{
    char letters[2 * MOST_OPTIONS + 3];
    struct option table[MOST_OPTIONS + 2] = {{.name = help_option.name, .val = HELP}};
    int count = count_options(synopsis->options);
    for (int i = 0; i < count && i < MOST_OPTIONS; i++)
        table[i + 1] =
            (struct option){.name = synopsis->options[i].name,
                            .has_arg = synopsis->options[i].argument ? required_argument : no_argument,
                            .val = FIRST + i};
    list_letters(synopsis->options, letters);
    optind = 0; /* glibc: start anew */
    opterr = 0;
    for (int found; (found = getopt_long(*argc, *argv, letters, table, NULL)) != -1;) {
        if (found == HELP) {
            print_help(synopsis);
            return VT_EXIT_DONE;
        }
        int status = found == '?' || found == ':' ? complain(synopsis, found, *argv)
                                                  : accept(synopsis, find_option(synopsis, found), optarg);
        if (status != VT_OPTIONS_PROCEED)
            return status;
    }
    *argc -= optind;
    *argv += optind;
    return check_operands(synopsis, *argc, *argv);
}
