/* SPDX-License-Identifier: MIT */
#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/own.h"
#include "base/secret.h"

/* Every message that crosses a process boundary is in this file and in the
 * catalogue of message.c, and nowhere else. Numbers are never reused; fields
 * are only ever appended. A receiver accepts a message that ends early at a field
 * boundary (zeros follow), and ignores what comes behind the last field and numbers it
 * does not know, so that releases next to each other understand one another. */

enum {
	IPC_VERSION = 1,
	IPC_MESSAGE_MAX = 12288, /* bytes of one encoded message */
	IPC_FDS_MAX = 8,
};

/* The kinds of process. A channel connects two of them. */
enum ipc_peer {
	PEER_SUPERVISOR,
	PEER_HOLDER,
	PEER_GATE, /* the Moonlight door */
	PEER_WEB,  /* the web door: the same program with another role */
	PEER_STORE,
	PEER_DESKTOP,
	PEER_RUNNER,
	PEER_ENCODER,
	PEER_STREAM,
	PEER_FACTS,    /* reads host name, MAC and addresses */
	PEER_DISCOVER, /* answers mDNS */
	PEER_ART,      /* draws default box art */
	PEER_SOUND,    /* PulseAudio: has no channel, only a name here */
	PEER_TRIAL,    /* a client of our own that tries whether a session can start */
	PEER_NOTICE,   /* a picture that says what happened */
	PEER_KINDS,
};

const char *ipc_peer_name(enum ipc_peer peer);

enum ipc_kind {
	/* every worker */
	IPC_HELLO = 1,
	IPC_START = 2,
	IPC_STOP = 3,
	IPC_STOPPED = 4,
	IPC_POKE = 5,
	IPC_FAILURE = 6,

	/* holder */
	IPC_HOLD_PUT = 10,
	IPC_HOLD_DROP = 11,
	IPC_HOLD_FD = 12,
	IPC_HOLD_END = 13,
	IPC_HOLD_EXITED = 14,
	IPC_HOLD_QUIT = 15,
	IPC_HOLD_READY = 16,

	/* gate */
	IPC_GATE_LISTEN = 20,
	IPC_GATE_STORE = 21,
	IPC_GATE_OPTIONS = 22,
	IPC_GATE_CODECS = 23,
	IPC_GATE_APP = 24,
	IPC_GATE_APPS_END = 25,
	IPC_GATE_READY = 26,
	IPC_LAUNCH = 28,
	IPC_LAUNCHED = 29,
	IPC_CANCEL = 30,
	IPC_CANCELLED = 31,
	IPC_SESSION_STATE = 32,
	IPC_ANNOUNCE = 33,
	IPC_ANNOUNCED = 34,
	IPC_FLOW = 35,
	IPC_PLAY = 37,
	IPC_PAIR_WAITING = 38,
	IPC_PAIR_GONE = 39,
	IPC_PAIR_PIN = 40,
	IPC_PAIR_ANSWER = 41,
	IPC_STATUS_ASK = 43,
	IPC_STATUS_LINE = 44,
	IPC_STATUS_END = 45,
	IPC_ART = 46,

	/* store */
	IPC_IDENTITY = 50,
	IPC_CLIENT = 51,
	IPC_CLIENT_GONE = 52,
	IPC_CLIENTS_END = 53,
	IPC_CLIENT_ADD = 54,
	IPC_CLIENT_ADDED = 55,
	IPC_CLIENT_REMOVE = 56,
	IPC_CLIENT_REMOVED = 57,
	IPC_STORE_OPEN = 58,
	IPC_STORE_READY = 59,
	IPC_STORE_PEER = 60,

	/* desktop */
	IPC_DESKTOP_START = 70,
	IPC_DESKTOP_READY = 71,
	IPC_DESKTOP_RESIZE = 72,
	IPC_DESKTOP_ENCODER = 73,
	IPC_DESKTOP_ENCODER_GONE = 74,
	IPC_DESKTOP_VIEWER = 75,
	IPC_DESKTOP_VIEWER_GONE = 76,
	IPC_DESKTOP_WINDOWS = 77,
	IPC_DESKTOP_RESIZED = 78,

	/* desktop <-> encoder, the picture channel */
	IPC_POOL = 80,
	IPC_PICTURE = 81,
	IPC_PICTURE_DONE = 82,
	IPC_PICTURE_ASK = 83,

	/* stream -> desktop, the input channel */
	IPC_INPUT = 90,
	IPC_INPUT_RELEASE = 91,

	/* encoder */
	IPC_ENCODER_PROBE = 100,
	IPC_ENCODER_PROBED = 101,
	IPC_ENCODER_PROBE_END = 102,
	IPC_PICTURE_ENCODER_START = 103,
	IPC_SOUND_ENCODER_START = 104,
	IPC_ENCODER_READY = 105,
	IPC_ENCODER_READER = 106,
	IPC_ENCODER_READER_GONE = 107,
	IPC_ENCODER_RATE = 108,
	IPC_ENCODER_RATED = 390, /* the answer: what the bit stream has now */

	/* stream -> encoder, the request channel */
	IPC_KEYFRAME_ASK = 110,
	IPC_INVALIDATE = 111,

	/* stream */
	IPC_STREAM_START = 120,
	IPC_STREAM_SOURCE = 121,
	IPC_STREAM_SOURCE_ACTIVE = 122,
	IPC_STREAM_END = 124,
	IPC_STREAM_FIRST = 125,
	IPC_STREAM_LOST = 126,
	IPC_STREAM_STATS = 127,

	/* runner */
	IPC_RUNNER_START = 140,
	IPC_RUNNER_APP = 141,
	IPC_RUNNER_EXITED = 142,

	/* host helpers */
	IPC_FACTS = 150,
	IPC_DISCOVER_START = 151,
	IPC_DISCOVERED = 152,
	IPC_ART_DRAW = 153,
	IPC_ART_DRAWN = 154,

	/* tests alone: a worker that obeys */
	IPC_OBEY = 160,
	IPC_OBEYED = 161,

	/* Successors: what a stream or a runner goes on with, or tells for the next one. */
	IPC_STREAM_PICTURES = 170,
	IPC_STREAM_SOUND = 171,
	IPC_STREAM_FLOW = 172,
	IPC_DESKTOP_ENCODER_LOST = 173,
	IPC_RUNNER_HOLDS = 174,
	IPC_RUNNER_ADOPT = 175,
	IPC_RESTART = 176,
	IPC_RESTARTED = 177,
	/* upgrades: another version takes over */
	IPC_HOLD_UPGRADE = 178,
	IPC_HOLD_VERSION = 179,
	IPC_UPGRADE = 180,
	IPC_UPGRADE_ANSWER = 181,
	IPC_LEDGER_VERSION = 182,
	IPC_LEDGER_UPGRADE = 183,
	/* a supervisor that takes over from one that died */
	IPC_HOLD_ASK = 190,
	IPC_HOLD_ALIVE = 191,
	IPC_WHO = 192,
	IPC_I_AM = 193,
	/* what it finds written down (supervisor/ledger.h): never on a channel */
	IPC_LEDGER_HOST = 194,
	IPC_LEDGER_WORKER = 195,
	IPC_LEDGER_SESSION = 196,
	IPC_LEDGER_VIEW = 197,
	IPC_REQUEST_WAITS = 198,

	/* health */
	IPC_BOARD = 200,
	IPC_GUEST = 201,
	IPC_GUEST_KNOWN = 202,
	IPC_TRIAL_WHO = 203,
	IPC_TRIAL_GO = 204,
	IPC_TRIAL_DONE = 205,
	IPC_TCP_WATCH = 206,
	IPC_TCP_STATES = 207,

	/* admission */
	IPC_ENCODER_COST = 210,

	/* an address that a control message has proven: stream -> supervisor -> gate */
	IPC_FLOW_PROVEN = 211,

	/* the sound server takes connections and delivers nothing */
	IPC_SOUND_DEAF = 212,

