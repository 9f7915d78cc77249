/*
 * Command lines, table-driven: a command lists its options once, and parsing,
 * checking, error lines and --help follow from the table.
 */
#ifndef VT_CLI_OPTIONS_H
#define VT_CLI_OPTIONS_H

#include <stdbool.h>

/* What an option that takes a list has room for when it is given more than once. */
struct vt_words {
    char text[4096];
};

/* One long option. Exactly one of the four targets is set; each keeps its value where the option is not
 * given. */
struct vt_option {
    const char *name;
    char letter;          /* its short form, or 0 */
    const char *argument; /* its word in --help; NULL for a flag */
    const char *help;     /* lower case, no full stop; '\n' starts another line */
    bool *flag;
    const char **text;      /* points into argv or to `list` afterwards; given again, the last one counts */
    struct vt_words *list;  /* of text: given again, its words join those before, with commas between */
    const char *stands_for; /* of text: a flag, the same as this value */
    double *number;         /* low <= value <= high; a unit of its argument may follow: SECONDS, PCT */
    long *integer;          /* low <= value <= high */
    double low, high;
    const char *const *choices; /* of text: the words allowed, ended by NULL */
};

struct vt_synopsis {
    const char *command;             /* "list" */
    const char *operands;            /* "FILE...", or "" */
    const char *summary;             /* what the command answers: the first paragraph of --help */
    int least, most;                 /* operands wanted */
    const struct vt_option *options; /* ended by an entry without a name */
    const char *notes;               /* last paragraph of --help; may be NULL */
};

enum { VT_OPTIONS_PROCEED = -1 };

/* --json where there is --format. *format stays NULL where neither was given. */
struct vt_option vt_options_json(const char **format);

/* --format of what is shown as text or as JSON alone, and whether JSON was asked for. */
struct vt_option vt_options_format(const char **format);
bool vt_options_want_json(const char *format);

/*
 * Parse. *argc and *argv are left with the operands. Returns VT_OPTIONS_PROCEED,
 * or the exit status the command should end with: 0 after --help, 2 after one line
 * on standard error.
 */
int vt_options_parse(const struct vt_synopsis *synopsis, int *argc, char ***argv);

#endif
