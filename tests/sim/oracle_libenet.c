/* SPDX-License-Identifier: MIT */
#include "oracle_libenet.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <enet/enet.h>

#define FUNCTIONS(use) \
	use(enet_initialize) use(enet_host_create) use(enet_host_destroy) use(enet_host_connect) \
			use(enet_host_service) use(enet_peer_send) use(enet_peer_disconnect_later) \
					use(enet_peer_timeout) use(enet_packet_create) \
							use(enet_packet_destroy)

#define MEMBER(name) __typeof__(name) *name;

struct oracle {
	void *library; /* owned */
	FUNCTIONS(MEMBER)
	ENetHost *host; /* owned */
	ENetPeer *peer; /* borrowed from host */
};

static bool open_library(struct oracle *oracle) {
	oracle->library = dlopen("libenet.so.7", RTLD_NOW | RTLD_LOCAL);
	if (!oracle->library) {
		return false;
	}
	void *found;
#define LOAD(name) \
	found = dlsym(oracle->library, #name); \
	memcpy(&oracle->name, &found, sizeof(found)); \
	if (!found) { \
		return false; \
	}
	FUNCTIONS(LOAD)
#undef LOAD
	return oracle->enet_initialize() == 0;
}

struct oracle *oracle_create(unsigned mtu) {
	struct oracle *oracle = calloc(1, sizeof(*oracle));
	ENetAddress address = { .host = htonl(INADDR_LOOPBACK), .port = 0 };
	if (!oracle || !open_library(oracle) ||
			!(oracle->host = oracle->enet_host_create(&address, 4, 0, 0, 0))) {
		oracle_destroy(oracle);
		return NULL;
	}
	/* Its peers were given the default when the host was made. */
	oracle->host->mtu = mtu;
	for (size_t i = 0; i < oracle->host->peerCount; i++) {
		oracle->host->peers[i].mtu = mtu;
	}
	return oracle;
}

void oracle_destroy(struct oracle *oracle) {
	if (!oracle) {
		return;
	}
	if (oracle->host) {
		oracle->enet_host_destroy(oracle->host);
	}
	if (oracle->library) {
		dlclose(oracle->library);
	}
	free(oracle);
}

int oracle_fd(const struct oracle *oracle) {
	return oracle->host->socket;
}

uint16_t oracle_port(const struct oracle *oracle) {
	return oracle->host->address.port;
}

unsigned oracle_mtu(const struct oracle *oracle) {
	return oracle->peer->mtu;
}

size_t oracle_channels(const struct oracle *oracle) {
	return oracle->peer->channelCount;
}

bool oracle_connect(struct oracle *oracle, uint16_t port, size_t channels, uint32_t data) {
	ENetAddress address = { .host = htonl(INADDR_LOOPBACK), .port = port };
	oracle->peer = oracle->enet_host_connect(oracle->host, &address, channels, data);
	return oracle->peer;
}

void oracle_service(struct oracle *oracle, struct oracle_event *out) {
	ENetEvent event;
	out->kind = ORACLE_NOTHING;
	if (oracle->enet_host_service(oracle->host, &event, 0) <= 0) {
		return;
	}
	out->data = event.data;
	out->channel = event.channelID;
	switch (event.type) {
	case ENET_EVENT_TYPE_CONNECT:
		oracle->peer = event.peer;
		/* As the clients do once they are connected. */
		oracle->enet_peer_timeout(event.peer, 2, 10000, 10000);
		out->kind = ORACLE_CONNECTED;
		break;
	case ENET_EVENT_TYPE_DISCONNECT:
		out->kind = ORACLE_DISCONNECTED;
		break;
	case ENET_EVENT_TYPE_RECEIVE:
		out->kind = ORACLE_PACKET;
		out->len = event.packet->dataLength < sizeof(out->bytes) ? event.packet->dataLength
									 : sizeof(out->bytes);
		memcpy(out->bytes, event.packet->data, out->len);
		oracle->enet_packet_destroy(event.packet);
		break;
	default:
		break;
	}
}

bool oracle_send(struct oracle *oracle, uint8_t channel, enum oracle_delivery delivery,
		const void *bytes, size_t len) {
	static const enet_uint32 flags[] = {
		[ORACLE_RELIABLE] = ENET_PACKET_FLAG_RELIABLE,
		[ORACLE_UNRELIABLE] = ENET_PACKET_FLAG_UNRELIABLE_FRAGMENT,
		[ORACLE_UNSEQUENCED] = ENET_PACKET_FLAG_UNSEQUENCED,
	};
	ENetPacket *packet = oracle->enet_packet_create(bytes, len, flags[delivery]);
	if (!packet) {
		return false;
	}
	if (oracle->enet_peer_send(oracle->peer, channel, packet) < 0) {
		oracle->enet_packet_destroy(packet);
		return false;
	}
	return true;
}

void oracle_disconnect(struct oracle *oracle, uint32_t data) {
	oracle->enet_peer_disconnect_later(oracle->peer, data);
}
