/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/message.h"
#include "supervisor/config.h"
#include "supervisor/config_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_taken(const struct config *config) {
	assert(config->apps_count <= CONFIG_APPS_MAX);
	assert(config->ports.http && config->ports.https && config->ports.web &&
			config->ports.rtsp && config->ports.video && config->ports.control &&
			config->ports.audio);
	for (unsigned i = 0; i < config->apps_count; i++) {
		const struct config_app *app = &config->apps[i];
		bool by_image = app->runner.type == RUNNER_CONTAINER && app->runner.image;
		assert(app->title && app->id > 0);
		assert(by_image || (app->command_count > 0 && app->command[0]));
		for (unsigned j = 0; j < i; j++) {
			assert(config->apps[j].id != app->id);
		}
	}
}

/* A file is refused in words, or gives a configuration that the host can run with. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct config config;
	struct config_text error = { "" };
	char path[32];
	int fd = memfd_create("config", MFD_CLOEXEC);
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	config_defaults(&config);
	int rc = config_read_file(path, &config, &error);
	if (rc == 0) {
		rc = config_check(&config, &error);
	}
	if (rc == 0) {
		config_derive_ports(&config);
		check_taken(&config);
	} else {
		assert(error.text[0] && memchr(error.text, '\0', sizeof(error.text)));
	}
	config_finish(&config);
	close(fd);
	return 0;
}
