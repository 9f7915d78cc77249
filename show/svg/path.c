#include "show/svg/path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Closer than this, in tenths of a unit of the picture, is the same place. */
#define SAME 4.0

struct point {
    double x, y;
};

/* Nothing is lost without `middle`: a line between its neighbours passes it as close as that, on the way. */
static bool is_between(struct point before, struct point middle, struct point after)
{
    double x = after.x - before.x, y = after.y - before.y, length = hypot(x, y);
    double off = (middle.x - before.x) * y - (middle.y - before.y) * x;
    double on = (middle.x - before.x) * x + (middle.y - before.y) * y;
    return length > 0 && fabs(off) < SAME * length && on >= 0 && on <= length * length;
}

/* Tenths as a number, without what can be left out; a sign parts it from the one before, or a blank. */
static void put_tenths(long tenths, bool first, FILE *stream)
{
    const char *sign = tenths < 0 ? "-" : first ? "" : " ";
    long whole = labs(tenths) / 10, part = labs(tenths) % 10;
    fputs(sign, stream);
    if (whole || !part)
        fprintf(stream, "%ld", whole);
    if (part)
        fprintf(stream, ".%ld", part);
}

static void put_command(struct vt_svg_pen *pen, char command)
{
    if (pen->command != command)
        putc(command, pen->stream);
}

static void move(struct vt_svg_pen *pen, long x, long y)
{
    putc(pen->down ? 'm' : 'M', pen->stream);
    put_tenths(x - pen->x, true, pen->stream);
    put_tenths(y - pen->y, false, pen->stream);
    pen->command = pen->down ? 'l' : 'L';
    pen->down = true;
}

static void draw(struct vt_svg_pen *pen, long x, long y)
{
    long right = x - pen->x, down = y - pen->y;
    char command = down == 0 ? 'h' : right == 0 ? 'v' : 'l';
    bool first = pen->command != command;
    put_command(pen, command);
    if (command != 'v')
        put_tenths(right, first, pen->stream);
    if (command != 'h')
        put_tenths(down, first && command == 'v', pen->stream);
    pen->command = command;
}

static void go(struct vt_svg_pen *pen, struct point to, bool moves)
{
    long x = lround(to.x), y = lround(to.y);
    if (moves)
        move(pen, x, y);
    else if (x != pen->x || y != pen->y)
        draw(pen, x, y);
    pen->x = x;
    pen->y = y;
}

/* "12.30,4.50 " in tenths. Returns what follows, or NULL. */
static const char *read_point(const char *at, struct point *point)
{
    char *end;
    point->x = strtod(at, &end) * 10;
    if (end == at || *end != ',')
        return NULL;
    at = end + 1;
    point->y = strtod(at, &end) * 10;
    return end == at ? NULL : end + strspn(end, " \t\r\n");
}

void vt_svg_put_path(struct vt_svg_pen *pen, const char *points, size_t length)
{
    const char *at = points, *end = points + length;
    struct point kept = {0, 0}, held = kept, point;
    bool holds = false;
    while (at && at < end && (*at == 'M' || *at == 'L')) {
        bool moves = *at == 'M';
        at = read_point(at + 1, &point);
        if (!at)
            break;
        if (holds && (moves || !is_between(kept, held, point)))
            go(pen, kept = held, false);
        holds = !moves;
        if (moves)
            go(pen, kept = point, true);
        held = point;
    }
    if (holds)
        go(pen, held, false);
}

bool vt_svg_is_idle(const char *points, size_t length)
{
    return !memchr(points, 'L', length);
}
