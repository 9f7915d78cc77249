#include "base/packed.h"
#include "base/memory.h"

#include <errno.h>
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { FIRST_ROOM = 1 << 16, XZ_MEMORY = 128 << 20 };

/* Grows until `limit` is passed by one byte: that many prove that there is more. */
struct sink {
    char *data;
    size_t size, room, limit;
};

static int make_room(struct sink *sink)
{
    if (sink->size < sink->room)
        return 0;
    if (sink->room > sink->limit)
        return -EFBIG;
    size_t room = sink->room ? sink->room * 2 : FIRST_ROOM;
    if (room > sink->limit)
        room = sink->limit + 1;
    char *grown = vt_memory_grow(sink->data, sink->size, room - sink->size + 1, 1);
    if (!grown)
        return -ENOMEM;
    sink->data = grown;
    sink->room = room;
    return 0;
}

static const unsigned char gzip_magic[] = {0x1f, 0x8b}, xz_magic[] = {0xfd, '7', 'z', 'X', 'Z', 0};

static bool begins(const void *data, size_t size, const unsigned char *magic, size_t length)
{
    return size >= length && memcmp(data, magic, length) == 0;
}

static int unpack_gzip(const char *data, size_t size, struct sink *sink)
{
    enum { ANY_WINDOW_OF_GZIP = 15 + 16 };
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)data, .avail_in = (uInt)size};
    int status, full = 0;
    if (inflateInit2(&stream, ANY_WINDOW_OF_GZIP) != Z_OK)
        return -ENOMEM;
    do {
        full = make_room(sink);
        if (full != 0)
            break;
        stream.next_out = (unsigned char *)sink->data + sink->size;
        stream.avail_out = (uInt)(sink->room - sink->size);
        status = inflate(&stream, Z_NO_FLUSH);
        sink->size = sink->room - stream.avail_out;
        if (status == Z_STREAM_END && begins(stream.next_in, stream.avail_in, gzip_magic, sizeof gzip_magic))
            status = inflateReset(&stream);
    } while (status == Z_OK);
    inflateEnd(&stream);
    return full ? full : status == Z_STREAM_END ? 0 : status == Z_MEM_ERROR ? -ENOMEM : -EILSEQ;
}

static int unpack_xz(const char *data, size_t size, struct sink *sink)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_ret status = lzma_stream_decoder(&stream, XZ_MEMORY, LZMA_CONCATENATED);
    int full = 0;
    stream.next_in = (const uint8_t *)data;
    stream.avail_in = size;
    while (status == LZMA_OK && (full = make_room(sink)) == 0) {
        stream.next_out = (uint8_t *)sink->data + sink->size;
        stream.avail_out = sink->room - sink->size;
        status = lzma_code(&stream, LZMA_FINISH);
        sink->size = sink->room - stream.avail_out;
    }
    lzma_end(&stream);
    return full ? full : status == LZMA_STREAM_END ? 0 : status == LZMA_MEM_ERROR ? -ENOMEM : -EILSEQ;
}

static const struct packer {
    const unsigned char *magic;
    size_t length;
    int (*unpack)(const char *data, size_t size, struct sink *sink);
} packers[] = {
    {gzip_magic, sizeof gzip_magic, unpack_gzip},
    {xz_magic, sizeof xz_magic, unpack_xz},
};

static const struct packer *packer_of(const char *data, size_t size)
{
    for (size_t i = 0; i < sizeof packers / sizeof packers[0]; i++)
        if (begins(data, size, packers[i].magic, packers[i].length))
            return &packers[i];
    return NULL;
}

bool vt_packed_is(const char *data, size_t size)
{
    return packer_of(data, size) != NULL;
}

int vt_packed_unpack(const char *data, size_t size, size_t limit, char **text, size_t *length)
{
    struct sink sink = {.limit = limit};
    const struct packer *packer = packer_of(data, size);
    int status = packer && size <= UINT32_MAX ? packer->unpack(data, size, &sink) : -EILSEQ;
    if (status == 0 && sink.size > limit)
        status = -EFBIG;
    if (status != 0) {
        free(sink.data);
        return status;
    }
    sink.data[sink.size] = '\0';
    *text = sink.data;
    *length = sink.size;
    return 0;
}
