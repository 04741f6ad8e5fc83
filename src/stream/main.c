/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/log.h"
#include "stream/stream.h"

int main(void) {
	/* Bursts are microseconds apart; the default slack is 50. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	/* Its file could not be opened any more once the worker has settled. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
	struct stream *stream = stream_create();
	if (!stream || worker_open(&stream->worker, &stream_class, stream) < 0) {
		log_error("no-start", "");
		_exit(EXIT_FAILURE);
	}
	int code = worker_run(&stream->worker);
	if (stream->have_start) {
		stream_report_end(stream);
	}
	stream_destroy(stream);
	_exit(code);
}
