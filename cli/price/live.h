/* `price --watch`: bills on a terminal, again and again. */
#ifndef VT_CLI_PRICE_LIVE_H
#define VT_CLI_PRICE_LIVE_H

#include "price/session.h"
#include "result/result.h"

#include <jansson.h>
#include <stdbool.h>

struct vt_cli_live {
    struct vt_price_session *session;
    const struct vt_result *tolls; /* NULL: none */
    const json_t *host;
    double event_ns; /* of --reasons; NaN: unknown */
    double interval, seconds;
    bool force, all;
    const volatile int *stop;
};

/* Can this be done here? VT_OPTIONS_PROCEED, or the exit status after one line. */
int vt_cli_live_check(void);

/*
 * Until `stop`, until `seconds` are over or until nothing is left to be read; the terminal is as before then.
 * Returns 0, or a negative errno with `error`.
 */
int vt_cli_live_run(const struct vt_cli_live *live, struct vt_error *error);

#endif
