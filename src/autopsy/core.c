/* SPDX-License-Identifier: MIT */
#include "autopsy/core.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>

#include "autopsy/maps.h"
#include "autopsy/target.h"
#include "base/hex.h"
#include "base/text.h"

enum {
	SECRET_SIZE = 16,
	NOTES_MAX = 1 << 20,
	PAGE = 4096,
	RED_ZONE = 128, /* below the stack pointer, still in use (System V ABI) */
	NOTE_NAME = 8,  /* "CORE", padded */
	LINKER_MAX = 32 << 10,
};

struct segment {
	uint64_t begin, end;
	size_t size; /* written */
	uint32_t flags;
};

struct core {
	const struct target *target;
	const struct core_options *options;
	struct segment *segments; /* owned */
	size_t count, budget;
	uint8_t *notes; /* owned */
	size_t notes_size;
	struct core_result result;
};

static void add_segment(struct core *core, const struct map *map, uint64_t begin, size_t wanted) {
	size_t size = wanted <= core->budget ? wanted : 0;
	core->result.left_out_size += size < wanted;
	core->budget -= size;
	core->segments[core->count++] = (struct segment){
		.begin = begin,
		.end = map->end,
		.size = size,
		.flags = (map->readable ? PF_R : 0u) | (map->writable ? PF_W : 0u) |
			 (map->executable ? PF_X : 0u),
	};
}

/* The lowest stack pointer in this mapping, rounded down to its page; 0: no stack. */
static uint64_t stack_in(const struct target *target, const struct map *map) {
	uint64_t lowest = 0;
	for (size_t i = 0; i < target->count; i++) {
		const struct target_thread *thread = &target->threads[i];
		uint64_t pointer = thread->stopped ? target_stack_pointer(thread) - RED_ZONE : 0;
		if (pointer >= map->begin && pointer < map->end && (!lowest || pointer < lowest)) {
			lowest = pointer;
		}
	}
	return lowest & ~(uint64_t)(PAGE - 1);
}

/* Where the dynamic linker keeps the list of libraries, without which gdb knows none: a
 * few pages of its own. No allocator makes a mapping so small. */
static bool is_linkers(const struct map *map) {
	return map->path[0] == '\0' && map->writable && map->end - map->begin <= LINKER_MAX;
}

/* What of one mapping is to be written; the rest is named without content. */
static void choose(struct core *core, const struct map *map) {
	bool file = map->path[0] == '/';
	uint64_t stack = stack_in(core->target, map);
	size_t size = (size_t)(map->end - map->begin);
	if (map->secret || map->shared || !map->readable || strcmp(map->path, "[vvar]") == 0 ||
			strcmp(map->path, "[vsyscall]") == 0) {
		core->result.left_out_secret += map->secret;
		add_segment(core, map, map->begin, 0);
	} else if (stack > map->begin) {
		/* What lies below is over: nothing there helps, and keys may have been. */
		add_segment(core, map, stack, (size_t)(map->end - stack));
	} else if (file && !map->writable && !map->changed) {
		/* The first page has the build-id, by which the file is found. */
		add_segment(core, map, map->begin, map->offset == 0 ? PAGE : 0);
	} else if (file || stack || core->options->heap || strcmp(map->path, "[vdso]") == 0 ||
			is_linkers(map)) {
		add_segment(core, map, map->begin, size);
	} else {
		add_segment(core, map, map->begin, 0);
	}
}

static void add_note(struct core *core, uint32_t type, const void *content, size_t size) {
	Elf64_Nhdr header = { .n_namesz = 5, .n_descsz = (uint32_t)size, .n_type = type };
	size_t padded = (size + 3) & ~(size_t)3;
	if (core->notes_size + sizeof(header) + NOTE_NAME + padded > NOTES_MAX) {
		return;
	}
	uint8_t *at = core->notes + core->notes_size;
	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), "CORE", 5);
	memcpy(at + sizeof(header) + NOTE_NAME, content, size);
	core->notes_size += sizeof(header) + NOTE_NAME + padded;
}

static void add_thread_note(struct core *core, const struct target_thread *thread) {
	prstatus_t status = { .pr_pid = thread->tid };
	_Static_assert(sizeof(status.pr_reg) == sizeof(thread->registers), "registers");
	memcpy(&status.pr_reg, &thread->registers, sizeof(status.pr_reg));
	add_note(core, NT_PRSTATUS, &status, sizeof(status));
}

static void add_file_note(struct core *core, pid_t pid, const char *name, uint32_t type) {
	char path[40];
	uint8_t content[4096];
	text_format(path, sizeof(path), "/proc/%d/%s", pid, name);
	OWN(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, content, sizeof(content));
	if (len > 0) {
		add_note(core, type, content, (size_t)len);
	}
}