	/* a picture that says what happened */
	IPC_NOTICE_SHOW = 213,
	IPC_NOTICE_WORDS = 214,
	IPC_DESKTOP_NOTICE = 215,
	IPC_RUNNER_LINES = 216,
	IPC_LEDGER_NOTICE = 217,

	/* lobbies */
	IPC_LOBBY_CREATE = 220,
	IPC_LOBBY_CREATED = 221,
	IPC_LOBBY_JOIN = 222,
	IPC_LOBBY_LEAVE = 223,
	IPC_LOBBY_STOP = 224,
	IPC_LOBBY_DONE = 225,
	IPC_LOBBY_KICK = 226,
	IPC_LOBBY_ROLE = 227,
	IPC_LOBBY_STATE = 228,
	IPC_LOBBY_GONE = 229,
	IPC_LOBBY_MEMBER = 230,
	/* written down for a supervisor that takes over: never on a channel */
	IPC_LEDGER_ENCODING = 231,
	IPC_LEDGER_LOBBY = 232,
	IPC_DESKTOP_VIEWER_MAY = 233,

	/* api: what the web door is told of, and what programs ask for */
	IPC_TOLD_SESSION = 250,
	IPC_TOLD_EVENT = 251,
	IPC_API_DO = 252,
	IPC_API_DONE = 253,
	IPC_API_INPUT_ASK = 254,
	IPC_API_INPUT = 255,
	IPC_KEYS_ASK = 256,
	IPC_KEYS = 257,
	IPC_TOKEN_ADD = 258,
	IPC_TOKEN = 259,
	IPC_TOKEN_REMOVE = 260,
	IPC_TOKEN_GONE = 261,

	/* how an app is run; one that waits until somebody knows of it */
	IPC_RUNNER_PLAN = 280,
	IPC_RUNNER_ENGINE_ASK = 281,
	IPC_RUNNER_ENGINE = 282,
	IPC_RUNNER_ENGINE_NONE = 283,
	IPC_RUNNER_PULL = 284,
	IPC_RUNNER_SWEEP = 285,
	IPC_RUNNER_LISTED = 286,
	IPC_RUNNER_GATE = 299,

	/* state: what clients may, how they like it, profiles, apps made by programs */
	IPC_CLIENT_SETTINGS = 300,
	IPC_CLIENT_SET = 301,
	IPC_PROFILE = 302,
	IPC_PROFILE_GONE = 303,
	IPC_PROFILE_PUT = 304,
	IPC_PROFILE_REMOVE = 305,
	IPC_PROFILE_PIN = 306,
	IPC_APP = 307,
	IPC_APP_GONE = 308,
	IPC_APP_PUT = 309,
	IPC_APP_REMOVE = 310,
	IPC_STATE_DONE = 311,
	IPC_STATE_END = 312,
	IPC_CONFIG_RELOAD = 313,
	IPC_CONFIG_RELOADED = 314,
	IPC_STREAM_CLIENT = 315,

	/* the viewer pressed what brings it back to its own desktop */
	IPC_STREAM_COMBO = 320,
	/* the launcher's socket of a desktop, and what comes in by it */
	IPC_GATE_DESK = 321,
	IPC_GATE_DESK_GONE = 322,
	IPC_DESK_ASK = 323,

	/* gamepads: stream <-> desktop on the input channel; devices from the supervisor */
	IPC_PAD_PLUG = 330,
	IPC_PAD_UNPLUG = 331,
	IPC_PAD_STATE = 332,
	IPC_PAD_SENSE = 333,
	IPC_PAD_FEEDBACK = 334,
	IPC_PAD_DEVICE_ASK = 335,
	IPC_PAD_DEVICE = 336,
	IPC_PAD_DEVICE_NONE = 337,

	/* api: a picture of a desktop */
	IPC_SHOT_ASK = 340,
	IPC_SHOT_START = 341,
	IPC_SHOT_TAKEN = 342,
	IPC_SHOT = 343,
	/* nobody waits for a lobby any more */
	IPC_LOBBY_CANCEL = 344,

	/* looking */
	IPC_HOLD_DIED = 380,

	/* what runs in a lobby that has an app of its own */
	IPC_LOBBY_RUNNER = 395,
	IPC_LOBBY_PAUSE = 396,
	IPC_LOBBY_RESUME = 397,
	/* where a client's next viewer is to go: kept for the web door that comes next */
	IPC_LOBBY_WISH = 398,

	/* clipboards */
	IPC_CLIP_GET = 400,
	IPC_CLIP_SET = 401,
	IPC_CLIP = 402,
	IPC_CLIP_DONE = 403,

	/* gamepads: the nodes of a desktop's devices; whom a container's are told to */
	IPC_PAD_MADE = 405,
	IPC_PAD_GONE = 406,
	IPC_RUNNER_PID = 407,
	IPC_TOLD_PAD = 408,

	/* sessions that a program made: what the Moonlight door is told of them */
	IPC_SESSION_COMING = 410,
	IPC_SESSION_EXPECTED = 411,
	/* images of the container engine, for programs */
	IPC_IMAGE_ASK = 412,
	IPC_IMAGE_PIECE = 413,
	IPC_IMAGE_DONE = 414,
	IPC_MEMORY_ASK = 415,
	IPC_RUNNER_ADD = 416,

	/* which profile's PIN was given at a launcher: nobody else's home is opened from there */
	IPC_DESK_PROFILE = 430,
	/* fd: a sealed block with size bytes of status rows, each ended by a line's end: what
	 * else would be as many STATUS_LINE. STATUS_END follows. */
	IPC_STATUS_ROWS = 445,
	IPC_SESSION_START = 446,
	IPC_KINDS,
};

/* Which listening socket a GATE_LISTEN carries. */
enum ipc_door {
	DOOR_HTTP,
	DOOR_HTTPS,
	DOOR_RTSP,
	DOOR_VIDEO,
	DOOR_CONTROL,
	DOOR_AUDIO,
	DOOR_WEB, /* HTTPS pages and API */
	DOOR_API, /* Unix stream socket */
	DOORS,
};

/* The three datagram flows of a viewer. */
enum ipc_flow {
	FLOW_VIDEO,
	FLOW_AUDIO,
	FLOW_CONTROL,
	FLOWS,
};

enum ipc_codec {
	CODEC_H264,
	CODEC_HEVC,
	CODEC_AV1,
	CODECS,
};

enum ipc_chroma {
	CHROMA_420,
	CHROMA_444,
};

/* As in ANNOUNCE's encoderCscMode. */
enum ipc_matrix {
	MATRIX_BT601,
	MATRIX_BT709,
	MATRIX_BT2020,
};

/* ServerCodecModeSupport bits (CC Limelight.h SCM_*). */
enum {
	CODEC_BIT_H264 = 0x00000001,
	CODEC_BIT_HEVC = 0x00000100,
	CODEC_BIT_HEVC10 = 0x00000200,
	CODEC_BIT_AV1 = 0x00010000,
	CODEC_BIT_H264_444 = 0x00040000,
};

/* launch.flags */
enum {
	LAUNCH_RESUME = 1,      /* /resume rather than /launch */
	LAUNCH_SEALED_RTSP = 2, /* the client offers rtspenc:// */
	LAUNCH_OPTIMIZE = 4,    /* sops=1 */
	LAUNCH_HOST_SOUND = 8,  /* localAudioPlayMode=1 */
	LAUNCH_HDR = 16,
	LAUNCH_BY_API = 32,   /* a program's, by the web door: of its own, or of that number */
	LAUNCH_NO_KEY = 64,   /* BY_API alone: nobody comes before there is one */
	LAUNCH_AT_ONCE = 128, /* BY_API alone: answered before its desktop is ready */
};

/* params.encryption, the bits of encryptionEnabled (CC Limelight.h SS_ENC_*). */
enum {
	ENCRYPT_CONTROL = 1,
	ENCRYPT_VIDEO = 2,
	ENCRYPT_AUDIO = 4,
};

/* session_state.state */
enum {
	SESSION_GONE = 0,    /* nothing runs for this client */
	SESSION_RUNNING = 1, /* resumable, no viewer */
	SESSION_WATCHED = 2,
};

