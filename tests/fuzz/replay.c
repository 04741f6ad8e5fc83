/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	INPUT_MAX = 1 << 20,
};

static int replay_file(const char *path) {
	FILE *file = fopen(path, "rbe");
	if (!file) {
		perror(path);
		return -1;
	}
	/* Exactly as long as the input, so that ASan sees one byte too far. */
	uint8_t *whole = malloc(INPUT_MAX);
	size_t size = fread(whole, 1, INPUT_MAX, file);
	fclose(file);
	whole = realloc(whole, size ? size : 1);
	LLVMFuzzerTestOneInput(whole, size);
	free(whole);
	return 0;
}

static int replay_folder(const char *path, int *count) {
	DIR *folder = opendir(path);
	if (!folder) {
		perror(path);
		return -1;
	}
	int rc = 0;
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		char file[4096];
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		rc |= replay_file(file);
		(*count)++;
	}
	closedir(folder);
	return rc;
}

/* Runs a fuzzer over the files of the folders named on the command line, so
 * that its corpus is an ordinary test for compilers without libFuzzer. */
int main(int argc, char **argv) {
	int count = 0, rc = 0;
	for (int i = 1; i < argc; i++) {
		rc |= replay_folder(argv[i], &count);
	}
	if (count == 0) {
		fprintf(stderr, "no corpus: this test would prove nothing\n");
		return EXIT_FAILURE;
	}
	printf("%d inputs replayed\n", count);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
