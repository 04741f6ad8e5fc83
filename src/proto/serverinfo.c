/* SPDX-License-Identifier: MIT */
#include "proto/serverinfo.h"

#include "base/text.h"
#include "proto/xml.h"

/* What GFE says for a host with HEVC; clients only ask whether it is 0
 * (moonlight-qt session.cpp:1018). */
#define MAX_LUMA_PIXELS_HEVC INT64_C(1869449984)

static void mac_put(struct xml *xml, const struct serverinfo *info) {
	static const uint8_t untold[6];
	const uint8_t *mac = info->secure ? info->mac : untold;
	char text[18];
	text_format(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
			mac[3], mac[4], mac[5]);
	xml_text(xml, "mac", text);
}

/* Clients take this element for an IPv4 address and nothing else. */
static void local_ip_put(struct xml *xml, const struct address *local) {
	char text[ADDRESS_TEXT_MAX] = "127.0.0.1";
	if (address_is_v4(local)) {
		address_ip_text(local, text);
	}
	xml_text(xml, "LocalIP", text);
}

int serverinfo_write(const struct serverinfo *info, char *buf, size_t size) {
	int32_t game = info->secure ? info->current_game : 0;
	struct xml xml;
	xml_begin(&xml, buf, size, 200, NULL, NULL);
	xml_text(&xml, "hostname", info->hostname);
	xml_text(&xml, "appversion", SERVERINFO_APP_VERSION);
	xml_text(&xml, "GfeVersion", SERVERINFO_GFE_VERSION);
	xml_text(&xml, "uniqueid", info->uniqueid);
	xml_number(&xml, "HttpsPort", info->https_port);
	xml_number(&xml, "ExternalPort", info->http_port);
	bool hevc = info->codecs & SERVERINFO_HEVC_ANY;
	xml_number(&xml, "MaxLumaPixelsHEVC", hevc ? MAX_LUMA_PIXELS_HEVC : 0);
	mac_put(&xml, info);
	local_ip_put(&xml, &info->local);
	xml_number(&xml, "ServerCodecModeSupport", info->codecs);
	xml_number(&xml, "PairStatus", info->secure);
	xml_number(&xml, "currentgame", game);
	xml_text(&xml, "state", game ? "PERIGEE_SERVER_BUSY" : "PERIGEE_SERVER_FREE");
	return xml_end(&xml);
}

int serverinfo_applist_write(
		const struct serverinfo_app *apps, size_t n_apps, char *buf, size_t size) {
	struct xml xml;
	xml_begin(&xml, buf, size, 200, NULL, NULL);
	for (size_t i = 0; i < n_apps; i++) {
		xml_open(&xml, "App");
		xml_number(&xml, "IsHdrSupported", apps[i].hdr);
		xml_text(&xml, "AppTitle", apps[i].title);
		xml_number(&xml, "ID", apps[i].id);
		xml_close(&xml, "App");
	}
	return xml_end(&xml);
}

void serverinfo_session_url(
		const struct address *local, uint16_t rtsp_port, bool encrypted, char *out) {
	char ip[ADDRESS_TEXT_MAX];
	address_ip_text(local, ip);
	bool v4 = address_is_v4(local);
	text_format(out, SERVERINFO_URL_MAX, "%s://%s%s%s:%u", encrypted ? "rtspenc" : "rtsp",
			v4 ? "" : "[", ip, v4 ? "" : "]", rtsp_port);
}

static int session_write(const char *url, const char *mark, char *buf, size_t size) {
	struct xml xml;
	xml_begin(&xml, buf, size, 200, NULL, NULL);
	xml_text(&xml, "sessionUrl0", url);
	xml_number(&xml, mark, 1);
	return xml_end(&xml);
}

int serverinfo_launch_write(const char *url, char *buf, size_t size) {
	return session_write(url, "gamesession", buf, size);
}

int serverinfo_resume_write(const char *url, char *buf, size_t size) {
	return session_write(url, "resume", buf, size);
}

int serverinfo_cancel_write(char *buf, size_t size) {
	struct xml xml;
	xml_begin(&xml, buf, size, 200, NULL, NULL);
	xml_number(&xml, "cancel", 1);
	return xml_end(&xml);
}

int serverinfo_pair_write(bool paired, const char *name, const void *data, size_t len, char *buf,
		size_t size) {
	struct xml xml;
	xml_begin(&xml, buf, size, 200, NULL, NULL);
	xml_number(&xml, "paired", paired);
	if (name) {
		xml_hex(&xml, name, data, len);
	}
	return xml_end(&xml);
}

int serverinfo_unpair_write(char *buf, size_t size) {
	struct xml xml;
	xml_begin(&xml, buf, size, 200, NULL, NULL);
	return xml_end(&xml);
}

int serverinfo_error_write(
		int status, const char *message, const char *path, char *buf, size_t size) {
	struct xml xml;
	xml_begin(&xml, buf, size, status, message, path);
	return xml_end(&xml);
}
