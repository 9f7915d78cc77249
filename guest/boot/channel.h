/*
 * Where an image says what it has to say, on a machine it knows nothing of: only what answers as the device
 * does is written to. Used by loaders and core.
 */
#ifndef VT_GUEST_BOOT_CHANNEL_H
#define VT_GUEST_BOOT_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

struct vt_boot_channels {
    bool serial;               /* COM1, whose scratch register answers */
    bool debug;                /* port 0xE9, which reads as 0xE9 */
    volatile uint16_t *screen; /* 80 x 25 characters with attributes, or NULL */
    uint32_t column;
};

/* Look for the ports. `own`: nobody else has set up COM1. */
void vt_boot_channels_find(struct vt_boot_channels *channels, bool own);

/* To the ports. */
void vt_boot_channels_send(struct vt_boot_channels *channels, const char *text, uint64_t size);

/* To the screen. */
void vt_boot_channels_show(struct vt_boot_channels *channels, const char *text);

#endif
