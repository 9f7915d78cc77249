/*
 * An engine in a process of its own. Engines that run cases inside the process have nothing that would stop a
 * wrong address; there it hits a copy that ends with the run. Only numbers come back, through a socket, and
 * the parent takes them for what they may be. A case that is seen to write beside its own memory (watch.h)
 * fails, and so does one that ends the process; the next case gets a new one.
 */
#ifndef VT_BENCH_APART_H
#define VT_BENCH_APART_H

#include "bench/sampler.h"

struct vt_apart;

/*
 * Start the process and open the engine there. `settings->stop` is handed on. On failure nothing is left
 * behind; *result is the caller's until vt_apart_close.
 */
int vt_apart_open(struct vt_apart **result, const struct vt_engine *engine,
                  const struct vt_engine_settings *settings, struct vt_error *error);

/* vt_sampler_take over there; `sampling->engine` and `->state` are not looked at. */
int vt_apart_take(struct vt_apart *apart, struct vt_measurement *measurement,
                  const struct vt_sampling *sampling, struct vt_error *error);

/* End the process. May be NULL. */
void vt_apart_close(struct vt_apart *apart);

#endif
