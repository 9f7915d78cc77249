/* Command lines: words between line ends, against a table with every kind of option. A value that is kept is
 * one of those allowed, and what is refused is refused in one line. */
#include "cli/diagnose.c" /* NOLINT(bugprone-suspicious-include) */
#include "cli/options.c"  /* NOLINT(bugprone-suspicious-include) */

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_WORDS = 64, MOST_BYTES = 16384, LEAST_CPU = -1, MOST_CPU = 4095 };

static const char *const colours[] = {"red", "green", "blue", NULL};

struct kept {
    bool quiet;
    const char *output, *cases, *format;
    struct vt_words words;
    double budget, noise;
    long cpu;
};

static void check_kept(const struct kept *kept, int argc, char **argv)
{
    bool known = !kept->format;
    for (int i = 0; colours[i] && !known; i++)
        known = strcmp(kept->format, colours[i]) == 0;
    if (argc < 1 || argc > 3 || !argv[argc - 1] || !known ||
        !(kept->budget >= 0.1 && kept->budget <= 86400) || !(kept->noise >= 0 && kept->noise <= 1000) ||
        kept->cpu < LEAST_CPU || kept->cpu > MOST_CPU || !*kept->cases ||
        (kept->cases == kept->words.text && !memchr(kept->words.text, '\0', sizeof kept->words.text)))
        __builtin_trap();
}

static int parse(int *argc, char ***argv, struct kept *kept)
{
    const struct vt_option options[] = {
        {.name = "quiet", .letter = 'q', .help = "say less", .flag = &kept->quiet},
        {.name = "output",
         .letter = 'o',
         .argument = "FILE",
         .help = "where to\nand a second line",
         .text = &kept->output},
        {.name = "case", .argument = "LIST", .help = "which", .text = &kept->cases, .list = &kept->words},
        {.name = "colour", .argument = "COLOUR", .help = "one", .text = &kept->format, .choices = colours},
        {.name = "red", .help = "the same as --colour red", .text = &kept->format, .stands_for = "red"},
        {.name = "budget",
         .argument = "SECONDS",
         .help = "how long",
         .number = &kept->budget,
         .low = 0.1,
         .high = 86400},
        {.name = "noise",
         .argument = "PCT",
         .help = "how much",
         .number = &kept->noise,
         .low = 0,
         .high = 1000},
        {.name = "cpu",
         .argument = "CPU",
         .help = "where",
         .integer = &kept->cpu,
         .low = LEAST_CPU,
         .high = MOST_CPU},
        {0}};
    const struct vt_synopsis synopsis = {.command = "fuzz",
                                         .operands = "FILE...",
                                         .summary = "Nothing.",
                                         .least = 1,
                                         .most = 3,
                                         .options = options,
                                         .notes = "No notes."};
    return vt_options_parse(&synopsis, argc, argv);
}

/* What was said: one line where the command line was refused, nothing where it was taken. */
static void check_said(int status, const char *said)
{
    const char *end = strchr(said, '\n');
    bool one_line = end && end[1] == '\0' && strncmp(said, "vmtoll: fuzz: ", 14) == 0;

    if (status == VT_EXIT_USAGE ? !one_line : *said != '\0')
        __builtin_trap();
    if (status != VT_OPTIONS_PROCEED && status != VT_EXIT_DONE && status != VT_EXIT_USAGE)
        __builtin_trap();
}

static void run(int argc, char **argv)
{
    struct kept kept = {.cases = "all", .budget = 20, .noise = 5, .cpu = -1};
    char said[8192] = "";
    FILE *screen = stdout, *complaints = stderr, *sink = fopen("/dev/null", "we");
    FILE *record = fmemopen(said, sizeof said, "w");

    if (sink && record) {
        stdout = sink;
        stderr = record;
        int status = parse(&argc, &argv, &kept);
        stdout = screen;
        stderr = complaints;
        fclose(record);
        check_said(status, said);
        if (status == VT_OPTIONS_PROCEED)
            check_kept(&kept, argc, argv);
    }
    if (sink)
        fclose(sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char name[] = "fuzz";
    char *text = malloc(size + 1), *rest = text, *argv[MOST_WORDS + 2] = {name};
    int argc = 1;

    if (!text || size > MOST_BYTES) {
        free(text);
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    for (char *word; argc <= MOST_WORDS && (word = strsep(&rest, "\n"));)
        argv[argc++] = word;
    run(argc, argv);
    free(text);
    return 0;
}
