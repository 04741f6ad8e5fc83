/* SPDX-License-Identifier: MIT */
#include "cli/probe_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/text.h"

static int path_of(const struct probe_identity *identity, const char *name, char *out) {
	return text_format(out, PROBE_PATH_MAX, "%s/%s", identity->folder, name) ? 0
										 : -ENAMETOOLONG;
}

static int load(const struct probe_identity *identity, const char *name, void *buf, size_t size,
		size_t *out_len) {
	char path[PROBE_PATH_MAX];
	int rc = path_of(identity, name, path);
	if (rc < 0) {
		return rc;
	}
	OWN(file_close) FILE *file = fopen(path, "rbe");
	if (!file) {
		return -errno;
	}
	size_t len = fread(buf, 1, size, file);
	if (ferror(file)) {
		return -EIO;
	}
	*out_len = len;
	return len == size ? -EBADMSG : 0;
}

/* Whole or not at all: it is written beside and moved. */
static int save(const struct probe_identity *identity, const char *name, const void *data,
		size_t len) {
	char path[PROBE_PATH_MAX], beside[PROBE_PATH_MAX];
	int rc = path_of(identity, name, path);
	if (rc < 0 || !text_format(beside, sizeof(beside), "%s.new", path)) {
		return -ENAMETOOLONG;
	}
	OWN(fd_close) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	if (write(fd, data, len) != (ssize_t)len) {
		return errno ? -errno : -EIO;
	}
	return rename(beside, path) < 0 ? -errno : 0;
}

static int make_folders(const char *folder) {
	char path[PROBE_PATH_MAX];
	if (!text_copy(path, sizeof(path), folder)) {
		return -ENAMETOOLONG;
	}
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash) {
			*slash = '\0';
		}
		if (mkdir(path, 0700) < 0 && errno != EEXIST) {
			return -errno;
		}
		if (!slash) {
			return 0;
		}
		*slash = '/';
	}
}

static int choose_folder(const char *folder, struct probe_identity *identity) {
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	size_t size = sizeof(identity->folder);
	bool fits = folder  ? text_copy(identity->folder, size, folder)
		    : state ? text_format(identity->folder, size, "%s/perigee/probe", state)
			    : text_format(identity->folder, size, "%s/.local/state/perigee/probe",
					      home ? home : "");
	return fits ? make_folders(identity->folder) : -ENAMETOOLONG;
}

int probe_identity_load(const char *folder, struct probe_identity *out) {
	*out = (struct probe_identity){ 0 };
	int rc = choose_folder(folder, out);
	if (rc < 0) {
		return rc;
	}
	char certificate[PAIRING_PEM_MAX + 1] = { 0 }, key[PAIRING_PEM_MAX + 1] = { 0 };
	size_t len;
	rc = load(out, "client.pem", certificate, PAIRING_PEM_MAX, &len);
	rc = rc < 0 ? rc : load(out, "key.pem", key, PAIRING_PEM_MAX, &len);
	if (rc == -ENOENT) {
		rc = pairing_identity_generate(PAIRING_CLIENT, time(NULL), certificate, key);
		rc = rc < 0 ? rc : save(out, "key.pem", key, strlen(key));
		rc = rc < 0 ? rc : save(out, "client.pem", certificate, strlen(certificate));
	}
	rc = rc < 0 ? rc : pairing_identity_load(certificate, key, &out->own);
	explicit_bzero(key, sizeof(key));
	if (rc < 0) {
		return rc;
	}
	rc = load(out, "host.der", out->host, sizeof(out->host), &out->host_len);
	return rc == -ENOENT ? 0 : rc;
}

void probe_identity_finish(struct probe_identity *identity) {
	pairing_identity_finish(&identity->own);
}

int probe_identity_pin(struct probe_identity *identity, const void *der, size_t len) {
	if (len > sizeof(identity->host)) {
		return -EINVAL;
	}
	memcpy(identity->host, der, len);
	identity->host_len = len;
	return save(identity, "host.der", der, len);
}