/* How an app is run. */
enum runner_type {
	RUNNER_AUTO, /* a sandbox where one can be made, else a process */
	RUNNER_PROCESS,
	RUNNER_SANDBOX, /* bubblewrap */
	RUNNER_CONTAINER,
	RUNNER_TYPES,
};

/* runner_exited.status of an app that the runner did not start */
#define RUNNER_STATUS_UNKNOWN (-1)

/* lobby_create.flags and lobby_state.flags */
enum {
	LOBBY_MULTI_USER = 1,                /* more than one may be in it */
	LOBBY_STOP_WHEN_EVERYONE_LEAVES = 2, /* after the grace period */
	LOBBY_HAS_PIN = 4,                   /* lobby_state alone: the PIN is never told */
	LOBBY_AT_ONCE = 8,                   /* lobby_create alone: answered before it is ready */
	LOBBY_PAUSED = 32,                   /* lobby_state alone: nobody gets in */
	LOBBY_PRIVATE = 16,                  /* for the client alone that made it */
};

/* What a member of a lobby may do. */
enum ipc_role {
	ROLE_PLAYER, /* sees, hears and steers */
	ROLE_VIEWER, /* sees and hears */
	ROLE_ALONE,  /* steers, and nobody else in the lobby does any more; ROLE alone */
	ROLES,
};

/* lobby_state.state */
enum ipc_lobby_state {
	LOBBY_STARTING,
	LOBBY_READY, /* its desktop runs: it can be joined */
	LOBBY_ENDING,
	LOBBY_STATES,
};

/* gate_app.flags */
enum {
	APP_INSTALLED = 1,
	APP_HDR = 2,
	APP_LAUNCHER = 4, /* Home, which shows the others */
};

/* told_event.event: what happened, beyond what rows of sessions and lobbies say */
enum ipc_event {
	TOLD_APP_STARTED,
	TOLD_APP_EXITED, /* number: its status; detail: its last lines */
	TOLD_STREAMING,  /* a viewer has its first picture */
	TOLD_VIDEO_PING, /* address */
	TOLD_AUDIO_PING, /* address */
	TOLD_COMBO,      /* the keys that ask for the launcher */
	TOLD_SWITCHED,   /* other: the desktop that it sees now */
	TOLD_INCIDENT,   /* number, reason; detail: of which process */
	TOLD_HEALTH,     /* number: 1 ready; detail: what stalls */
	TOLD_KEY_FRAME,  /* the viewer asked for one, or for several within a second */
	TOLD_PULL_BEGAN, /* detail: the image; session 0: no app of one */
	TOLD_PULL_ENDED, /* the same; number: 1 when it is there now */
	TOLD_EVENTS,
};

/* image.what */
enum ipc_image_verb {
	IMAGE_INSPECT,
	IMAGE_PULL,
	IMAGE_VERBS,
};

/* gate_desk.desk of GATE_DESK_GONE */
#define GATE_DESK_ALL UINT64_MAX

/* Bytes of a clipboard's text. */
#define IPC_CLIPBOARD_MAX (1u << 20)

/* desk_ask.what */
enum ipc_desk_verb {
	DESK_CREATE, /* a lobby with an app of the list, of the viewer's size */
	DESK_JOIN,
	DESK_LEAVE,
	DESK_STOP,
	DESK_VERBS,
};

/* api_do.what */
enum ipc_api_verb {
	API_PAUSE, /* the viewer is sent away, its desktop stays */
	API_STOP,
	API_FORGET, /* who launched a session is gone: of that number, or else request. Not
		     * answered */
	API_VERBS,
};

/* client_settings.permissions: what a client may. */
enum {
	PERMIT_LIST = 1, /* see apps */
	PERMIT_LAUNCH = 2,
	PERMIT_KEYBOARD = 4,
	PERMIT_MOUSE = 8,
	PERMIT_TOUCH = 16, /* and pen */
	PERMIT_GAMEPAD = 32,
	PERMIT_CLIPBOARD = 64,
	PERMIT_LOBBY_CREATE = 128,
	PERMIT_LOBBY_JOIN = 256,
	PERMIT_ALL = 511,
};

/* client_settings.fields: which of the others a CLIENT_SET changes. */
enum {
	SETTING_NAME = 1,
	SETTING_PERMISSIONS = 2,
	SETTING_APPS = 4,
	SETTING_LOBBIES = 8,
	SETTING_RUN_UID = 16,
	SETTING_RUN_GID = 32,
	SETTING_CONTROLLERS = 64,
	SETTING_MOUSE = 128,
	SETTING_SCROLL = 256,
	SETTING_SCROLL_SIDE = 512,
	SETTING_MOTION = 1024,
	SETTING_FOLDER = 2048,
	SETTING_ALL = 4095,
};

/* What a gamepad is shown to apps as. */
enum ipc_pad {
	PAD_AUTO,
	PAD_XBOX,
	PAD_PS,
	PAD_NINTENDO,
	PADS,
};

enum {
	IPC_APPS_NAMED_MAX = 64, /* apps that a client or a profile names */
	IPC_PADS_MAX = 16,
};

/* Where a gamepad of ours comes from. */
enum ipc_pad_device {
	PAD_UINPUT,
	PAD_UHID,
	PAD_DEVICES,
};

/* pad_sense.what */
enum ipc_pad_sense {
	PAD_TOUCH,         /* type, pointer; x, y: 0 to 65535 of the touchpad */
	PAD_ACCELEROMETER, /* x, y, z: mm/s^2 */
	PAD_GYROSCOPE,     /* x, y, z: thousandths of a degree per second */
	PAD_BATTERY,       /* type: its state; x: percent, 255 for not known */
	PAD_SENSES,
};

/* pad_feedback.what */
enum ipc_pad_feedback {
	PAD_RUMBLE,         /* a, b: large and small motor, 0 to 65535 */
	PAD_TRIGGER_RUMBLE, /* a, b: left and right, 0 to 65535 */
	PAD_MOTION_REPORTS, /* a: reports per second, type_left: 1 accelerometer, 2 gyroscope */
	PAD_LED,            /* red, green, blue */
	PAD_TRIGGERS,       /* flags, types and effects, as the control stream has them */
	PAD_FEEDBACKS,
};

/* What ANNOUNCE settled for one viewer. Zero means "not asked". */
struct ipc_stream_params {
	uint16_t width, height;  /* pixels, even */
	uint32_t rate_x100;      /* pictures per 100 s, 6000 for 60 Hz */
	uint32_t bitrate_kbps;   /* ceiling for everything that leaves, FEC included */
	uint16_t packet_size;    /* bytes, as announced (already without encryption header) */
	uint8_t slices;          /* per picture, 1 to 32 */
	uint8_t references;      /* 0 for any, 1 for only one */
	uint8_t codec;           /* enum ipc_codec */
	uint8_t chroma;          /* enum ipc_chroma */
	uint8_t matrix;          /* enum ipc_matrix */
	uint8_t full_range;      /* 0 or 1 */
	uint8_t hdr;             /* 10 bit asked */
	uint8_t intra_refresh;   /* 0 or 1 */
	uint8_t encryption;      /* ENCRYPT_ bits in force */
	uint8_t channels;        /* of sound: 2, 6, 8 */
	uint8_t sound_high;      /* high-quality surround */
	uint8_t sound_ms;        /* 5 or 10 */
	uint8_t fec_minimum;     /* parity packets per block, at least */
	uint8_t client_features; /* x-ml-general.featureFlags */
	uint8_t video_qos, audio_qos;
	uint32_t channel_mask;
};

/* How a desktop's pictures lie in a pool. */
struct ipc_picture_format {
	uint16_t width, height; /* pixels, even */
	uint8_t chroma;         /* enum ipc_chroma */
	uint8_t matrix;         /* enum ipc_matrix */
	uint8_t full_range;     /* 0 or 1 */
};

