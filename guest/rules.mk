# What runs as a guest: the cases, the payload of the KVM engine, and the images the labs boot.

# The guest runs without a kernel below it: no library, no SSE state, and no red zone under its interrupts.
GUEST_FLAGS = -std=gnu11 $(WARNINGS) -I. -I$B -O2 -ffreestanding -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -mcmodel=small -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Wa,-I$B

CASES := $(wildcard guest/cases/*.S)
PAYLOAD := $(wildcard guest/payload/*.S guest/payload/*.c)

# One assembly serves every engine: no host flag and no choice of compiler changes its bytes, padding included.
$B/guest/cases/%.S.o: guest/cases/%.S $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(call step,AS,$<)$(CC) -E -I. -MMD -MP -MT $@ -MF $(@:.o=.d) -o $(@:.o=.s) $<
	$Qas -I$B -o $@ $(@:.o=.s)

$B/guest/payload/%.o: guest/payload/% $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(GUEST_FLAGS) -MMD -MP -c -o $@ $<

$B/guest/payload.elf: $(patsubst %,$B/%.o,$(PAYLOAD)) guest/payload/payload.lds
	$(call step,LD,$@)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/payload/payload.lds -o $@ $(filter %.o,$^)

$B/guest/payload.bin: $B/guest/payload.elf
	$(call step,OBJ,$@)objcopy -O binary $< $@

$B/guest/payload_image.o: guest/payload_image.S $B/guest/payload.bin
	$(call step,AS,$<)$(CC) -I. -I$B -Wa,-I$B -c -o $@ $<

# An image that boots by itself: the cases, the catalogue and the payload's handlers in one ELF.
# What is named pvh* is of that image alone, and so is xen* of the PV domain's; both tell which Xen they run under.
IMAGE_ALL := $(wildcard guest/image/*.c guest/image/*.S)
IMAGE_PVH_OWN := $(filter guest/image/pvh%,$(IMAGE_ALL))
IMAGE_XENPV_OWN := $(filter-out guest/image/xenname.c,$(filter guest/image/xen%,$(IMAGE_ALL)))
IMAGE_SHARED := guest/catalogue.c $(filter-out $(IMAGE_PVH_OWN) $(IMAGE_XENPV_OWN),$(IMAGE_ALL))
# The monitor's guest is code that is decoded while this is built: the image has no decoder.
MONITOR := $(filter-out monitor/generate%,$(wildcard monitor/*.c monitor/*.S monitor/*/*.c monitor/*/*.S))
EMULATOR := $(filter-out vcpu/decode.c,$(wildcard vcpu/*.c vcpu/*/*.c)) $(wildcard translate/*.c)
IMAGE_PVH := $(patsubst %,$B/image/%.o,$(IMAGE_SHARED) $(IMAGE_PVH_OWN) guest/longmode.c guest/svm.c guest/vmx.c guest/payload/entry.S $(MONITOR) $(EMULATOR)) \
	$B/image/monitor/table.c.o
IMAGE_XENPV := $(patsubst %,$B/image-xenpv/%.o,$(IMAGE_SHARED) $(IMAGE_XENPV_OWN))

$B/image/%.o: % $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(GUEST_FLAGS) -fno-builtin -MMD -MP -c -o $@ $<

# A program of the machine that builds, linked with the code as the image is.
GENERATOR = $(CC) $(filter-out -pie -fPIE,$(HOST_FLAGS)) -fno-pie -no-pie -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBS)

GENERATING := monitor/generate.c $(patsubst %,$B/%.o,monitor/generate_forms.c vcpu/decode.c translate/tables.c translate/process/decode.c guest/catalogue.c)

$B/monitor/generate: $(GENERATING) $B/image/guest/payload/entry.S.o $(patsubst %,$B/%.o,$(CASES))
	@mkdir -p $(@D)
	$(call step,LD,$@)$(GENERATOR)

$B/monitor/table.c: $B/monitor/generate
	$(call step,GEN,$@)$B/monitor/generate >$@

$B/image/monitor/table.c.o: $B/monitor/table.c
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(GUEST_FLAGS) -c -o $@ $<

$B/guest/image-pvh.elf: $(IMAGE_PVH) $(patsubst %,$B/%.o,$(CASES)) guest/image/image.lds
	$(call step,LD,$@)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/image/image.lds,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

# A PV domain is linked where Xen maps it: in the last 2 GiB.
$B/image-xenpv/%.o: % $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(GUEST_FLAGS) -mcmodel=kernel -fno-builtin -MMD -MP -c -o $@ $<

$B/guest/image-xenpv.elf: $(IMAGE_XENPV) $(patsubst %,$B/%.o,$(CASES)) guest/image/xenpv.lds
	$(call step,LD,$@)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/image/xenpv.lds,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

$B/guest/image_files.o: guest/image_files.S $B/guest/image-pvh.elf $B/guest/image-xenpv.elf $B/guest/boot/pc.elf $B/guest/boot/vmtoll.efi
	$(call step,AS,$<)$(CC) -I. -I$B -Wa,-I$B -c -o $@ $<

# An image that boots anywhere: a core that is entered wherever it was put, and a loader for each way to boot.
BOOT_ALL := $(wildcard guest/boot/*.c guest/boot/*.S)
BOOT_LOADERS := $(filter guest/boot/pc% guest/boot/efi% guest/boot/core_file%,$(BOOT_ALL))
BOOT_LOADING := guest/boot/memory.c guest/boot/place.c
BOOT_BOTH := guest/boot/channel.c guest/boot/tables.c guest/boot/text.c
BOOT_CORE := $(patsubst %,$B/image/%.o,guest/catalogue.c guest/image/batch.S guest/image/string.c \
	guest/longmode.c guest/svm.c guest/vmx.c guest/payload/entry.S $(filter-out $(BOOT_LOADERS) $(BOOT_LOADING),$(BOOT_ALL)) \
	$(MONITOR) $(EMULATOR)) $B/image/monitor/table.c.o
BOOT_PC := $(patsubst %,$B/boot/%.o,guest/boot/pc.S guest/boot/pc.c guest/boot/core_file.S guest/image/string.c guest/longmode.c $(BOOT_LOADING) $(BOOT_BOTH))

$B/guest/boot/core.elf: $(BOOT_CORE) $(patsubst %,$B/%.o,$(CASES)) guest/boot/core.lds
	@mkdir -p $(@D)
	$(call step,LD,$@)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/boot/core.lds,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

$B/guest/boot/core.bin: $B/guest/boot/core.elf
	$(call step,OBJ,$@)objcopy -O binary $< $@

# A loader runs where firmware puts it.
BOOT_FLAGS = $(filter-out -fno-pic -fno-pie,$(GUEST_FLAGS)) -fpie -fvisibility=hidden -fno-builtin

$B/boot/guest/boot/core_file.S.o: $B/guest/boot/core.bin

$B/boot/%.o: % $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(BOOT_FLAGS) -MMD -MP -c -o $@ $<

$B/guest/boot/pc.elf: $(BOOT_PC) guest/boot/pc.lds
	$(call step,LD,$@)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/boot/pc.lds,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

BOOT_EFI := $(patsubst %,$B/boot/%.o,guest/boot/efi.S guest/boot/efi.c guest/boot/core_file.S guest/image/string.c guest/longmode.c $(BOOT_LOADING) $(BOOT_BOTH))

# Linked at 0 and loaded anywhere: nothing in it may be an address (tests/integration/test_image_boot.sh looks).
$B/guest/boot/efi.elf: $(BOOT_EFI) guest/boot/efi.lds
	$(call step,LD,$@)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/boot/efi.lds,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

$B/guest/boot/vmtoll.efi: $B/guest/boot/efi.elf
	$(call step,OBJ,$@)objcopy -O binary $< $@

# Offsets reach the assembler from the compiler, never by hand.
$B/guest/offsets.inc: guest/offsets.c guest/abi.h config.mk
	@mkdir -p $(@D)
	$(call step,GEN,$@)$(CC) -std=gnu11 $(WARNINGS) -I. -O2 -S -o $B/guest/offsets.s $<
	$Qsed -n 's/^[^"]*"*->\([A-Z0-9_]*\) [$$]*\([0-9]*\).*/.set \1, \2/p' $B/guest/offsets.s >$@
