/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "base/text.h"
#include "host/interfaces.h"

/* As the kernel prints it. */
static const char routes[] = "Iface\tDestination\tGateway "
			     "\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
			     "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
			     "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
			     "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
			     "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";

static void the_metric_of_a_default_route_is_found(void **state) {
	(void)state;
	assert_int_equal(interfaces_route_metric(routes, "eth0"), 100);
	assert_int_equal(interfaces_route_metric(routes, "wlan0"), 600);
	assert_int_equal(interfaces_route_metric(routes, "docker0"), UINT32_MAX);
	assert_int_equal(interfaces_route_metric(routes, "eth"), UINT32_MAX);
	assert_int_equal(interfaces_route_metric("", "eth0"), UINT32_MAX);
	assert_int_equal(interfaces_route_metric("eth0\t00000000\n\n\t\t", "eth0"), UINT32_MAX);
}

static void add(struct interfaces *interfaces, const char *name, const char *ip, uint8_t mac,
		uint32_t metric) {
	struct interface_address *made = &interfaces->list[interfaces->count++];
	*made = (struct interface_address){ .metric = metric };
	made->is_virtual = strcmp(name, "docker0") == 0;
	memset(made->mac, mac, sizeof(made->mac));
	text_copy(made->name, sizeof(made->name), name);
	assert_int_equal(address_parse_ip(ip, &made->address), 0);
}

static void the_best_address_comes_first(void **state) {
	(void)state;
	struct interfaces interfaces = { 0 };
	add(&interfaces, "docker0", "172.17.0.1", 1, UINT32_MAX);
	add(&interfaces, "wlan0", "192.168.1.5", 2, 600);
	add(&interfaces, "eth1", "10.0.0.1", 3, UINT32_MAX);
	add(&interfaces, "eth0", "2001:db8::5", 4, 100);
	add(&interfaces, "eth0", "192.0.2.5", 4, 100);
	interfaces_rank(&interfaces);
	char text[400];
	interfaces_text(&interfaces, text, sizeof(text));
	assert_string_equal(text, "192.0.2.5 192.168.1.5 2001:db8::5 10.0.0.1 172.17.0.1");
	assert_int_equal(interfaces.mac[0], 4);
}

static void a_tunnel_has_no_mac_and_lends_none(void **state) {
	(void)state;
	struct interfaces interfaces = { 0 };
	add(&interfaces, "tun0", "10.8.0.1", 0, 0);
	add(&interfaces, "eth0", "192.0.2.5", 7, UINT32_MAX);
	interfaces_rank(&interfaces);
	assert_string_equal(interfaces.list[0].name, "tun0");
	assert_int_equal(interfaces.mac[5], 7);
}

static void text_is_cut_at_a_whole_address(void **state) {
	(void)state;
	struct interfaces interfaces = { 0 };
	add(&interfaces, "a", "192.0.2.1", 0, 0);
	add(&interfaces, "b", "192.0.2.2", 0, 0);
	char text[20];
	interfaces_text(&interfaces, text, 20);
	assert_string_equal(text, "192.0.2.1 192.0.2.2");
	interfaces_text(&interfaces, text, 19);
	assert_string_equal(text, "192.0.2.1");
	interfaces.count = 0;
	interfaces_text(&interfaces, text, 19);
	assert_string_equal(text, "");
}

static void this_machine_can_be_read(void **state) {
	(void)state;
	struct interfaces interfaces;
	assert_int_equal(interfaces_read(&interfaces), 0);
	for (size_t i = 0; i < interfaces.count; i++) {
		assert_false(address_is_loopback(&interfaces.list[i].address));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_metric_of_a_default_route_is_found),
		UNIT(the_best_address_comes_first),
		UNIT(a_tunnel_has_no_mac_and_lends_none),
		UNIT(text_is_cut_at_a_whole_address),
		UNIT(this_machine_can_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
