/* SPDX-License-Identifier: MIT */
#ifndef PROTO_SERVERINFO_H
#define PROTO_SERVERINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/own.h"

/* The bodies of Moonlight's HTTP answers, from plain structs. Each function writes
 * the whole document to buf and answers its length, -ENOSPC when it does not fit.
 * Strings are borrowed and UTF-8. Any thread. */

/* Clients choose tables and layouts by these: no higher version may be claimed, and the
 * negative fourth part is what turns the extensions on (moonlight-common-c
 * Limelight-internal.h:85). */
#define SERVERINFO_APP_VERSION "7.1.431.-1"
#define SERVERINFO_GFE_VERSION "3.23.0.74"

/* ServerCodecModeSupport (moonlight-common-c Limelight.h:506-515). */
enum serverinfo_codec {
	SERVERINFO_H264 = 0x00000001,
	SERVERINFO_HEVC = 0x00000100,
	SERVERINFO_HEVC_MAIN10 = 0x00000200,
	SERVERINFO_AV1 = 0x00010000,
	SERVERINFO_AV1_MAIN10 = 0x00020000,
	SERVERINFO_H264_HIGH_444 = 0x00040000,
	SERVERINFO_HEVC_444 = 0x00080000,
	SERVERINFO_HEVC_444_10 = 0x00100000,
	SERVERINFO_AV1_444 = 0x00200000,
	SERVERINFO_AV1_444_10 = 0x00400000,

	SERVERINFO_HEVC_ANY = SERVERINFO_HEVC | SERVERINFO_HEVC_MAIN10 | SERVERINFO_HEVC_444 |
			      SERVERINFO_HEVC_444_10,
	SERVERINFO_AV1_ANY = SERVERINFO_AV1 | SERVERINFO_AV1_MAIN10 | SERVERINFO_AV1_444 |
			     SERVERINFO_AV1_444_10,
};

struct serverinfo {
	const char *hostname;
	const char *uniqueid; /* the key under which clients remember this host */
	uint16_t http_port;   /* as seen from outside */
	uint16_t https_port;
	uint32_t codecs;      /* enum serverinfo_codec; not 0, or clients refuse to start */
	uint8_t mac[6];       /* for wake-on-LAN; told over HTTPS only */
	struct address local; /* at which the request arrived */
	bool secure;          /* the request came over HTTPS with a paired certificate; what
			       * is only for such a client is left out of the others' */
	int32_t current_game; /* 0 for none; 0 unless secure */
};

int serverinfo_write(const struct serverinfo *info, char *buf, size_t size) NODISCARD;

struct serverinfo_app {
	const char *title;
	int32_t id; /* positive, stable: clients cache by it */
	bool hdr;
};

int serverinfo_applist_write(
		const struct serverinfo_app *apps, size_t n_apps, char *buf, size_t size) NODISCARD;

/* "rtspenc://address:port", which both answers below carry. */
enum {
	SERVERINFO_URL_MAX = ADDRESS_TEXT_MAX + 24,
};

void serverinfo_session_url(
		const struct address *local, uint16_t rtsp_port, bool encrypted, char *out);

int serverinfo_launch_write(const char *url, char *buf, size_t size) NODISCARD;
int serverinfo_resume_write(const char *url, char *buf, size_t size) NODISCARD;
int serverinfo_cancel_write(char *buf, size_t size) NODISCARD;

/* An answer to a pairing phase: paired, and element `name` with data as hex unless
 * name is NULL. */
int serverinfo_pair_write(bool paired, const char *name, const void *data, size_t len, char *buf,
		size_t size) NODISCARD;

/* /unpair: success, and nothing done. */
int serverinfo_unpair_write(char *buf, size_t size) NODISCARD;

/* A refusal: status 401 sends a client back to pairing, any other is shown with its
 * message. path names the request, without its query: that holds the session key. */
int serverinfo_error_write(int status, const char *message, const char *path, char *buf,
		size_t size) NODISCARD;

#endif
