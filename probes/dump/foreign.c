#include "probes/dump/parts.h"

#include <string.h>

#define TAKE "take the registers there with: cpuid -r >FILE"

/* By the words they are known by; the first one found is what it is. */
static const struct {
    const char *words, *answer;
} foreign[] = {
    {"version https://git-lfs",
     "a pointer of Git LFS in place of the file; fetch the file with: git lfs pull"},
    {"\"vmtoll.",
     "a document of vmtoll, decoded already; to show or compare results: vmtoll report, vmtoll compare"},
    {"   vendor_id = \"", "what cpuid decoded, without the registers; " TAKE},
    {"vendor_id\t:", "/proc/cpuinfo, which has no registers; " TAKE},
    {"cpu family\t:", "/proc/cpuinfo, which has no registers; " TAKE},
    {"Model name:", "the output of lscpu, which has no registers; " TAKE},
    {"x86info v", "what x86info decoded, without the registers; take them with: x86info -r >FILE"},
    {"nr_features:", "feature sets of xen-cpuid; take the leaves with: xen-cpuid -p >FILE"},
    {"Coreinfo", "the output of Coreinfo, which has no registers; AIDA64 and CPU-Z save them on Windows"},
    {"CPU-Z TXT Report", "a report of CPU-Z without thread dumps; save it again with: cpuz.exe -txt=FILE"},
    {"arm_midr", "a dump of an Arm processor, which has no CPUID"},
    {"cpuid.1.eax", "bits of a VMware or Xen configuration, which mask CPUID rather than tell it; " TAKE},
    {"1970169159",
     "decimal numbers (this one is Genu in EBX of leaf 0); write them with 8 hexadecimal digits"},
    {"1752462657",
     "decimal numbers (this one is Auth in EBX of leaf 0); write them with 8 hexadecimal digits"},
    {"Raw Standard CPUID Leaves",
     "VirtualBox's log, whose tables are what it makes of CPUID for its guest; " TAKE},
    {"cpuid_modifiers",
     "a CPU template of Firecracker, which masks bits of CPUID rather than tells it; " TAKE},
    {"<capabilities>", "what libvirt says of a host, without the registers; " TAKE},
    {"<html", "a web page; save the dump itself, not the page around it"},
    {"<!DOCTYPE", "a web page; save the dump itself, not the page around it"},
};

static uint32_t line_of(const char *text, const char *at)
{
    uint32_t line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

const char *vt_dump_recognize(const char *text, uint32_t *line)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        const char *at = strstr(text, foreign[i].words);
        if (at) {
            *line = line_of(text, at);
            return foreign[i].answer;
        }
    }
    return NULL;
}

#define PIPE " | vmtoll probe --from-cpuid -"

static const struct {
    const char *magic, *answer;
} archives[] = {
    {"BZh", "compressed by bzip2; unpack it with: bzip2 -dc FILE" PIPE},
    {"\x28\xb5\x2f\xfd", "compressed by Zstandard; unpack it with: zstd -dc FILE" PIPE},
    {"\x04\x22\x4d\x18", "compressed by LZ4; unpack it with: lz4 -dc FILE" PIPE},
    {"PK\3\4", "a ZIP archive; unpack a dump of it with: unzip -p FILE NAME" PIPE},
    {"7z\xbc\xaf", "a 7z archive; unpack a dump of it with: 7z e -so FILE NAME" PIPE},
};

const char *vt_dump_recognize_archive(const char *data, size_t size)
{
    for (size_t i = 0; i < sizeof archives / sizeof archives[0]; i++) {
        size_t length = strlen(archives[i].magic);
        if (size >= length && memcmp(data, archives[i].magic, length) == 0)
            return archives[i].answer;
    }
    return NULL;
}