/* One picture encoding: who wants all of this the same shares one encoder. */
struct ipc_encoding {
	uint8_t codec;
	uint16_t width, height; /* of the encoded picture */
	uint32_t rate_x100;
	uint32_t bitrate_kbps; /* ceiling of the bit stream alone */
	uint8_t chroma, matrix, full_range, depth;
	uint8_t slices;
	uint8_t references; /* 0: several, with invalidation; 1: one */
	uint8_t intra_refresh;
	char order[96]; /* encoder names, comma separated, first wins: "nvenc,vaapi,x264" */
};

/* Times of one picture, CLOCK_MONOTONIC ns; 0 for not known. */
struct ipc_picture_times {
	uint64_t commit; /* the client's commit that made it */
	uint64_t render_begin;
	uint64_t rendered;
	uint64_t convert_begin;
	uint64_t handed_over; /* just before PICTURE is sent */
};

/* input.kind; coordinates and codes as the compositor wants them. */
enum ipc_input_kind {
	INPUT_KEY_DOWN = 1, /* code: evdev key, value: modifier bits as sent */
	INPUT_KEY_UP = 2,
	INPUT_MOTION = 3,      /* x, y: relative, pixels */
	INPUT_POSITION = 4,    /* x, y of a reference of w by h */
	INPUT_BUTTON_DOWN = 5, /* code: evdev button */
	INPUT_BUTTON_UP = 6,
	INPUT_SCROLL = 7,      /* value: 120 per notch, positive up */
	INPUT_SCROLL_SIDE = 8, /* value: 120 per notch, positive right */
	INPUT_TEXT = 9,        /* code: one Unicode code point */
	INPUT_KINDS,
};

/* What Notice says. NOTICE_SHOW carries a descriptor with it: the connection to the desktop,
 * whose other end that gets with DESKTOP_NOTICE. NOTICE_WORDS: others from now on. */
struct ipc_notice {
	char title[96]; /* of the app */
	char what[160]; /* happened: one sentence */
	char why[240], next[200];
	char lines[400]; /* the app's last ones, each with its newline */
	char code[32];   /* the reason's name */
};

/* How an app that was made by a program is run, beside its command. Strings of blobs end with a
 * NUL each. */
struct ipc_app_how {
	char runner[16]; /* process, sandbox, container; "": as perigee.yaml without a type */
	char image[256]; /* of a container */
	uint16_t env_len, mounts_len, devices_len, ports_len, base_len;
	char env[1024], mounts[1024], devices[512], ports[512];
	char base[2048]; /* base_create_json, no NUL */
};

struct ipc_message {
	enum ipc_kind kind;
	union {
		struct {
			uint16_t version;
			uint8_t peer; /* enum ipc_peer */
			uint32_t pid;
			uint16_t pulse_layout, pool_layout, ring_layout, page_layout;
			char build[24];
		} hello;
		/* fd: the worker's pulse page */
		struct {
			uint32_t worker;  /* the supervisor's name for this process, never reused */
			uint64_t session; /* 0 for machine-wide workers */
			uint8_t log_level;
			char name[32];
		} start;
		struct {
			uint32_t reason;
			uint32_t grace_ms; /* then comes SIGKILL */
		} stop;
		struct {
			uint32_t reason;
			char detail[200];
		} stopped, failure;
		struct {
			uint64_t number; /* to be stored in the pulse by the working loop */
		} poke;

		struct {
			char name[48];
		} hold; /* HOLD_PUT and HOLD_FD carry one fd */
		struct {
			uint32_t pid;
			int32_t status; /* as of waitpid */
		} hold_exited;
		struct {
			int32_t code;
		} hold_quit;

		struct {
			uint8_t door;
			uint16_t port;
		} gate_listen; /* fd: the bound socket */
		struct {
			char host_name[64];
			uint8_t mac[6];
			uint8_t encryption; /* 0 off, 1 offered, 2 required */
			uint16_t http_port, https_port, rtsp_port, web_port;
			uint16_t video_port, control_port, audio_port;
			uint32_t pair_window_s;
			char web_url[128];     /* what a person opens to pair */
			char host_address[64]; /* to add in Moonlight, "" when unknown */
			char preset_pin[8]; /* secret: pairs who connects from loopback; "": nobody
					     */
		} gate_options;
		struct {
			uint32_t mask; /* CODEC_BIT_ */
			uint8_t reference_invalidation;
		} gate_codecs;
		struct {
			int32_t app;
			uint8_t flags;
			char title[96];
			char why_not[160]; /* when not installed: what to install */
		} gate_app;

		struct {
			uint32_t request;   /* (slot, generation) of the gate's connection */
			uint8_t client[32]; /* SHA-256 of the certificate's DER */
			char client_name[64];
			struct address address;
			int32_t app;
			uint16_t width, height;
			uint32_t rate_x100;
			struct secret key;
			int32_t key_id;
			uint8_t key_hash[32];
			uint32_t surround; /* mask << 16 | channels */
			uint32_t pads;
			uint8_t flags;
			char trace[20];   /* request id for every log line of this launch */
			uint64_t session; /* BY_API with RESUME: which */
			uint8_t guest;    /* BY_API: no client's */
		} launch;
		/* A viewer may come for a session without having asked the Moonlight door;
		 * answered by EXPECTED, which repeats the session, once it may. */
		struct {
			uint64_t session;
			uint8_t client[32];
			struct address address; /* who asked; of plain RTSP: who may come */
			struct secret key;
			struct secret video_ping, audio_ping;
			uint32_t connect_data;
			uint16_t enet_peer;
			uint8_t sealed; /* 0 or 1 */
			char trace[20];
			uint8_t proven; /* nothing is negotiated: the address may send pings at once
					 */
		} session_coming;
		/* What RTSP would have agreed, said by a program; answered by API_DONE when pings
		 * are waited for. */
		struct {
			uint32_t request;
			uint64_t session;
			struct address address; /* who may send pings */
			struct secret video_ping, audio_ping;
			struct ipc_stream_params params;
		} session_start;
		struct {
			uint32_t request;
			uint32_t reason;  /* REASON_NONE when it is granted */
			char detail[160]; /* replaces the reason's words when not empty */
			uint64_t session;
			struct secret video_ping, audio_ping; /* 16 hex digits each */
			uint32_t connect_data;
			uint16_t enet_peer; /* our ENet peer id for this session */
		} launched;
		struct {
			uint32_t request;
			uint8_t client[32];
		} cancel;
		struct {
			uint32_t request;
			uint32_t reason;
			char detail[160];
		} cancelled, announced, pair_answer, restarted, lobby_done, api_done, clip_done;
		struct {
			uint8_t client[32];
			uint64_t session;
			int32_t app;
			uint8_t state;
		} session_state;
		struct {
			uint32_t request;
			uint64_t session;
			struct ipc_stream_params params;
		} announce;
		/* fd: a socket bound to the port and connected to peer */
		struct {
			uint64_t session;
			uint8_t flow;
			struct address peer;
			uint32_t counter; /* of the ping; 0 for control */
			uint16_t datagram_len;
			uint8_t datagram[1500]; /* the first one, already read */
		} flow;
		struct {
			uint64_t session;
		} play;
		struct {
			uint32_t pairing;
			struct address address;
			uint8_t client[32];
			char name[64];
		} pair_waiting;
		struct {
			uint32_t pairing; /* 0: all, with the gate that had them */
			uint32_t outcome; /* 0 paired, else an errno */
			char detail[120];
		} pair_gone;
		struct {
			uint32_t request;
			uint32_t pairing; /* 0: the only one that waits */
			char pin[8];
			char name[64]; /* for the client, may be empty */
		} pair_pin;
		struct {
			uint32_t request;
			char filter[32];
		} status_ask;
		struct {
			uint32_t request;
			char kind[16];
			char id[24]; /* a session's or worker's; "" when there is only one */
		} restart;
		struct {
			uint32_t request;
			char line[900]; /* one JSON object */
		} status_line;
		struct {
			uint32_t request;
			uint32_t size; /* bytes */
		} status_rows;
		struct {
			int32_t app;
		} art; /* fd: a sealed memfd with a PNG */

