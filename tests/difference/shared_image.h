/* An image in QEMU whose memory a test shares: started, waited for, ended. */
#ifndef VT_TESTS_DIFFERENCE_SHARED_IMAGE_H
#define VT_TESTS_DIFFERENCE_SHARED_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SHARED_IMAGE_SECONDS 60 /* that a test waits for an answer */

struct shared_image {
    pid_t pid;
    uint8_t *memory; /* of the machine */
    size_t size;
};

/*
 * Start `name`, which lies beside the running program, in a machine of `size` bytes (a multiple of 1 MiB),
 * and wait until the word at `ready` is not 0. False: `reason` says why, and nothing is left.
 */
bool shared_image_open(struct shared_image *image, const char *name, size_t size, size_t ready, char *reason,
                       size_t room);
void shared_image_close(struct shared_image *image);

bool shared_image_is_alive(struct shared_image *image);

/* Wait until *done is what *go is; false when QEMU is gone or too slow. */
bool shared_image_wait(struct shared_image *image, const volatile uint64_t *go,
                       const volatile uint64_t *done);

#endif
