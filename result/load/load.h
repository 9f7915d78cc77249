/*
 * Reads result documents from files nobody vouches for.
 *
 * Owns: syntax, types, limits and the one line that says what is wrong where.
 * Input is streamed, so memory follows the largest document kept, not the file.
 * A file holds one document or several behind one another (JSON Lines).
 *
 * It tokenizes by itself, since no library that is kept does it at this price. Measured on Debian 12 with 200
 * results of 149 MB: the whole report, this loader included, takes 0.40 s of CPU; parsing alone took
 * jansson 2.9 s and json-c 2.4 s, and neither tells where a value stood that is of the wrong type. json-c
 * crashes where memory runs out, and its names clash with jansson's. liblaxjson streams, but takes what is no
 * JSON. yajl, which was here before, is unmaintained: it took 0.33 s for parsing alone.
 */
#ifndef VT_RESULT_LOAD_LOAD_H
#define VT_RESULT_LOAD_LOAD_H

#include "base/error.h"
#include "result/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A sink may change them: from then on they hold. */
struct vt_load_options {
    bool samples; /* keep the series of each row; without, they are checked and dropped */
    /* Keep only what medians of many hosts need: tolls and these facts of the host ("cpu.brand"), ended by
     * NULL. The rest is checked as JSON alone. NULL: keep all. */
    const char *const *facts_only;
    /* Called with each bad document that others follow; loading goes on with those, and they decide what it
     * returns. NULL: it ends there. */
    void (*complain)(const struct vt_error *error, void *context);
};

/* Bytes of a file that hold whole documents. */
struct vt_load_part {
    uint64_t offset, end; /* UINT64_MAX: to the end of the file */
    size_t line;          /* at `offset` */
};

/* Receives each document as it is complete, and owns it. Not 0: loading ends with that value; -ENOMEM is told
 * of in loading's error record. */
typedef int (*vt_load_sink)(struct vt_result *result, void *context);

/*
 * Load every document of `path` ("-": standard input). Returns 0, the sink's value,
 * or a negative errno with "FILE:LINE:COLUMN: what was expected" in `error`;
 * the good documents have reached the sink. Unknown keys are ignored;
 * what is absent is unknown. A file without any document is an error. Behind a bad
 * document the next one is that on the next line which starts with '{' and a key of
 * a document; from a pipe, the next line behind what was wrong.
 */
int vt_result_load(const char *path, const struct vt_load_options *options, vt_load_sink sink, void *context,
                   struct vt_error *error);

/* The same of a part of a file. */
int vt_result_load_part(const char *path, const struct vt_load_part *part,
                        const struct vt_load_options *options, vt_load_sink sink, void *context,
                        struct vt_error *error);

/*
 * Where a large file of many documents can be cut, at most `room` times, into parts of about `stride` bytes.
 * Returns how many parts; 0: it is no such file.
 */
size_t vt_result_load_split(const char *path, uint64_t stride, struct vt_load_part *parts, size_t room);

/* From memory; `name` stands for the file in messages. */
int vt_result_load_memory(const char *name, const void *data, size_t size,
                          const struct vt_load_options *options, vt_load_sink sink, void *context,
                          struct vt_error *error);

#endif