		struct {
			uint16_t certificate_len, key_len;
			uint8_t certificate[4096]; /* PEM */
			uint8_t key[4096];         /* PEM, secret */
			char host_id[40];          /* upper-case UUID */
			char web_key[36];          /* what the pairing link carries, secret */
		} identity;
		struct {
			uint32_t request; /* of CLIENT_ADD; 0 in CLIENT */
			uint8_t client[32];
			uint16_t der_len;
			uint8_t der[4096];
			char name[64];
			uint64_t created_s; /* Unix time */
			uint32_t permissions;
		} client;
		struct {
			uint32_t request;
			uint8_t client[32];
			uint32_t outcome; /* 0 or an errno */
		} client_ref;
		/* For the web door's memory, whenever it changes. */
		struct {
			uint64_t session;
			uint8_t client[32];
			char client_name[64];
			struct address address;
			int32_t app;
			uint8_t state; /* SESSION_ */
			uint16_t width, height;
			uint32_t rate_mhz;
			uint8_t channels;  /* of sound */
			uint64_t desktop;  /* that it sees now */
			uint64_t begun_ms; /* CLOCK_MONOTONIC: its launch */
			uint32_t reason;   /* when GONE */
			char detail[160];
		} told_session;
		struct {
			uint8_t event;    /* enum ipc_event */
			uint64_t session; /* 0: of none */
			uint64_t other;
			struct address address;
			int32_t number;
			uint32_t reason;
			char detail[400];
		} told_event;
		/* One more program on a session's own desktop; answered by API_DONE once it runs.
		 */
		struct {
			uint32_t request;
			uint64_t session;
			uint8_t ends_session; /* when it is over */
			char title[96];
			uint16_t argv_len;
			char argv[2048]; /* NUL-terminated strings, one after the other */
			struct ipc_app_how how;
		} runner_add;
		/* What the processes take is measured; answered as STATUS_ASK is. */
		struct {
			uint32_t request;
		} memory_ask;
		/* Answered by IMAGE_PIECEs and one IMAGE_DONE. */
		struct {
			uint32_t request; /* 0: nobody waits */
			uint8_t what;     /* enum ipc_image_verb */
			char name[256];
		} image;
		struct {
			uint32_t request;
			uint16_t len;
			uint8_t bytes[8192]; /* as the engine says it */
		} image_piece;
		struct {
			uint32_t request;
			int32_t status; /* HTTP's, of the engine; or a negative errno */
			char detail[200];
		} image_done;
		/* Answered by API_DONE. */
		struct {
			uint32_t request;
			uint8_t what; /* enum ipc_api_verb */
			uint64_t session;
		} api_do;
		/* ASK is answered by INPUT with an end of a channel to the session's desktop, on
		 * which the door speaks as a stream, or by API_DONE with the reason why not. */
		struct {
			uint32_t request;
			uint64_t session;
		} api_input;
		/* What is held down on a desktop; answered by KEYS, or API_DONE. */
		struct {
			uint32_t request;
			uint64_t session;
			uint8_t release; /* it goes up */
		} keys_ask;              /* session: a desktop's number, here and in the answer */
		struct {
			uint32_t request;
			uint64_t session;
			uint8_t count;
			uint32_t codes[64]; /* evdev, keys and buttons */
		} keys;

		/* A program's: ADD is answered by STATE_DONE, TOKEN tells all doors. */
		struct {
			uint32_t request;
			uint8_t hash[32]; /* SHA-256 of what the program shows */
			char name[64];
			uint32_t scopes; /* bits by enum api_scope of the gate */
			uint64_t created_s;
		} token;
		struct {
			uint32_t request;
			uint8_t hash[32];
		} token_ref; /* REMOVE, GONE */

		/* All of it in SETTINGS; in SET what `fields` names. */
		struct {
			uint32_t request; /* of SET */
			uint8_t client[32];
			uint32_t fields; /* SETTING_ */
			char name[64];
			uint32_t permissions; /* PERMIT_ */
			uint32_t run_uid, run_gid;
			uint32_t mouse_milli, scroll_milli, scroll_side_milli; /* 1000: as it is */
			uint8_t motion; /* enum ipc_pad: instead of others, when it has sensors */
			uint8_t controllers_count, controllers[IPC_PADS_MAX]; /* enum ipc_pad */
			char folder[96];    /* of its homes; clients may share one */
			uint8_t apps_count; /* 0: every app */
			int32_t apps[IPC_APPS_NAMED_MAX];
			uint16_t lobbies_len; /* 0: every lobby */
			char lobbies[1024];   /* names, each with its NUL */
		} client_settings;
		/* A person at a launcher. PROFILE says only whether there is a PIN. */
		struct {
			uint32_t request; /* of PUT */
			char id[48];
			char name[64];
			char icon[256];
			uint8_t has_pin;
			char pin[16]; /* of PUT, secret: digits; "" keeps, has_pin 0 removes it */
		} profile;
		struct {
			uint32_t request;
			char id[48];
			char pin[16]; /* PROFILE_PIN, secret: is it this one? */
		} profile_ref;        /* REMOVE, GONE, PIN */
		/* An app made through the API. Strings of blobs end with a NUL each. */
		struct {
			uint32_t request; /* of PUT */
			int32_t app;      /* 0 in PUT: the store chooses */
			char id[48];      /* as programs name it; "" in PUT: the number */
			char profile[48]; /* "": listed by Moonlight */
			char title[96];
			char icon[256];
			uint8_t hdr, restart;
			struct ipc_app_how how;
			uint16_t argv_len, kept_len;
			char argv[1024];
			char kept[3072]; /* JSON of what else was given, for who asks again */
		} app;
		struct {
			uint32_t request;
			int32_t app; /* 0 in REMOVE: by id */
			char id[48];
		} app_ref; /* REMOVE, GONE */
		struct {
			uint32_t request;
			uint32_t reason;  /* REASON_NONE: it is on disk */
			char detail[160]; /* replaces the reason's words when not empty */
			int32_t app;      /* of APP_PUT: its number */
		} state_done;
		struct {
			uint32_t request;
		} config_reload;
		struct {
			uint32_t request;
			uint32_t reason;
			char detail[1024];               /* what is wrong, where and what to do */
			char applied[512], restart[512]; /* keys that changed, comma separated */
		} config_reloaded;

		struct {
			char folder[256];
			uint8_t in_memory; /* tests */
		} store_open;
		struct {
			uint32_t outcome; /* 0 or an errno */
			char detail[160];
			char web_key[36];
			char host_id[40];
		} store_ready;
		struct {
			uint8_t peer; /* who is at the other end */
		} store_peer;         /* fd: a channel */

		struct {
			uint16_t width, height;
			uint32_t rate_mhz; /* thousandths of a picture per second */
			char wayland_name[64];
			char layout[32], variant[32], model[32], options[64];
			uint8_t xwayland;   /* offer it */
			uint8_t fullscreen; /* single-app session: windows fill the output */
			uint8_t pad_keys;   /* its app knows keys alone: pads are keys */
		} desktop_start;            /* fd: the listening Wayland socket */
		struct {
			char x_display[16];
			char renderer[64];
		} desktop_ready;
		struct {
			uint16_t width, height;
			uint32_t rate_mhz;
		} desktop_size; /* RESIZE and RESIZED */
		struct {
			uint32_t encoder;
			struct ipc_picture_format format;
		} desktop_encoder; /* fd: the picture channel */
		struct {
			uint32_t encoder;
			uint32_t reason;
		} desktop_encoder_lost; /* it kept a picture, or lied; forgotten already */
		struct {
			uint32_t viewer;
			uint8_t may_input;
			uint16_t width, height; /* of what it sees; 0: as the desktop */
		} desktop_viewer;               /* VIEWER carries an fd: the input channel */
		struct {
			uint32_t count; /* of the apps */
			uint8_t notice; /* Notice's is there, 0 or 1 */
		} desktop_windows;
		/* PLUG and UNPLUG; a desktop says PLUG of what a stream's predecessor plugged in.
		 */
		struct {
			uint8_t number;
			uint8_t shown;         /* enum ipc_pad, not AUTO */
			uint16_t capabilities; /* as the client's arrival says */
		} pad;
		struct {
			uint64_t sequence, received_ns; /* as of input */
			uint8_t number;
			uint32_t buttons; /* as on the wire (proto/input.h) */
			uint8_t left_trigger, right_trigger;
			int16_t left_x, left_y, right_x, right_y; /* up is positive */
		} pad_state;
		struct {
			uint64_t sequence, received_ns;
			uint8_t number;
			uint8_t what; /* enum ipc_pad_sense */
			uint8_t type; /* as on the wire */
			uint32_t pointer;
			int32_t x, y, z;
		} pad_sense;
		struct {
			uint8_t number;
			uint8_t what; /* enum ipc_pad_feedback */
			uint16_t a, b;
			uint8_t red, green, blue;
			uint8_t flags, type_left, type_right;
			uint8_t left[10], right[10];
		} pad_feedback;
		struct {
			uint32_t request;
			uint8_t device; /* enum ipc_pad_device */
			int32_t error;  /* NONE: an errno */
		} pad_device;           /* DEVICE carries an fd: the device node, opened */
		struct {
			char name[40]; /* the kernel's: input12; of HID its address, 02:... */
		} pad_node;            /* MADE and GONE */
		struct {
			uint32_t pid; /* the first process in the container */
		} runner_pid;
		struct {
			uint64_t session;
			uint8_t gone;       /* 1: it went */
			char name[24];      /* of its record: c13:69 */
			char record[512];   /* udev's, "" when it went */
			uint16_t words_len; /* NAME=VALUE, each ended by a NUL: udev's of the event
					     */
			char words[1024];
		} told_pad;
		struct ipc_notice notice; /* NOTICE_SHOW and NOTICE_WORDS */

