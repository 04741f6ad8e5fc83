/* SPDX-License-Identifier: MIT */
#include "supervisor/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/log.h"
#include "base/text.h"

int claim_state(const char *folder, int left_fd, int *out_fd, struct config_text *error) {
	OWN(fd_close)
	int fd = left_fd >= 0 ? left_fd : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*out_fd = TAKE(fd, -1);
		return 0;
	}
	if (errno == EWOULDBLOCK) {
		text_format(error->text, sizeof(error->text),
				"another Perigee uses the state folder %s: stop it, or choose "
				"other folders and ports with --state, --data, --runtime and "
				"--port",
				folder);
		return -EADDRINUSE;
	}
	log_warning("state-unclaimed", "folder=%s error=%s", log_quote(folder).text,
			log_quote(strerror(errno)).text);
	*out_fd = -1;
	return 0;
}
