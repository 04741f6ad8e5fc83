/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "proto/serverinfo.h"
#include "proto/xml.h"

static struct serverinfo sample(bool secure) {
	struct serverinfo info = {
		.hostname = "Tom & Jerry's <den>",
		.uniqueid = "C0FFEE00-1111-2222-3333-444455556666",
		.http_port = 47989,
		.https_port = 47984,
		.codecs = SERVERINFO_H264,
		.mac = { 2, 0, 0, 0xab, 0xcd, 0xef },
		.secure = secure,
		.current_game = 7,
	};
	assert_int_equal(address_parse_ip("192.0.2.7", &info.local), 0);
	return info;
}

static void expect(struct span document, const char *name, const char *text) {
	struct span value;
	assert_int_equal(xml_find(document, name, &value), 0);
	char plain[128];
	assert_true(xml_unescape(value, plain, sizeof(plain)) >= 0);
	assert_string_equal(plain, text);
}

static void a_paired_client_learns_everything(void **state) {
	(void)state;
	char buf[2048];
	struct serverinfo info = sample(true);
	int len = serverinfo_write(&info, buf, sizeof(buf));
	assert_true(len > 0);
	struct span document = { buf, (size_t)len };
	expect(document, "hostname", "Tom & Jerry's <den>");
	expect(document, "appversion", "7.1.431.-1");
	expect(document, "uniqueid", info.uniqueid);
	expect(document, "HttpsPort", "47984");
	expect(document, "mac", "02:00:00:ab:cd:ef");
	expect(document, "LocalIP", "192.0.2.7");
	expect(document, "ServerCodecModeSupport", "1");
	expect(document, "MaxLumaPixelsHEVC", "0");
	expect(document, "PairStatus", "1");
	expect(document, "currentgame", "7");
	expect(document, "state", "PERIGEE_SERVER_BUSY");
	assert_int_equal(serverinfo_write(&info, buf, (size_t)len), len);
	assert_int_equal(serverinfo_write(&info, buf, (size_t)len - 1), -ENOSPC);
}

static void a_stranger_learns_no_more_than_it_needs(void **state) {
	(void)state;
	char buf[2048];
	struct serverinfo info = sample(false);
	info.codecs |= SERVERINFO_HEVC_MAIN10;
	assert_int_equal(address_parse_ip("2001:db8::1", &info.local), 0);
	struct span document = { buf, (size_t)serverinfo_write(&info, buf, sizeof(buf)) };
	expect(document, "mac", "00:00:00:00:00:00");
	expect(document, "PairStatus", "0");
	expect(document, "currentgame", "0");
	expect(document, "state", "PERIGEE_SERVER_FREE");
	expect(document, "LocalIP", "127.0.0.1");
	expect(document, "MaxLumaPixelsHEVC", "1869449984");
}

static void a_session_url_brackets_ipv6(void **state) {
	(void)state;
	char url[SERVERINFO_URL_MAX], buf[512];
	struct address local;
	assert_int_equal(address_parse_ip("2001:db8::1", &local), 0);
	serverinfo_session_url(&local, 48010, true, url);
	assert_string_equal(url, "rtspenc://[2001:db8::1]:48010");
	assert_int_equal(address_parse_ip("192.0.2.7", &local), 0);
	serverinfo_session_url(&local, 1, false, url);
	assert_string_equal(url, "rtsp://192.0.2.7:1");

	int len = serverinfo_launch_write(url, buf, sizeof(buf));
	expect((struct span){ buf, (size_t)len }, "sessionUrl0", url);
	expect((struct span){ buf, (size_t)len }, "gamesession", "1");
	len = serverinfo_resume_write(url, buf, sizeof(buf));
	expect((struct span){ buf, (size_t)len }, "resume", "1");
	len = serverinfo_cancel_write(buf, sizeof(buf));
	expect((struct span){ buf, (size_t)len }, "cancel", "1");
	len = serverinfo_pair_write(true, "plaincert", "\x01\xab", 2, buf, sizeof(buf));
	expect((struct span){ buf, (size_t)len }, "plaincert", "01AB");
	expect((struct span){ buf, (size_t)len }, "paired", "1");
}

static void an_error_is_an_attribute_and_cannot_break_out(void **state) {
	(void)state;
	char buf[512];
	int len = serverinfo_error_write(401, "\"><x>\n\xff", "/applist", buf, sizeof(buf));
	assert_true(len > 0);
	struct span document = { buf, (size_t)len }, value;
	assert_int_equal(xml_root_attribute(document, "status_code", &value), 0);
	assert_true(span_is(value, "401"));
	assert_int_equal(xml_root_attribute(document, "status_message", &value), 0);
	assert_true(span_is(value, "&quot;&gt;&lt;x&gt;??"));
	assert_int_equal(xml_root_attribute(document, "query", &value), 0);
	assert_true(span_is(value, "/applist"));
	assert_int_equal(xml_find(document, "x", &value), -ENOENT);
}

static void apps_keep_their_order(void **state) {
	(void)state;
	static const struct serverinfo_app apps[] = { { "Desktop", 1, false },
		{ "Game", 2, true } };
	char buf[512];
	int len = serverinfo_applist_write(apps, 2, buf, sizeof(buf));
	assert_true(len > 0);
	buf[len] = '\0';
	assert_string_equal(buf,
			"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
			"<root status_code=\"200\">"
			"<App><IsHdrSupported>0</IsHdrSupported><AppTitle>Desktop</AppTitle>"
			"<ID>1</ID></App>"
			"<App><IsHdrSupported>1</IsHdrSupported><AppTitle>Game</AppTitle>"
			"<ID>2</ID></App></root>");
	assert_true(serverinfo_applist_write(NULL, 0, buf, sizeof(buf)) > 0);
	assert_true(serverinfo_unpair_write(buf, sizeof(buf)) > 0);
}

static void unescaping_knows_five_entities(void **state) {
	(void)state;
	char out[8];
	assert_int_equal(xml_unescape((struct span){ "&lt;&amp;", 9 }, out, sizeof(out)), 2);
	assert_string_equal(out, "<&");
	assert_int_equal(xml_unescape((struct span){ "&nbsp;", 6 }, out, sizeof(out)), -EBADMSG);
	assert_int_equal(xml_unescape((struct span){ "12345678", 8 }, out, sizeof(out)), -ENOSPC);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_paired_client_learns_everything),
		UNIT(a_stranger_learns_no_more_than_it_needs),
		UNIT(a_session_url_brackets_ipv6),
		UNIT(an_error_is_an_attribute_and_cannot_break_out),
		UNIT(apps_keep_their_order),
		UNIT(unescaping_knows_five_entities),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