		/* fd: the pool's memfd */
		struct {
			struct ipc_picture_format format;
			uint8_t slots;
			uint32_t epoch; /* rises with every new pool of this channel */
		} pool;
		struct {
			uint32_t epoch;
			uint8_t slot;
			uint8_t again; /* nothing changed since the last: a refinement or an answer
					*/
			uint64_t number; /* rises by one for each rendered picture */
			uint16_t damage_top, damage_bottom; /* rows that changed, [top, bottom) */
			struct ipc_picture_times times;
		} picture;
		struct {
			uint32_t epoch;
			uint8_t slot;
			uint64_t number;
		} picture_done;

		struct {
			uint64_t sequence; /* of the client's message, from 1; each is applied once
					    */
			uint64_t received_ns; /* when the datagram was read */
			uint8_t kind;
			uint32_t code;
			int32_t x, y, w, h;
			int32_t value;
		} input;

		struct {
			char order[96];
		} encoder_probe;
		struct {
			char name[32];
			uint32_t mask; /* CODEC_BIT_, 0 when it does not work */
			uint8_t reference_invalidation;
			uint32_t first_us; /* what the first picture took */
			char detail[160];
		} encoder_probed;
		struct {
			char name[32];
			uint32_t pictures; /* measured; 0: it could not be */
			uint32_t encode_ns_per_kpx;
			uint32_t convert_ns_per_kpx;
			uint32_t device_ns_per_kpx; /* 0: no device is used */
			uint32_t sessions;          /* of the device at once, 0: no bound */
		} encoder_cost; /* one for each that works, after ENCODER_PROBE_END */
		struct {
			uint32_t encoder;
			struct ipc_encoding encoding;
		} picture_encoder; /* fd: the picture channel */
		struct {
			uint32_t encoder;
			uint8_t channels, streams, coupled, frame_ms;
			uint8_t mapping[8];
			uint32_t bitrate_bps;
			char server[160]; /* PulseAudio server string */
		} sound_encoder;
		struct {
			uint32_t encoder;
			char name[32];
			uint8_t reference_invalidation;
			uint32_t codec_mask;
		} encoder_ready; /* fd: the packet ring, read-only for whoever maps it */
		struct {
			uint32_t reader;
		} encoder_reader; /* READER carries two fds: eventfd, request channel */
		struct {
			uint32_t bitrate_kbps;
		} encoder_rate;
		struct {
			uint32_t why;
		} keyframe_ask;
		struct {
			uint64_t first, last; /* packet sequences in the ring, inclusive */
		} invalidate;

		/* fd: the takeover page */
		struct {
			struct secret key;
			int32_t key_id;
			struct ipc_stream_params params;
			uint32_t connect_data;
			uint16_t enet_peer;
			uint32_t incarnation; /* rises with every successor */
			char trace[20];
		} stream_start;
		/* fds: picture ring, picture eventfd, picture requests,
		 * sound ring, sound eventfd, sound requests, input channel */
		struct {
			uint32_t source;
			uint8_t reference_invalidation;
		} stream_source;
		/* The same source goes on with the ring of another encoder.
		 * fds: its ring, eventfd, requests */
		struct {
			uint32_t source;
			uint8_t reference_invalidation; /* PICTURES only */
		} stream_part;
		struct {
			uint32_t source;
			uint32_t reason;
		} stream_active;
		/* What became of an offered FLOW: a successor gets those that were taken. */
		struct {
			uint8_t flow;
			struct address peer;
			uint8_t taken;
		} stream_flow;
		struct {
			uint32_t reason;
			uint32_t code; /* of 0x0109 */
		} stream_end;
		struct {
			uint64_t first_packet_ns;
		} stream_first;
		struct {
			uint32_t reason;
		} stream_lost;
		/* What the viewer's client may and how it likes it; at any time. */
		struct {
			uint32_t permissions;                                  /* PERMIT_ */
			uint32_t mouse_milli, scroll_milli, scroll_side_milli; /* 1000: as it is */
			uint8_t motion; /* enum ipc_pad: for pads that feel motion */
			uint8_t controllers_count, controllers[IPC_PADS_MAX]; /* enum ipc_pad */
		} stream_client;
		struct {
			uint64_t session; /* the supervisor's word, not the stream's */
			struct address address;
		} flow_proven;
		struct {
			uint64_t pictures, key_frames, video_packets, audio_packets, bytes;
			uint64_t invalidations, idr_requests, lapped, input_events;
			uint32_t age_p50_us, age_p99_us;   /* commit to last packet */
			uint32_t hand_p50_us, hand_p99_us; /* our hand-overs, summed */
			uint32_t loss_ppm;
			uint64_t recoveries; /* asked of the encoder for the client's losses */
		} stream_stats;

		struct {
			int32_t app;
			uint32_t uid, gid; /* 0: as we are */
			char title[96];
			char home[256];
			char runtime[128]; /* the session's own XDG_RUNTIME_DIR */
			uint16_t argv_len, env_len;
			char argv[2048]; /* NUL-terminated strings, one after the other */
			char env[4096];
		} runner_start;
		/* Before RUNNER_START; without one the app is a process in its home. */
		struct {
			uint8_t type;     /* enum runner_type */
			uint8_t network;  /* 0: none, not even loopback of the host */
			char folder[256]; /* to start in; empty: its home */
			char display[64]; /* path of the X server's socket; empty: none */
			uint16_t list_len;
			/* NUL-terminated, one after the other: "mount=HOST:INSIDE[:ro]"; of a
			 * container "device=HOST[:INSIDE[:rwm]]", "port=HOST:INSIDE[/udp]",
			 * "gpu=nvidia" as well */
			char list[3072];
			uint64_t session; /* the label of its container */
			uint8_t goes_on;  /* a container: a runner before this one may have made it
					   */
			char host[40];    /* whose container it is: the host's id */
			char image[256];
			uint16_t json_len;
			char json[4096]; /* base_create_json */
			uint32_t extra;  /* a container beside the app's: which; 0: the app's */
		} runner_plan;
		struct {
			int32_t error; /* ENGINE_NONE: a negative errno */
			char detail[160];
		} runner_engine; /* ENGINE carries a connection to the container engine */
		struct {
			uint8_t percent;
			char detail[120];
		} runner_pull;
		/* First: look which containers of the host there are, and say LISTED.
		 * Then, with the sessions that there are by now: remove the others, and end. */
		struct {
			char host[40];
			uint16_t sessions_len; /* of 8 bytes each */
			uint8_t sessions[8 * 1024];
		} runner_sweep;
		struct {
			uint32_t pid;
			char detail[120]; /* what confines it */
		} runner_app;
		/* fds: the app's pidfd and the reading end of its output. HOLDS: for a
		 * successor to keep; ADOPT: to a successor, with RUNNER_START's words. */
		struct {
			uint32_t pid;
			char label[24]; /* PERIGEE_SESSION of everything the app started */
		} runner_holds;
		/* RUNNER_GATE, before HOLDS; fd: a byte in it lets the app begin. Closed by
		 * all who hold it, the app never does. */
		struct {
			int32_t status; /* as of waitpid */
			char last_lines[400];
		} runner_exited;
		struct {
			char last_lines[400];
		} runner_lines; /* of an app that runs */

