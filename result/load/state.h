/*
 * The loader at work: what its parts share. Private to this folder.
 *
 * stream.c feeds parse.c from source.c, build.c turns its events into a
 * result, complain.c says what is wrong and where, resume.c finds the next
 * document behind a bad one.
 */
#ifndef VT_RESULT_LOAD_STATE_H
#define VT_RESULT_LOAD_STATE_H

#include "result/load/load.h"
#include "result/load/scan.h"
#include "result/load/shape.h"
#include "result/load/source.h"
#include "result/load/value.h"

#include <stdint.h>

/* Far beyond any honest document, near enough that a hostile one costs neither the memory nor the day. */
enum {
    VT_LOAD_MAX_DEPTH = 48,
    VT_LOAD_MAX_TEXT = 4096,
    VT_LOAD_MAX_KEY = 128,
    VT_LOAD_MAX_ROWS = 100000,
    VT_LOAD_MAX_EVIDENCE = 64,
    VT_LOAD_MAX_SERIES = 1 << 20,
    VT_LOAD_MAX_NUMBERS = 1 << 23,  /* of all series of a document */
    VT_LOAD_MAX_NODES = 1 << 17,    /* of all trees of a document */
    VT_LOAD_MAX_PROFILED = 1 << 20, /* functions and stacks of all profiles of a document */
    VT_LOAD_MAX_GAP = 1 << 22,      /* bytes of one token, or of blanks */
};

/* What may come next in a document, or between two. */
enum vt_load_turn {
    TURN_VALUE,
    TURN_FIRST_VALUE, /* or the end of the array */
    TURN_KEY,
    TURN_FIRST_KEY, /* or the end of the object */
    TURN_NEXT,      /* a comma, or the end of the container */
};

enum vt_load_frame_type {
    FRAME_OBJECT,
    FRAME_ROWS,
    FRAME_INTERVAL,
    FRAME_SERIES,
    FRAME_EVIDENCE,
    FRAME_TREE,
    FRAME_FUNCTIONS,
    FRAME_STACKS,
    FRAME_SKIP
};

struct vt_load_frame {
    enum vt_load_frame_type type;
    const struct vt_shape *shape; /* FRAME_OBJECT */
    uint64_t seen;                /* FRAME_OBJECT: keys met, by index */
    void *target;                 /* FRAME_OBJECT: the structure its offsets count from */
    const struct vt_field *field; /* FRAME_OBJECT: whose value comes next; NULL: of an unknown key */
    size_t index;              /* arrays: elements so far; FRAME_OBJECT: field that is likely to come next */
    json_t *node;              /* FRAME_TREE: the container; the tree's */
    char key[VT_LOAD_MAX_KEY]; /* FRAME_TREE, FRAME_EVIDENCE: of the value that comes next */
};

struct vt_loader {
    const char *name;
    const struct vt_load_options *options;
    vt_load_sink sink;
    void *context;
    int sink_status;
    struct vt_error *error;
    bool failed;  /* error is set */
    bool refused; /* because of what was read: what follows may be good */
    uint64_t refused_at, refused_line;
    size_t complaints;
    bool is_part; /* another document follows where the input ends */

    struct vt_scan scan;         /* from `window` on */
    const unsigned char *token;  /* the one at hand: what errors point at */
    const unsigned char *window; /* bytes of the input; those before are done with */
    uint64_t window_start;       /* their offset */
    uint64_t line, line_start;   /* of the window's first byte: its line, and the offset where that began */
    size_t blanks;               /* before the window, behind the last token */
    uint64_t document_start;     /* an offset */
    size_t document_line, documents;
    enum vt_load_turn turn;
    uint64_t objects;                /* a bit per open container, the innermost lowest: is it an object? */
    char text[VT_LOAD_MAX_TEXT + 1]; /* the token without its escapes; longer ones are cut */

    struct vt_load_frame frames[VT_LOAD_MAX_DEPTH];
    size_t depth;
    struct vt_result *result;
    double *numbers;                          /* the series being read */
    size_t numbers_most, numbers_kept, nodes; /* the longest series so far */
    struct vt_result_counter evidence[VT_LOAD_MAX_EVIDENCE];
    struct vt_profile_function *functions; /* of the profile being read; owned */
    struct vt_profile_stack *stacks;       /* the same */
    size_t function_count, stack_count, profiled;
};

/*
 * Turn the window into events, up to its end or to a token that goes on behind it.
 * 0: loading ends here, by an error or the sink's will.
 */
int vt_load_parse(struct vt_loader *loader);

/* The events; the error is set where they return 0. */
int vt_load_open(struct vt_loader *loader, const struct vt_token *token);
int vt_load_scalar(struct vt_loader *loader, const struct vt_token *token);
int vt_load_key(struct vt_loader *loader, const char *key, size_t length);
int vt_load_close(struct vt_loader *loader);

/* `count` more numbers in a series: are they too many? */
int vt_load_count_numbers(struct vt_loader *loader, struct vt_load_frame *frame, size_t count);

/*
 * Offset and line of the document behind `offset`, which is in `line`: 1; 0: there is none near; -ESPIPE: the
 * source no longer has `offset`.
 */
int vt_load_find_document(struct vt_source *source, uint64_t *offset, uint64_t *line);

/* A profile: how it opens, what its arrays hold, how it closes (profile.c). The same results as the events.
 */
struct vt_profile *vt_load_open_profile(struct vt_loader *loader);
struct vt_profile_function *vt_load_open_function(struct vt_loader *loader);
int vt_load_add_stack(struct vt_loader *loader, struct vt_load_frame *frame, const struct vt_token *token);
int vt_load_close_profile(struct vt_loader *loader, struct vt_profile *profile);

/* Let the window begin at `place`, which is in it. */
void vt_load_advance(struct vt_loader *loader, const unsigned char *place);

/* Line and column of the token. */
void vt_load_locate(const struct vt_loader *loader, uint64_t *line, uint64_t *column);

/* Set the error; return 0. */
int vt_load_refuse(struct vt_loader *loader, const char *format, ...) __attribute__((format(printf, 2, 3)));
int vt_load_refuse_value(struct vt_loader *loader, const char *expected, const struct vt_token *token);
int vt_load_refuse_syntax(struct vt_loader *loader, const char *expected);
int vt_load_lacks_memory(struct vt_loader *loader);

#endif
