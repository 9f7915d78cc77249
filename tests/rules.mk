# What tests and measures the program: unit tests, judges, benchmarks, fuzz targets.

# Tests: every program, compiled or script, prints TAP; tests/run adds them up.
TESTED := $(sort $(shell find tests/unit tests/difference -name '*.c'))
UNIT := $(patsubst %.c,$B/%,$(foreach source,$(TESTED),$(if $(filter test_%,$(notdir $(source))),$(source))))
SUPPORT := $(patsubst %.c,$B/%.c.o,$(foreach source,$(TESTED),$(if $(filter test_%,$(notdir $(source))),,$(source))))

$B/tests/%: tests/%.c $(SUPPORT) $B/libvmtoll.a
	@mkdir -p $(@D)
	$(call step,CC,$@)$(CC) $(HOST_FLAGS) $(CHECK_CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(SUPPORT) \
		$(WHOLE) $(LIBS) $(CHECK_LIBS) -lm

# An image that judges: tests hand it states, QEMU's processor runs them (tests/judge).
JUDGE := $(patsubst %,$B/image/%.o,$(wildcard tests/judge/*.c tests/judge/*.S) guest/image/string.c guest/image/pvh.S)

$B/tests/difference/judge.elf: $(JUDGE) guest/image/image.lds
	@mkdir -p $(@D)
	$(call step,LD,$@)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/image/image.lds,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

# An image that is judged: the monitor, one case or one misdeed at a time (tests/monitor). Its guest's code is its own.
MONITORING := tests/monitor/main.c tests/monitor/orders.c tests/monitor/tell.c
MONITORED := $(filter-out $(MONITORING),$(wildcard tests/monitor/*.c tests/monitor/*.S))
MONITORED_CODE := $(patsubst %,$B/%.o,$(CASES)) $(patsubst %,$B/image/%.o,$(MONITORED))

$B/tests/difference/generate: $(GENERATING) $B/image/guest/payload/entry.S.o $(MONITORED_CODE)
	@mkdir -p $(@D)
	$(call step,LD,$@)$(GENERATOR)

$B/tests/difference/table.c: $B/tests/difference/generate
	$(call step,GEN,$@)$B/tests/difference/generate >$@

$B/image/tests/difference/table.c.o: $B/tests/difference/table.c
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(GUEST_FLAGS) -c -o $@ $<

$B/tests/difference/monitor.elf: $(patsubst %,$B/image/%.o,guest/image/pvh.S guest/image/pvhstart.c guest/image/string.c guest/catalogue.c guest/longmode.c \
	guest/svm.c guest/vmx.c guest/payload/entry.S $(MONITOR) $(EMULATOR) $(MONITORING) tests/difference/table.c) $(MONITORED_CODE) guest/image/image.lds
	@mkdir -p $(@D)
	$(call step,LD,$@)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/image/image.lds,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

# A loader as demanding as a firmware can be (tests/integration/test_image_boot.sh boots it).
$B/tests/boot/demanding.elf: $B/boot/tests/boot/demanding.S.o $(filter-out $B/boot/guest/boot/pc.S.o,$(BOOT_PC)) guest/boot/pc.lds
	@mkdir -p $(@D)
	$(call step,LD,$@)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/boot/pc.lds,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

# Benchmarks compare two sides in one run and print the ratio; `make bench` builds and runs them all.
BENCHES := $(patsubst tests/bench/%.c,$B/benchmarks/%,$(wildcard tests/bench/bench_*.c))
BENCH_SUPPORT := $(patsubst %.c,$B/%.c.o,$(filter-out $(wildcard tests/bench/bench_*.c),$(wildcard tests/bench/*.c)))

$B/benchmarks/bench_%: tests/bench/bench_%.c $(BENCH_SUPPORT) $B/libvmtoll.a
	@mkdir -p $(@D)
	$(call step,CC,$@)$(CC) $(HOST_FLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(BENCH_SUPPORT) $(WHOLE) $(LIBS) -lm

benches: all $(BENCHES)

bench: benches
	@for program in $(BENCHES); do echo "== $$program"; $$program || true; done

tests: all $(UNIT) $(BENCHES) $B/tests/difference/judge.elf $B/tests/boot/demanding.elf $B/tests/difference/monitor.elf

test: tests
	@tests/run $B

# Fuzz targets are for libFuzzer: clang, and a build of their own.
FUZZERS := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

$B/fuzz/%: tests/fuzz/%.c $(SUPPORT) $B/libvmtoll.a
	@mkdir -p $(@D)
	$(call step,CC,$@)$(CC) $(HOST_FLAGS) $(CHECK_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $< $(SUPPORT) $(WHOLE) $(LIBS) \
		$(CHECK_LIBS) -lm

fuzzers: $(FUZZERS)