		struct {
			char host_name[64];
			uint8_t mac[6];
			char addresses[400]; /* "192.0.2.1 2001:db8::1 ...", best first */
		} facts;
		struct {
			char name[64];
			uint16_t port;
		} discover; /* DISCOVER_START and DISCOVERED (the name in use) */
		struct {
			int32_t app;
			char title[96];
		} art_draw; /* ART_DRAWN carries an fd */

		/* GUEST: a client that counts as paired until it is gone; never stored.
		 * GUEST_KNOWN: it does now, and der is the host's. TRIAL_WHO: the trial's. */
		struct {
			uint8_t client[32];
			uint16_t der_len;
			uint8_t der[4096];
			uint8_t gone;
		} guest;
		struct {
			struct address address; /* the host's, with its HTTP port */
			int32_t app;
			uint16_t width, height, rate;
			uint32_t limit_ms; /* for all of it */
			uint16_t der_len;
			uint8_t der[4096]; /* the host's certificate */
		} trial_go;
		struct {
			uint16_t ports[4]; /* local ones to count connections of, 0 for none */
		} tcp_watch;
		struct {
			uint32_t counts[12]; /* by the kernel's number of the state */
		} tcp_states;
		struct {
			uint8_t leg; /* enum leg: which failed, LEG_NONE when a picture was seen */
			uint32_t picture_ms; /* from the launch */
			char detail[160];
		} trial_done;

		struct {
			uint32_t request, worker;
			char order[32];
			char argument[512];
		} obey;
		struct {
			uint32_t request, worker;
			uint32_t outcome; /* 0: it could; else the errno */
			char detail[400];
		} obeyed;
		struct {
			uint32_t number;
		} hold_ask; /* HOLD_ASK and HOLD_ALIVE, which repeats it */
		/* Follows what the worker has said again (ipc_kind_lasts()). */
		struct {
			uint32_t worker;
			uint64_t session;
			uint32_t heard; /* orders it got: all but START, STOP, POKE and WHO */
			uint8_t ending; /* 0 or 1 */
			uint32_t reason;
		} i_am;
		/* The sender leaves at once: start that version's perigeed, and the one from
		 * before again if it is not ready in time. */
		struct {
			uint32_t version;
			uint32_t limit_ms; /* until HOLD_READY */
		} hold_upgrade;
		/* Before everything else that is given to a perigeed. */
		struct {
			uint32_t version;  /* which it is */
			uint32_t failed;   /* the version that was tried before; 0: none */
			char detail[160];  /* how that ended */
			char build[32];    /* of the holder */
			uint32_t hold_pid; /* its process */
		} hold_version;
		/* How the perigeed before ended; said again when the evidence is written. */
		struct {
			uint32_t pid;
			int32_t status;   /* as of waitpid; of a fenced one: what it will be */
			uint8_t fenced;   /* it hung, or waited to be looked at: a corpse */
			uint8_t crashed;  /* by a signal of its own doing */
			uint8_t evidence; /* enum incident_evidence, as far as the holder sees to it
					   */
			uint32_t reason;
			char detail[160];
			char entry[96]; /* of the evidence folder; "" if the holder wrote none */
		} hold_died;
		/* Answered by UPGRADE_ANSWER: whether it has begun, or could. */
		struct {
			uint32_t request;
			uint8_t only_check;
			uint32_t limit_ms; /* until the new one is ready; 0: the default */
			char from[256];    /* the folder of the new installation, "": the same */
		} upgrade;
		struct {
			uint32_t request;
			uint32_t reason; /* REASON_NONE: it has begun, or could */
			char detail[400];
			char old_version[32], new_version[32];
			char folders[1400]; /* of the new one, colon separated */
			uint32_t replaced;  /* processes that would be at once */
			uint32_t sessions;  /* that go on with their version */
			uint32_t number;    /* of the new version on this host, 0: not begun */
		} upgrade_answer;
		struct {
			uint32_t number;
			char version[32];
			char folders[1400]; /* colon separated */
		} ledger_version;
		struct {
			uint8_t phase;     /* enum upgrade_phase */
			uint32_t from, to; /* numbers of versions */
			char old_version[32], new_version[32];
			uint32_t reason;
			char detail[400];
			uint64_t begun_ms, ended_ms;
		} ledger_upgrade;
		struct {
			uint32_t request;
			uint32_t answer; /* the kind that is awaited: LAUNCHED, ... */
		} request_waits;         /* said to a supervisor that took over */
		struct {
			uint64_t begun_ms;
			uint32_t last_worker, last_view;
			uint64_t starts, lost, hung;
			uint8_t probe_done, banner_shown;
			uint32_t codecs;
			uint8_t invalidation;
			char host_id[40];
			char web_key[36];     /* secret */
			uint32_t successions; /* supervisors that took over */
			uint64_t proven_ms;
			uint64_t fenced, written_off, starved;
			uint32_t incidents;
		} ledger_host;
		struct {
			uint32_t worker;
			uint8_t peer; /* enum ipc_peer */
			uint32_t pid;
			uint64_t session;
			uint32_t view; /* 0: none */
			char name[32];
			uint64_t begun_ns;
			uint32_t orders; /* that were sent to it */
			uint8_t hello, stopping;
			uint8_t killed; /* its end has begun */
			uint8_t corpse; /* its owner has heard of it */
			uint8_t has_channel;
			uint32_t version; /* of its program, 0: none of ours */
		} ledger_worker;
		struct {
			uint64_t session;
			uint8_t client[32];
			char client_name[64];
			struct address address;
			int32_t app;
			char trace[20];
			uint8_t state; /* enum life_state */
			uint64_t deadline_ms;
			uint8_t launch_pending, plain_pending, announce_pending;
			uint32_t announce_request;
			uint32_t app_pid;
			char runtime[128], sound_server[160], x_display[16];
			uint16_t width, height;
			uint32_t rate_mhz;
			uint8_t desktop_ready;
			uint64_t launched_ms;
			uint32_t reason;
			char detail[160];
			uint8_t internal;
			uint8_t added;           /* enum session_added (supervisor/session.h) */
			char profile[48];        /* whose PIN was given at its launcher */
			uint8_t announce_by_api; /* a program waits for that, not a client */
		} ledger_session;
		struct {
			uint8_t state;                       /* enum notice_state */
			uint64_t deadline_ms;                /* of that */
			uint8_t introduced, up, window_seen; /* 0 or 1 */
			uint32_t windows;
			uint64_t app_begun_ms;
			uint8_t event; /* enum desk_event */
			uint32_t reason;
			char detail[160], why[160], lines[400];
		} ledger_notice;
		struct {
			uint32_t view;
			uint64_t session;
			struct ipc_stream_params params;
			uint8_t opened, started, invalidation;
			char encoder_name[32];
			uint32_t source, encoder, incarnation;
			uint32_t kinds_failed;
			uint8_t desktop_gone;
			/* What the stream reads from, and what it is about to move to. */
			uint64_t desk, next_desk; /* 0: the session's own; none */
			uint32_t pictures, sound, next_pictures, next_sound, next_source;
			uint8_t told;
			uint8_t may_input, next_may_input;
			uint8_t apart; /* by its line (supervisor/line.h) */
			uint32_t parted;
		} ledger_view;
		struct {
			uint32_t encoding;
			uint64_t desk;
			uint8_t kind; /* 0: pictures, 1: sound */
			uint8_t opened;
			struct ipc_encoding pictures;
			uint8_t channels, streams, coupled, frame_ms;
			uint32_t bitrate_bps;
			uint32_t encoder;
			uint8_t invalidation;
			char name[32];
			uint32_t kinds_failed;
			uint8_t desktop_gone;
			uint8_t own; /* of one viewer: not shared */
		} ledger_encoding;
		struct {
			uint64_t desk;
			char lobby[40];
			uint8_t state; /* enum lobby_life_state */
			uint64_t created_ms, deadline_ms;
			uint32_t grace_ms;
			uint32_t app_pid;
			char runtime[128], sound_server[160], x_display[16];
			uint8_t desktop_ready;
			uint32_t reason;
			char detail[160];
			uint8_t create_pending;
		} ledger_lobby;

