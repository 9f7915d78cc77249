/* Identification, time and random numbers: unprivileged, yet a hypervisor may want every one of them. */
#include "guest/cases/case.h"

CASE cpuid, "cpuid", turn="mov eax, 1; xor ecx, ecx"
CASE rdtsc, "rdtsc"
CASE rdtscp, "rdtscp"
CASE rdpmc, "rdpmc", setup="xor ecx, ecx"
CASE rdpid, "rdpid rax"
CASE rdrand, "rdrand rax"
CASE rdseed, "rdseed rax"