/* NT_FILE: which file lies where, as the kernel writes it. */
static void add_mapped_files(struct core *core, const struct maps *maps) {
	size_t count = 0, size = 2 * sizeof(uint64_t);
	for (size_t i = 0; i < maps->count; i++) {
		if (maps->list[i].path[0] == '/') {
			count++;
			size += 3 * sizeof(uint64_t) + strlen(maps->list[i].path) + 1;
		}
	}
	OWN(free) void *block = calloc(1, size);
	if (!block) {
		return;
	}
	uint64_t *numbers = (uint64_t *)block;
	*numbers++ = count;
	*numbers++ = PAGE;
	char *names = (char *)(numbers + 3 * count);
	for (size_t i = 0; i < maps->count; i++) {
		const struct map *map = &maps->list[i];
		if (map->path[0] == '/') {
			*numbers++ = map->begin;
			*numbers++ = map->end;
			*numbers++ = map->offset / PAGE;
			names = stpcpy(names, map->path) + 1;
		}
	}
	add_note(core, NT_FILE, block, size);
}

static void collect_notes(struct core *core, const struct maps *maps) {
	const struct target *target = core->target;
	prpsinfo_t info = { .pr_pid = target->pid };
	for (size_t i = 0; i < target->count; i++) {
		if (target->threads[i].stopped) {
			add_thread_note(core, &target->threads[i]);
		}
		if (i == 0) {
			add_note(core, NT_PRPSINFO, &info, sizeof(info));
			add_file_note(core, target->pid, "auxv", NT_AUXV);
		}
	}
	add_mapped_files(core, maps);
}

static void blot(uint8_t *bytes, size_t size, const void *what, size_t len) {
	for (uint8_t *at = bytes; (at = memmem(at, size - (size_t)(at - bytes), what, len));) {
		memset(at, 'X', len);
		at += len;
	}
}

static void blot_secrets(const struct core_options *options, uint8_t *bytes, size_t size) {
	for (size_t i = 0; i < options->n_secrets; i++) {
		const uint8_t *secret = options->secrets + i * SECRET_SIZE;
		char text[2 * SECRET_SIZE + 1];
		blot(bytes, size, secret, SECRET_SIZE);
		hex_encode(secret, SECRET_SIZE, text);
		blot(bytes, size, text, 2 * SECRET_SIZE);
		for (char *at = text; *at; at++) {
			*at = *at >= 'A' ? (char)(*at | 0x20) : *at;
		}
		blot(bytes, size, text, 2 * SECRET_SIZE);
		explicit_bzero(text, sizeof(text));
	}
}

static int write_all(int fd, const void *bytes, size_t size) {
	const uint8_t *at = (const uint8_t *)bytes;
	while (size > 0) {
		ssize_t n = write(fd, at, size);
		if (n <= 0) {
			return n < 0 ? -errno : -EIO;
		}
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_heads(struct core *core, int fd) {
	uint64_t heads = sizeof(Elf64_Ehdr) + (core->count + 1) * sizeof(Elf64_Phdr);
	Elf64_Ehdr elf = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				EV_CURRENT },
		.e_type = ET_CORE,
#if defined(__x86_64__)
		.e_machine = EM_X86_64,
#else
		.e_machine = EM_AARCH64,
#endif
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)(core->count + 1),
	};
	Elf64_Phdr note = { .p_type = PT_NOTE, .p_offset = heads, .p_filesz = core->notes_size };
	int rc = write_all(fd, &elf, sizeof(elf));
	rc = rc < 0 ? rc : write_all(fd, &note, sizeof(note));
	uint64_t offset = heads + core->notes_size;
	for (size_t i = 0; rc == 0 && i < core->count; i++) {
		const struct segment *segment = &core->segments[i];
		Elf64_Phdr load = {
			.p_type = PT_LOAD,
			.p_flags = segment->flags,
			.p_offset = offset,
			.p_vaddr = segment->begin,
			.p_filesz = segment->size,
			.p_memsz = segment->end - segment->begin,
			.p_align = 1,
		};
		offset += segment->size;
		rc = write_all(fd, &load, sizeof(load));
	}
	return rc < 0 ? rc : write_all(fd, core->notes, core->notes_size);
}

/* A mapping at a time, so that a secret cannot lie across two pieces. */
static int write_memory(struct core *core, int fd) {
	for (size_t i = 0; i < core->count; i++) {
		const struct segment *segment = &core->segments[i];
		if (segment->size == 0) {
			continue;
		}
		OWN(free) void *block = calloc(1, segment->size);
		if (!block) {
			return -ENOMEM;
		}
		(void)target_read(core->target, segment->begin, block, segment->size);
		blot_secrets(core->options, (uint8_t *)block, segment->size);
		int rc = write_all(fd, block, segment->size);
		if (rc < 0) {
			return rc;
		}
		core->result.written += segment->size;
	}
	return 0;
}

int core_write(const struct target *target, const struct core_options *options, int fd,
		struct core_result *out) {
	struct maps maps;
	int rc = maps_read(target->pid, &maps);
	if (rc < 0) {
		return rc;
	}
	struct core core = {
		.target = target,
		.options = options,
		.budget = options->size_max,
		.segments = calloc(maps.count + 1, sizeof(struct segment)),
		.notes = calloc(1, NOTES_MAX),
	};
	if (core.segments && core.notes) {
		for (size_t i = 0; i < maps.count; i++) {
			choose(&core, &maps.list[i]);
		}
		collect_notes(&core, &maps);
		rc = write_heads(&core, fd);
		rc = rc < 0 ? rc : write_memory(&core, fd);
		*out = core.result;
	} else {
		rc = -ENOMEM;
	}
	free(core.segments);
	free(core.notes);
	maps_finish(&maps);
	return rc;
}