		/* Answered by LOBBY_CREATED once its desktop is ready, or with the reason
		 * why not; nothing of it stays then. */
		struct {
			uint32_t request;
			char name[96];
			char icon[256];
			char owner[48]; /* a profile's id, "" for none */
			char pin[20];   /* "" for none */
			uint8_t flags;  /* LOBBY_ */
			uint16_t width, height;
			uint32_t rate_x100;
			uint8_t channels; /* of sound: 2, 6, 8 */
			int32_t app;      /* of the catalogue; 0: argv says what runs */
			uint16_t argv_len;
			char argv[2048];        /* NUL-terminated strings, one after the other */
			char state_folder[256]; /* the apps' home, "" for one of its own */
			uint32_t deadline_ms; /* for the answer; 0: as long as a launch may take */
			struct ipc_app_how how; /* without an app of the catalogue */
			uint8_t client[32];     /* that made it at Home; zeros: a program did */
			uint32_t run_uid,
					run_gid; /* PUID and PGID of its container, 0: the usual */
		} lobby_create;
		/* For the web door's rows, behind LOBBY_STATE. The supervisor keeps it as well, for
		 * one that takes over. */
		struct {
			char lobby[40];
			uint16_t argv_len;
			char argv[2048]; /* NUL-terminated strings, one after the other */
			struct ipc_app_how how;
		} lobby_runner;
		/* GATE_DESK carries the listening socket. GATE_DESK_GONE of
		 * GATE_DESK_ALL: those that are there follow. */
		struct {
			uint64_t desk;
			uint8_t launcher; /* it may ask what Home asks as well */
		} gate_desk;
		/* Of the session whose own desktop it is. CREATE is answered by LOBBY_CREATED,
		 * the others by LOBBY_DONE. */
		struct {
			uint32_t request;
			uint64_t desk; /* the door's word, not the app's */
			uint8_t what;  /* enum ipc_desk_verb */
			uint8_t several;
			int32_t app;
			char lobby[40];
			char owner[48]; /* a profile's id, "" for none */
			char pin[20];
			uint8_t open; /* CREATE: owner has no PIN */
		} desk_ask;
		/* Nobody's any more where profile is "". It takes the place of the one before. */
		struct {
			uint64_t desk; /* the session whose own desktop the launcher is on */
			char profile[48];
		} desk_profile;
		struct {
			uint32_t request;
			char lobby[40]; /* its id, "" when refused */
			uint32_t reason;
			char detail[160];
		} lobby_created;
		/* Whoever asked for it is gone: of the lobby that is made for that request, or,
		 * when it is made already, of that id. Not answered. */
		struct {
			uint32_t request; /* 0: none */
			char lobby[40];   /* "": none */
		} lobby_cancel;
		/* JOIN, LEAVE, STOP, KICK, ROLE, PAUSE and RESUME are each answered by one
		 * LOBBY_DONE. JOIN and LEAVE: when the first picture of where the viewer is now was
		 * sent. */
		struct {
			uint32_t request;
			char lobby[40];
			uint64_t session; /* who joins, leaves, is put out, plays another role */
			char pin[20];     /* JOIN, STOP, PAUSE and RESUME, "" for none */
			uint8_t role;     /* JOIN and ROLE: enum ipc_role */
			uint32_t deadline_ms; /* for the answer; 0: the default */
		} lobby_ask;
		/* For the doors' memory, whenever it changes. */
		struct {
			char lobby[40];
			char name[96];
			char icon[256];
			char owner[48];
			uint8_t flags; /* LOBBY_ */
			uint8_t state; /* enum ipc_lobby_state */
			uint16_t width, height;
			uint32_t rate_x100;
			uint8_t channels;
			int32_t app;
			uint32_t members;
			uint64_t created_ms; /* CLOCK_MONOTONIC */
			char state_folder[256];
			uint64_t desktop;   /* its desk */
			uint8_t client[32]; /* that made it at Home; zeros: a program did */
		} lobby_state;
		/* The door's words to whoever holds its place after it, which gets them again. */
		struct {
			uint8_t place, used; /* not used: it is forgotten */
			uint8_t client[32];
			uint64_t only; /* 0: whichever session of the client comes next */
			uint64_t until_ms;
			char lobby[40];
			char pin[20];     /* secret */
			uint8_t role;     /* enum ipc_role */
			uint64_t made_ms; /* who streams already is not meant */
		} lobby_wish;
		/* SHOT_ASK: answered by one SHOT, or by API_DONE with the reason why not. */
		struct {
			uint32_t request;
			uint64_t desk;
			uint32_t deadline_ms; /* 0: the default */
			uint8_t jpeg;         /* else PNG */
		} shot_ask;
		/* CLIP_GET is answered by CLIP, CLIP_SET (and either that fails) by CLIP_DONE,
		 * which becomes API_DONE. SET and CLIP carry a sealed memfd with size bytes of
		 * UTF-8. */
		struct {
			uint32_t request;
			uint64_t desk;
			uint64_t session; /* who is asked for, so that it must be permitted; or 0 */
			uint32_t size;
		} clip;
		/* To an encoder, which then does only that; fd: the picture channel. */
		struct {
			uint32_t encoder;
			uint32_t size_max; /* bytes of the file */
			uint8_t jpeg;      /* else PNG */
		} shot_start;
		/* SHOT_TAKEN and SHOT; fd: a sealed memfd with a file of size bytes. */
		struct {
			uint32_t request; /* SHOT alone */
			uint32_t size;
			uint16_t width, height;
			uint8_t jpeg; /* else PNG */
		} shot;
		struct {
			char lobby[40];
			uint32_t reason;
			char detail[160];
		} lobby_gone;
		struct {
			char lobby[40];
			uint64_t session;
			uint8_t role;    /* enum ipc_role */
			uint8_t present; /* 0: it left */
			uint32_t reason; /* why it left */
		} lobby_member;
	};
};

const char *ipc_kind_name(enum ipc_kind kind);

/* How many descriptors the kind carries. */
size_t ipc_kind_fds(enum ipc_kind kind);

/* A kind of which only the newest matters: a queued older one is replaced. */
bool ipc_kind_newest_only(enum ipc_kind kind);

/* A kind that says how far a worker is: the newest of each is said again to a
 * supervisor that takes over. */
bool ipc_kind_lasts(enum ipc_kind kind);

/* n_fds is the number of descriptors that arrived with the bytes. -EPROTO for
 * a message that `from` may not send to `to`, or with the wrong number of
 * descriptors; -EBADMSG for bytes that do not fit the fields; -ENOTSUP for one of a
 * newer release that is not in the catalogue: it is no lie, and is to be ignored. Bytes
 * behind the last field are such a release's, too. */
int ipc_decode(enum ipc_peer from, enum ipc_peer to, const void *data, size_t len, size_t n_fds,
		struct ipc_message *out) NODISCARD;

/* The same for bytes that this program, or the release before, wrote down for
 * itself: whoever may send it, and without its descriptors. */
int ipc_decode_own(const void *data, size_t len, struct ipc_message *out) NODISCARD;

/* Returns the encoded length, or -ENOSPC. Text without its NUL and lengths
 * beyond their arrays are our own mistakes and assert. */
int ipc_encode(const struct ipc_message *message, void *out, size_t size) NODISCARD;

#endif
