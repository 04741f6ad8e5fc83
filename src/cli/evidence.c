/* SPDX-License-Identifier: MIT */
#include "cli/evidence.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/number.h"
#include "base/own.h"
#include "base/text.h"
#include "cli/programs.h"
#include "cli/row.h"
#include "cli/show.h"

enum {
	HELD_US_MAX = 5000, /* what a healthy process may be held up for */
	KEPT = 512,         /* snapshots taken by hand, and hourly ones beside them */
};

static const json_t *next_row(const json_t *status, const char *what, size_t *index) {
	for (; *index < json_array_size(status); ++*index) {
		const json_t *row = json_array_get(status, *index);
		const char *is = json_string_value(json_object_get(row, "what"));
		if (is && strcmp(is, what) == 0) {
			++*index;
			return row;
		}
	}
	return NULL;
}

static const char *folder_of(const json_t *status) {
	size_t index = 0;
	return row_text(next_row(status, "evidence", &index), "folder");
}

static int is_entry(const struct dirent *entry) {
	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

/* The names below the folder, oldest first; the caller frees them and the list. */
static int read_names(const char *folder, struct dirent ***out) {
	int count = scandir(folder, out, is_entry, alphasort);
	if (count < 0 && errno != ENOENT) {
		fprintf(stderr, "perigee: %s: %s\n", folder, strerror(errno));
		return -errno;
	}
	return count < 0 ? 0 : count;
}

static void free_names(struct dirent **names, int count) {
	for (int i = 0; i < count; i++) {
		free(names[i]);
	}
	if (count > 0) {
		free(names);
	}
}

static FILE *open_in(const char *folder, const char *entry, const char *name) {
	char path[PATH_MAX];
	return text_format(path, sizeof(path), "%s/%s/%s", folder, entry, name) ? fopen(path, "re")
										: NULL;
}

/* The first line of its summary. */
static void read_headline(const char *folder, const char *entry, char *out, size_t size) {
	OWN(file_close) FILE *file = open_in(folder, entry, "summary.txt");
	if (!file || !fgets(out, (int)size, file)) {
		text_copy(out, size, "there is no summary");
	}
	out[strcspn(out, "\n")] = '\0';
}

int evidence_list(const json_t *status, bool json) {
	const char *folder = folder_of(status);
	struct dirent **names = NULL;
	int count = read_names(folder, &names);
	json_t *list = json_array();
	for (int i = 0; i < count; i++) {
		char headline[300];
		read_headline(folder, names[i]->d_name, headline, sizeof(headline));
		if (json) {
			json_array_append_new(
					list, json_pack("{s:s,s:s}", "entry", names[i]->d_name,
							      "summary", headline));
		} else {
			show_text(stdout, names[i]->d_name);
			fputs("\n    ", stdout);
			show_text(stdout, headline);
			putchar('\n');
		}
	}
	if (json) {
		json_dumpf(list, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (count >= 0) {
		printf("%d in %s\n", count, folder);
	}
	json_decref(list);
	free_names(names, count);
	return count < 0;
}

/* The folder's name that an incident's number stands for, else the id itself. */
static const char *entry_of(const json_t *status, const char *id) {
	size_t index = 0;
	int64_t number;
	if (number_parse(id, strlen(id), 1, INT32_MAX, &number) < 0) {
		return id;
	}
	for (const json_t *row; (row = next_row(status, "incident", &index));) {
		if (json_integer_value(json_object_get(row, "number")) == number) {
			return row_text(row, "entry");
		}
	}
	return id;
}

static int show_entry(const char *folder, const char *entry) {
	OWN(file_close) FILE *file = open_in(folder, entry, "summary.txt");
	char line[512];
	if (!file) {
		fprintf(stderr, "perigee: %s/%s/summary.txt: %s\n", folder, entry, strerror(errno));
		return 1;
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		show_text(stdout, line);
		putchar('\n');
	}
	printf("\nIn %s/%s\n", folder, entry);
	return 0;
}

int evidence_show(const json_t *status, const char *id) {
	const char *folder = folder_of(status), *wanted = entry_of(status, id), *found = NULL;
	struct dirent **names = NULL;
	int count = read_names(folder, &names), matches = 0;
	for (int i = 0; i < count; i++) {
		if (strncmp(names[i]->d_name, wanted, strlen(wanted)) == 0) {
			found = names[i]->d_name;
			matches++;
		}
	}
	int rc = 1;
	if (matches == 1) {
		rc = show_entry(folder, found);
	} else if (count >= 0) {
		fprintf(stderr, "perigee: %s `%s`; `perigee evidence list` shows what there is.\n",
				matches ? "several begin with" : "there is no evidence", id);
	}
	free_names(names, count);
	return rc;
}

/* In a build folder it is in the folder beside ours. */
static int find_autopsy(char *out, size_t size) {
	char own[PATH_MAX], neighbour[PATH_MAX];
	int rc = program_own_folder(own, sizeof(own));
	if (rc < 0 || !text_format(neighbour, sizeof(neighbour), "%s/../autopsy", own)) {
		return rc < 0 ? rc : -ENAMETOOLONG;
	}
	return program_find(neighbour, own, "perigee-autopsy", out, size);
}

/* Evidence belongs to whoever started the host: root becomes that user, rather than
 * leave files in a folder of somebody else. */
static void become_owner(const char *folder) {
	struct stat st;
	if (geteuid() != 0 || stat(folder, &st) < 0 || st.st_uid == 0) {
		return;
	}
	if (setgroups(0, NULL) < 0 || setresgid(st.st_gid, st.st_gid, st.st_gid) < 0 ||
			setresuid(st.st_uid, st.st_uid, st.st_uid) < 0) {
		fprintf(stderr, "perigee: %s: %s\n", folder, strerror(errno));
		_exit(126);
	}
}

/* Runs it; reads the one line that it prints. */
static int run(const char *folder, const char *const *argv, char *line, size_t size) {
	int out[2];
	if (pipe2(out, O_CLOEXEC) < 0) {
		return -errno;
	}
	OWN(fd_close) int read_end = out[0];
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		become_owner(folder);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		fprintf(stderr, "perigee: %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(out[1]);
	if (pid < 0) {
		return -errno;
	}
	ssize_t len = read(read_end, line, size - 1);
	line[len > 0 ? len : 0] = '\0';
	int status;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0
			       ? 0
			       : -EIO;
}

/* "ENTRY\tHELD_US\n" */
static int report(const json_t *row, const char *folder, char *line) {
	int64_t held_us;
	char *tab = strchr(line, '\t');
	if (!tab || number_parse(tab + 1, strcspn(tab + 1, "\n"), 0, INT32_MAX, &held_us) < 0) {
		return 1;
	}
	*tab = '\0';
	printf("%s %lld, process %lld: held for %lld us%s: %s/%s\n", row_text(row, "kind"),
			(long long)json_integer_value(json_object_get(row, "worker")),
			(long long)json_integer_value(json_object_get(row, "pid")),
			(long long)held_us, held_us > HELD_US_MAX ? ", which is too long" : "",
			folder, line);
	return held_us > HELD_US_MAX;
}

static int take_one(const json_t *status, const json_t *row) {
	char program[PATH_MAX], pid[24], worker[24], kept[12], line[300];
	const char *session = row_text(row, "session");
	size_t index = 0;
	if (find_autopsy(program, sizeof(program)) < 0) {
		fputs("perigee: perigee-autopsy is not installed.\n", stderr);
		return 1;
	}
	text_format(pid, sizeof(pid), "%lld",
			(long long)json_integer_value(json_object_get(row, "pid")));
	text_format(worker, sizeof(worker), "%lld",
			(long long)json_integer_value(json_object_get(row, "worker")));
	text_format(kept, sizeof(kept), "%d", KEPT);
	const char *const argv[] = { program, "--live", "--folder", folder_of(status), "--keep",
		kept, "--pid", pid, "--kind", row_text(row, "kind"), "--worker", worker, "--name",
		row_text(row, "name"), "--session",
		strspn(session, "0") == strlen(session) ? "" : session, "--log",
		row_text(next_row(status, "host", &index), "log"), "--what", "looked at",
		"--detail", "asked for by hand", "--done", "nothing: it is healthy", NULL };
	int rc = run(folder_of(status), argv, line, sizeof(line));
	if (rc < 0) {
		fprintf(stderr,
				"perigee: %s %s could not be looked at. Are you the user who "
				"started the host?\n",
				row_text(row, "kind"), worker);
		return 1;
	}
	return report(row, folder_of(status), line);
}

static bool is_meant(const json_t *row, const char *whom) {
	int64_t worker;
	if (!whom || strcmp(row_text(row, "kind"), whom) == 0) {
		return true;
	}
	return number_parse(whom, strlen(whom), 1, INT32_MAX, &worker) == 0 &&
	       json_integer_value(json_object_get(row, "worker")) == worker;
}

int evidence_take(const json_t *status, const char *whom) {
	size_t index = 0, taken = 0;
	int rc = 0;
	fflush(stdout);
	for (const json_t *row; (row = next_row(status, "process", &index));) {
		if (is_meant(row, whom)) {
			rc |= take_one(status, row);
			taken++;
			fflush(stdout);
		}
	}
	if (taken == 0) {
		fprintf(stderr, "perigee: no process is a `%s`; `perigee status` shows them.\n",
				whom ? whom : "worker");
		return 1;
	}
	return rc;
}
