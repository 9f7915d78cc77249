#include "lab/profile/flow.h"

#include <string.h>

static bool is_prefix(uint8_t byte)
{
    static const uint8_t prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0xf0};
    return (byte & 0xf0) == 0x40 || memchr(prefixes, byte, sizeof prefixes);
}

static enum vt_flow flow_of_0f(uint8_t second, uint8_t third)
{
    static const struct {
        uint8_t opcode;
        enum vt_flow flow;
    } all[] = {
        {0x05, VT_FLOW_ENTER},     {0x34, VT_FLOW_ENTER},     {0x07, VT_FLOW_LEAVE},
        {0x35, VT_FLOW_LEAVE},     {0x0b, VT_FLOW_UNDEFINED}, {0xb9, VT_FLOW_UNDEFINED},
        {0xff, VT_FLOW_UNDEFINED}, {0x31, VT_FLOW_RDTSC},
    };

    if (second == 0x01 && third == 0xd8)
        return VT_FLOW_VMRUN;
    if ((second & 0xf0) == 0x80)
        return VT_FLOW_JUMP;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].opcode == second)
            return all[i].flow;
    return VT_FLOW_NEXT;
}

/* Group 5: the middle bits of the ModRM byte decide. */
static enum vt_flow flow_of_ff(uint8_t modrm)
{
    switch (modrm >> 3 & 7) {
    case 2:
    case 3:
        return VT_FLOW_CALL;
    case 4:
    case 5:
        return VT_FLOW_JUMP;
    default:
        return VT_FLOW_NEXT;
    }
}

static enum vt_flow flow_of(const uint8_t *bytes, size_t size)
{
    static const struct {
        uint8_t low, high;
        enum vt_flow flow;
    } ranges[] = {
        {0x70, 0x7f, VT_FLOW_JUMP},   {0xe0, 0xe3, VT_FLOW_JUMP},  {0xe8, 0xe8, VT_FLOW_CALL},
        {0xe9, 0xe9, VT_FLOW_JUMP},   {0xeb, 0xeb, VT_FLOW_JUMP},  {0xc2, 0xc3, VT_FLOW_RETURN},
        {0x6c, 0x6f, VT_FLOW_IO},     {0xe4, 0xe7, VT_FLOW_IO},    {0xec, 0xef, VT_FLOW_IO},
        {0xca, 0xcb, VT_FLOW_RETURN}, {0xcc, 0xcd, VT_FLOW_ENTER}, {0xcf, 0xcf, VT_FLOW_LEAVE},
    };
    static const uint8_t over[] = {0x0f, 0x1f, 0x84, 0x00, 0x76, 0x74, 0x6f, 0x6c};
    size_t at = 0;

    if (size == sizeof over && memcmp(bytes, over, size) == 0)
        return VT_FLOW_OVER;
    while (at < size && is_prefix(bytes[at]))
        at++;
    if (at >= size)
        return VT_FLOW_NEXT;
    if (bytes[at] == 0x0f)
        return flow_of_0f(at + 1 < size ? bytes[at + 1] : 0, at + 2 < size ? bytes[at + 2] : 0);
    if (bytes[at] == 0xff)
        return flow_of_ff(at + 1 < size ? bytes[at + 1] : 0);
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (bytes[at] >= ranges[i].low && bytes[at] <= ranges[i].high)
            return ranges[i].flow;
    return VT_FLOW_NEXT;
}

/* Opcodes, and of a ModRM byte's middle bits those that count, a bit each. */
struct range {
    uint8_t low, high, middle;
};

static bool is_among(const struct range *ranges, size_t count, uint8_t opcode, unsigned middle)
{
    for (size_t i = 0; i < count; i++)
        if (opcode >= ranges[i].low && opcode <= ranges[i].high && ranges[i].middle >> middle & 1)
            return true;
    return false;
}
#define AMONG(ranges, opcode, middle) is_among(ranges, sizeof(ranges) / sizeof(ranges)[0], opcode, middle)

/* On registers: with a ModRM byte that names two (mod 3), or without one; and LEA, which computes an address.
 */
static bool computes(const uint8_t *bytes, size_t size)
{
    static const struct range pairs[] = {
        {0x00, 0x03, 0xff}, {0x08, 0x0b, 0xff}, {0x10, 0x13, 0xff}, {0x18, 0x1b, 0xff}, {0x20, 0x23, 0xff},
        {0x28, 0x2b, 0xff}, {0x30, 0x33, 0xff}, {0x38, 0x3b, 0xff}, {0x63, 0x63, 0xff}, {0x69, 0x69, 0xff},
        {0x6b, 0x6b, 0xff}, {0x80, 0x81, 0xff}, {0x83, 0x8b, 0xff}, {0xc0, 0xc1, 0xff}, {0xd0, 0xd3, 0xff},
        {0xc6, 0xc7, 0x01}, /* others are of transactions */
        {0xf6, 0xf7, 0x3f}, /* but division */
        {0xfe, 0xff, 0x03}, /* INC, DEC */
    };
    static const struct range alone[] = {
        {0x04, 0x05, 1}, {0x0c, 0x0d, 1}, {0x14, 0x15, 1}, {0x1c, 0x1d, 1}, {0x24, 0x25, 1},
        {0x2c, 0x2d, 1}, {0x34, 0x35, 1}, {0x3c, 0x3d, 1}, {0x90, 0x99, 1}, {0xa8, 0xa9, 1},
        {0xb0, 0xbf, 1}, {0xf5, 0xf5, 1}, {0xf8, 0xf9, 1}, {0xfc, 0xfd, 1},
    };
    bool registers = size > 1 && bytes[1] >= 0xc0;

    return AMONG(alone, bytes[0], 0) || (registers && AMONG(pairs, bytes[0], bytes[1] >> 3 & 7)) ||
           (bytes[0] == 0x8d && !registers && size > 1);
}

static bool computes_0f(const uint8_t *bytes, size_t size)
{
    static const struct range pairs[] = {
        {0x40, 0x4f, 0xff}, {0x90, 0x9f, 0xff}, {0xa3, 0xa5, 0xff}, {0xab, 0xad, 0xff}, {0xaf, 0xaf, 0xff},
        {0xb3, 0xb3, 0xff}, {0xb6, 0xb7, 0xff}, {0xba, 0xba, 0xf0}, {0xbb, 0xbf, 0xff},
    };

    if ((bytes[0] & 0xf8) == 0xc8) /* BSWAP */
        return true;
    return size > 1 && ((bytes[1] >= 0xc0 && AMONG(pairs, bytes[0], bytes[1] >> 3 & 7)) || bytes[0] == 0x1f);
}

/* Only behind a REX, an operand-size or a CS prefix: others change what an instruction is. */
static bool is_sure(const uint8_t *bytes, size_t size)
{
    static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
    size_t at = 0;

    if (size == sizeof endbr64 && memcmp(bytes, endbr64, size) == 0)
        return true;
    while (at < size && ((bytes[at] & 0xf0) == 0x40 || bytes[at] == 0x66 || bytes[at] == 0x2e))
        at++;
    if (at + 1 >= size)
        return at < size && computes(bytes + at, 1);
    return bytes[at] == 0x0f ? computes_0f(bytes + at + 1, size - at - 1) : computes(bytes + at, size - at);
}

enum vt_flow vt_flow_of(const uint8_t *bytes, size_t size)
{
    enum vt_flow flow = flow_of(bytes, size);
    return flow == VT_FLOW_NEXT && is_sure(bytes, size) ? VT_FLOW_SURE : flow;
}
