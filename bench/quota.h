/*
 * How often the kernel stopped this process because its cgroup had spent its CPU
 * quota: cgroup-v2.rst, cpu.stat; cgroup-v1 the same in the cpu controller.
 */
#ifndef VT_BENCH_QUOTA_H
#define VT_BENCH_QUOTA_H

/*
 * So far, the process's own cgroup and those above it together. `cgroups` is a file
 * like /proc/self/cgroup, `mount` where cgroups are mounted (/sys/fs/cgroup). NaN:
 * no quota is accounted for here.
 */
double vt_quota_throttled(const char *cgroups, const char *mount);

#endif
