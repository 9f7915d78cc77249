#include "result/load/state.h"

enum step {
    STOP,
    GO_ON,
    NEED_MORE /* the token ends behind the window */
};

/* The scan ended at `expected`, or for lack of bytes. */
static enum step give_up(struct vt_loader *loader)
{
    if (loader->scan.at == loader->scan.end && !loader->scan.last) {
        loader->scan.at = loader->token;
        return NEED_MORE;
    }
    vt_load_refuse_syntax(loader, loader->scan.expected);
    return STOP;
}

static bool in_object(const struct vt_loader *loader)
{
    return loader->objects & 1;
}

static enum step open_container(struct vt_loader *loader, bool object)
{
    if (loader->depth == 0)
        vt_load_advance(loader, loader->token); /* to count each line once, however many documents */
    if (!vt_load_open(loader, &(struct vt_token){.type = object ? VT_TOKEN_OBJECT : VT_TOKEN_ARRAY}))
        return STOP;
    loader->scan.at++;
    loader->objects = loader->objects << 1 | object;
    loader->turn = object ? TURN_FIRST_KEY : TURN_FIRST_VALUE;
    return GO_ON;
}

static enum step close_container(struct vt_loader *loader)
{
    loader->scan.at++;
    if (!vt_load_close(loader))
        return STOP;
    loader->objects >>= 1;
    loader->turn = loader->depth ? TURN_NEXT : TURN_VALUE;
    return GO_ON;
}

/* The string between two quotes. */
static void take_text(struct vt_loader *loader, const unsigned char *text, const unsigned char *quote,
                      const char **plain, size_t *length)
{
    *plain = (const char *)text;
    *length = (size_t)(quote - text);
    if (!loader->scan.escaped)
        return;
    *length = vt_load_scan_decode(text, *length, loader->text, sizeof loader->text);
    *plain = loader->text;
}

static enum step take_key(struct vt_loader *loader)
{
    const unsigned char *quote;
    const char *key;
    size_t length;
    if (!vt_load_scan_key(&loader->scan, &quote))
        return give_up(loader);
    take_text(loader, loader->token + 1, quote, &key, &length);
    loader->turn = TURN_VALUE;
    return vt_load_key(loader, key, length) ? GO_ON : STOP;
}

static struct vt_token token_of(struct vt_loader *loader)
{
    const unsigned char *at = loader->token, *end = loader->scan.at;
    struct vt_token token = {
        .type = VT_TOKEN_NUMBER, .text = (const char *)at, .length = (size_t)(end - at), .flag = *at == 't'};
    if (*at == 'n')
        token.type = VT_TOKEN_NULL;
    else if (*at == 't' || *at == 'f')
        token.type = VT_TOKEN_FLAG;
    else if (*at == '"') {
        token.type = VT_TOKEN_TEXT;
        take_text(loader, at + 1, end - 1, &token.text, &token.length);
    }
    return token;
}

static enum step take_scalar(struct vt_loader *loader)
{
    if (!vt_load_scan_scalar(&loader->scan))
        return give_up(loader);
    loader->turn = TURN_NEXT;
    if (loader->depth && loader->frames[loader->depth - 1].type == FRAME_SKIP)
        return GO_ON;
    struct vt_token token = token_of(loader);
    return vt_load_scalar(loader, &token) ? GO_ON : STOP;
}

/* Numbers nobody asked for are counted. */
static bool pass_series(struct vt_loader *loader)
{
    struct vt_load_frame *frame = &loader->frames[loader->depth - 1];
    if (frame->type != FRAME_SERIES || loader->options->samples)
        return true;
    return vt_load_count_numbers(loader, frame, vt_load_scan_numbers(&loader->scan));
}

static enum step take_value(struct vt_loader *loader)
{
    unsigned char c = *loader->token;
    return c == '{' || c == '[' ? open_container(loader, c == '{') : take_scalar(loader);
}

static enum step take_next(struct vt_loader *loader)
{
    unsigned char c = *loader->token;
    if (c == (in_object(loader) ? '}' : ']'))
        return close_container(loader);
    if (c != ',') {
        vt_load_refuse_syntax(loader, in_object(loader) ? "',' or '}'" : "',' or ']'");
        return STOP;
    }
    if (!pass_series(loader))
        return STOP;
    if (loader->scan.at == loader->token) {
        loader->scan.at++;
        loader->turn = in_object(loader) ? TURN_KEY : TURN_VALUE;
    }
    return GO_ON;
}

static enum step take_token(struct vt_loader *loader)
{
    unsigned char c = *loader->token;
    switch (loader->turn) {
    case TURN_NEXT:
        return take_next(loader);
    case TURN_FIRST_KEY:
        return c == '}' ? close_container(loader) : take_key(loader);
    case TURN_KEY:
        return take_key(loader);
    case TURN_FIRST_VALUE:
        return c == ']' ? close_container(loader) : take_value(loader);
    default:
        if (loader->depth == 0 && c == 0xef)
            return vt_load_scan_mark(&loader->scan) ? GO_ON : give_up(loader);
        return take_value(loader);
    }
}

int vt_load_parse(struct vt_loader *loader)
{
    struct vt_scan *scan = &loader->scan;
    enum step step = GO_ON;
    while (step == GO_ON) {
        loader->token = scan->at;
        vt_load_scan_blanks(scan);
        if (scan->at == scan->end) {
            loader->blanks += (size_t)(scan->at - loader->token);
            return 1;
        }
        loader->blanks = 0;
        loader->token = scan->at;
        step = take_token(loader);
    }
    return step == NEED_MORE;
}
