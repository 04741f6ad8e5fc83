/* SPDX-License-Identifier: MIT */
#include "autopsy/unwind.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <elfutils/libdwfl.h>

#include "autopsy/target.h"
#include "base/text.h"

enum {
	FRAMES_MAX = 64,
};

struct walk {
	const struct target *target;
	Dwfl *dwfl;
	FILE *file;
	struct unwind_place *place;
	size_t next; /* thread */
	unsigned frame;
	bool main;
};

static pid_t next_thread(Dwfl *dwfl, void *user, void **thread_arg) {
	(void)dwfl;
	struct walk *walk = (struct walk *)user;
	if (!*thread_arg) {
		walk->next = 0;
	}
	while (walk->next < walk->target->count) {
		const struct target_thread *thread = &walk->target->threads[walk->next++];
		if (thread->stopped) {
			*thread_arg = (void *)(uintptr_t)thread;
			return thread->tid;
		}
	}
	return 0;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *user, void **thread_arg) {
	(void)dwfl;
	const struct walk *walk = (const struct walk *)user;
	for (size_t i = 0; i < walk->target->count; i++) {
		const struct target_thread *thread = &walk->target->threads[i];
		if (thread->tid == tid && thread->stopped) {
			*thread_arg = (void *)(uintptr_t)thread;
			return true;
		}
	}
	return false;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *out, void *user) {
	(void)dwfl;
	const struct walk *walk = (const struct walk *)user;
	return target_read(walk->target, address, out, sizeof(*out)) == sizeof(*out);
}

/* In DWARF's order of the machine's ABI. */
static bool set_registers(Dwfl_Thread *state, void *thread_arg) {
	const struct target_thread *thread = (const struct target_thread *)thread_arg;
	const target_registers *r = &thread->registers;
#if defined(__x86_64__)
	const Dwarf_Word values[] = { r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp,
		r->rsp, r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rip };
	return dwfl_thread_state_registers(state, 0, ARRAY_LEN(values), values);
#elif defined(__aarch64__)
	Dwarf_Word values[32];
	for (int i = 0; i < 31; i++) {
		values[i] = r->regs[i];
	}
	values[31] = r->sp;
	dwfl_thread_state_register_pc(state, r->pc);
	return dwfl_thread_state_registers(state, 0, ARRAY_LEN(values), values);
#else
	(void)r;
	(void)state;
	return false;
#endif
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

static const char *last_part(const char *path) {
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash ? slash + 1 : path ? path : "?";
}

/* "src/stream/main.c:40": without the way there from the build folder. */
static const char *plain_source(const char *source) {
	while (strncmp(source, "../", 3) == 0) {
		source += 3;
	}
	return source;
}

static void note_place(struct walk *walk, const char *module, const char *name, const char *where) {
	if (walk->main && walk->place->text[0] == '\0' && name &&
			strncmp(module, "perigee", 7) == 0) {
		text_format(walk->place->text, sizeof(walk->place->text), "%s%s%s", name,
				where[0] ? " at " : "", where);
	}
}

static int write_frame(Dwfl_Frame *state, void *user) {
	struct walk *walk = (struct walk *)user;
	Dwarf_Addr pc;
	bool activation;
	if (!dwfl_frame_pc(state, &pc, &activation) || walk->frame >= FRAMES_MAX) {
		return DWARF_CB_ABORT;
	}
	Dwarf_Addr at = pc - (activation ? 0 : 1);
	Dwfl_Module *module = dwfl_addrmodule(walk->dwfl, at);
	const char *path =
			module ? dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
			       : NULL;
	GElf_Off offset = 0;
	GElf_Sym symbol;
	const char *name = module ? dwfl_module_addrinfo(
						    module, at, &offset, &symbol, NULL, NULL, NULL)
				  : NULL;
	char where[160] = "";
	int line = 0;
	Dwfl_Line *source = module ? dwfl_module_getsrc(module, at) : NULL;
	const char *file = source ? dwfl_lineinfo(source, NULL, &line, NULL, NULL, NULL) : NULL;
	if (file) {
		text_format(where, sizeof(where), "%s:%d", plain_source(file), line);
	}
	fprintf(walk->file, "  #%-2u 0x%012llx %s+%llu", walk->frame++, (unsigned long long)pc,
			name ? name : "?", (unsigned long long)offset);
	fprintf(walk->file, " (%s)%s%s\n", last_part(path), where[0] ? " " : "", where);
	note_place(walk, last_part(path), name, where);
	return DWARF_CB_OK;
}

static void write_threads(struct walk *walk) {
	for (size_t i = 0; i < walk->target->count; i++) {
		const struct target_thread *thread = &walk->target->threads[i];
		walk->frame = 0;
		walk->main = thread->tid == walk->target->pid;
		fprintf(walk->file, "thread %d%s\n", thread->tid, walk->main ? " (main)" : "");
		if (!thread->stopped) {
			fputs("  could not be stopped: it is in the kernel, or may not be "
			      "traced; see threads.txt\n",
					walk->file);
		} else if (dwfl_getthread_frames(walk->dwfl, thread->tid, write_frame, walk) < 0 &&
				walk->frame == 0) {
			fprintf(walk->file, "  no backtrace: %s\n", dwfl_errmsg(-1));
		}
		fputc('\n', walk->file);
		fflush(walk->file);
	}
}

/* Its program's file may have been replaced or removed since it was started; the kernel
 * still has the one that runs. */
static int find_elf(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
		char **file_name, Elf **elf) {
	const struct walk *walk = (const struct walk *)*user;
	char exe[32], program[PATH_MAX] = "";
	text_format(exe, sizeof(exe), "/proc/%d/exe", walk ? walk->target->pid : 0);
	if (readlink(exe, program, sizeof(program) - 1) > 0 && strcmp(program, name) == 0) {
		int fd = open(exe, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			*file_name = strdup(name);
			return fd;
		}
	}
	return dwfl_linux_proc_find_elf(module, user, name, base, file_name, elf);
}

static int tell_module(
		Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base, void *walk) {
	(void)module;
	(void)name;
	(void)base;
	*user = walk;
	return DWARF_CB_OK;
}

void unwind_write(const struct target *target, FILE *file, struct unwind_place *out_place) {
	static const Dwfl_Callbacks callbacks = {
		.find_elf = find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
	};
	struct walk walk = { .target = target, .file = file, .place = out_place };
	out_place->text[0] = '\0';
	if (target->stopped == 0) {
		fputs("no backtraces: no thread could be stopped, or none may be traced; "
		      "threads.txt says what the kernel knows\n",
				file);
		return;
	}
	walk.dwfl = dwfl_begin(&callbacks);
	if (!walk.dwfl || dwfl_linux_proc_report(walk.dwfl, target->pid) != 0 ||
			dwfl_report_end(walk.dwfl, NULL, NULL) != 0 ||
			dwfl_getmodules(walk.dwfl, tell_module, &walk, 0) != 0 ||
			!dwfl_attach_state(
					walk.dwfl, NULL, target->pid, &thread_callbacks, &walk)) {
		fprintf(file, "no backtraces: %s\n", dwfl_errmsg(-1));
	} else {
		write_threads(&walk);
	}
	dwfl_end(walk.dwfl);
}
