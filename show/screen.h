/*
 * What the reader's screen can show, and what the reader wants to see.
 */
#ifndef VT_SHOW_SCREEN_H
#define VT_SHOW_SCREEN_H

#include <stdbool.h>

struct vt_screen {
    bool colour; /* escape sequences may be used */
    bool utf8;
    int width;        /* columns; 0: no limit */
    const char *page; /* name of what is written, among others about the same hosts; NULL: it needs none */
    const char *language; /* of the story on a page; NULL: English */
    bool all;             /* rows of which there is little to say are wanted as well */
    bool published;       /* published figures are wanted beside measured ones, in text, markdown and html */
};

#endif
