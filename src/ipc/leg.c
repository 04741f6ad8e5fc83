/* SPDX-License-Identifier: MIT */
#include "ipc/leg.h"

const char *leg_name(uint32_t leg) {
	static const char *const names[LEGS] = {
		[LEG_NONE] = "none",
		[LEG_TRIAL] = "trial",
		[LEG_GATE] = "gate",
		[LEG_SERVERINFO] = "serverinfo",
		[LEG_TLS] = "tls",
		[LEG_LAUNCH] = "launch",
		[LEG_DESKTOP] = "desktop",
		[LEG_SOUND] = "sound",
		[LEG_APP] = "app",
		[LEG_RTSP] = "rtsp",
		[LEG_ENCODER] = "encoder",
		[LEG_STREAM] = "stream",
		[LEG_CONTROL] = "control",
		[LEG_PICTURE] = "picture",
	};
	return leg < LEGS ? names[leg] : "unknown";
}
