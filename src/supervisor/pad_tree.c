/* SPDX-License-Identifier: MIT */
#include "supervisor/pad_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/number.h"
#include "base/text.h"

enum {
	PATH_BYTES = 512,
	MAKE_TRIES = 8,
	INPUT_MAJOR = 13, /* Documentation/admin-guide/devices.txt */
};

/* Where devices without hardware behind them are, below /sys. */
#define INPUTS "/devices/virtual/input"
#define HIDS "/devices/virtual/misc/uhid"

void pad_tree_place(uint64_t desk, char out[32]) {
	text_format(out, 32, "perigee/%016llx/", (unsigned long long)desk);
}

static void folder_close(DIR *folder) {
	if (folder) {
		closedir(folder);
	}
}

OWN_DEFINE(DIR *, folder_close)

/* The first line; false when there is none. */
static bool read_line(const char *path, char *out, size_t size) {
	OWN(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, out, size - 1) : -1;
	out[len > 0 ? len : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return len > 0;
}

static bool write_file(const char *path, const char *text, size_t len) {
	OWN(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd >= 0 && write(fd, text, len) == (ssize_t)len;
}

static int make_folders(const struct pad_tree *tree) {
	static const char *const folders[] = { "", "/input", "/raw", "/udev", "/udev/data" };
	char path[PATH_BYTES];
	text_copy(path, sizeof(path), tree->folder);
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		mkdir(path, 0755); /* one that fails shows below */
		*at = '/';
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		text_format(path, sizeof(path), "%s%s", tree->folder, folders[i]);
		/* Whatever our umask is: the app's user passes. */
		if ((mkdir(path, 0755) < 0 && errno != EEXIST) || chmod(path, 0755) < 0) {
			return -errno;
		}
	}
	return 0;
}

int pad_tree_make(const struct pad_tree *tree) {
	char path[PATH_BYTES];
	int rc = -ENOENT;
	/* Another host that ends removes what is empty above. */
	for (int i = 0; i < MAKE_TRIES && rc == -ENOENT; i++) {
		rc = make_folders(tree);
	}
	if (rc < 0) {
		return rc;
	}
	/* Monitors take its being there for that of udev. */
	text_format(path, sizeof(path), "%s/udev/control", tree->folder);
	return write_file(path, "", 0) ? 0 : -EIO;
}

/* MAJOR:MINOR of a device's folder below /sys. */
static bool read_number(const char *folder, unsigned *major, unsigned *minor) {
	char path[PATH_BYTES], line[32];
	int64_t high, low;
	if (!text_format(path, sizeof(path), "%s/dev", folder) ||
			!read_line(path, line, sizeof(line))) {
		return false;
	}
	size_t len = strcspn(line, ":");
	const char *rest = line[len] ? line + len + 1 : "";
	if (number_parse(line, len, 0, 4095, &high) < 0 ||
			number_parse(rest, strlen(rest), 0, 1 << 20, &low) < 0) {
		return false;
	}
	*major = (unsigned)high;
	*minor = (unsigned)low;
	return true;
}

/* Which of a pad's devices it is, by what it can do (input-event-codes.h): keys alone
 * are a pad's, a property says that it is a touchpad, and that it feels motion. */
static enum udev_kind kind_of(const char *input) {
	enum {
		POINTER = 0x1,
		BUTTONPAD = 0x4,
		ACCELEROMETER = 0x40,
	};
	char path[PATH_BYTES], line[64];
	text_format(path, sizeof(path), "%s/properties", input);
	unsigned long properties =
			read_line(path, line, sizeof(line)) ? strtoul(line, NULL, 16) : 0;
	return properties & ACCELEROMETER           ? UDEV_MOTION
	       : properties & (POINTER | BUTTONPAD) ? UDEV_TOUCHPAD
						    : UDEV_JOYSTICK;
}

static bool begins(const char *text, const char *start) {
	return strncmp(text, start, strlen(start)) == 0;
}

/* event5, js0: the start, and a number. */
static bool is_numbered(const char *name, const char *start) {
	size_t len = strlen(start);
	return begins(name, start) && name[len] && !name[len + strspn(name + len, "0123456789")];
}

struct adding {
	const struct pad_tree *tree;
	pad_tree_hearer *hearer;
	void *user;
	uint64_t since_us;
	int made; /* or -errno */
};

/* Where a node lies in the folder: input/event5, raw/hidraw5. */
static void find_node(const struct pad_tree *tree, const struct udev_device *device, char *out,
		size_t size) {
	text_format(out, size, "%s/%s%s", tree->folder, device->kind == UDEV_RAW ? "raw/" : "",
			device->node);
}

static int make_node(const struct pad_tree *tree, const struct udev_device *device) {
	char path[PATH_BYTES];
	find_node(tree, device, path, sizeof(path));
	if (mknod(path, S_IFCHR | 0660, makedev(device->major, device->minor)) < 0) {
		return -errno;
	}
	if (chmod(path, 0660) < 0 || chown(path, tree->uid, tree->gid) < 0) {
		int rc = -errno;
		unlink(path);
		return rc;
	}
	return 0;
}

static void add_node(struct adding *adding, const struct udev_device *device) {
	const struct pad_tree *tree = adding->tree;
	char path[PATH_BYTES], record[UDEV_RECORD_MAX], number[24];
	int rc = make_node(tree, device);
	if (rc == -EEXIST) {
		return;
	}
	if (rc == 0) {
		size_t len = udev_record(device, adding->since_us, record, sizeof(record));
		udev_name(device, number);
		text_format(path, sizeof(path), "%s/udev/data/%s", tree->folder, number);
		rc = write_file(path, record, len) ? 0 : -EIO;
	}
	if (rc < 0) {
		adding->made = adding->made < 0 ? adding->made : rc;
		return;
	}
	adding->made += adding->made >= 0;
	adding->hearer(adding->user, device, true);
}

/* path is that of an input device below /sys, which is this desktop's. */
static void add_input(struct adding *adding, const char *path) {
	char full[PATH_BYTES], child[PATH_BYTES];
	if (!text_format(full, sizeof(full), "%s%s", adding->tree->sys, path)) {
		return;
	}
	OWN(folder_close) DIR *folder = opendir(full);
	enum udev_kind kind = kind_of(full);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		struct udev_device device = { .kind = kind };
		if ((is_numbered(entry->d_name, "event") || is_numbered(entry->d_name, "js")) &&
				text_format(child, sizeof(child), "%s/%s", full, entry->d_name) &&
				text_format(device.path, sizeof(device.path), "%s/%s", path,
						entry->d_name) &&
				read_number(child, &device.major, &device.minor) &&
				device.major == INPUT_MAJOR) {
			text_format(device.node, sizeof(device.node), "input/%s", entry->d_name);
			add_node(adding, &device);
		}
	}
}

/* True when the device says, in the file with that name in its folder, that it is at a
 * place of this desktop. */
static bool is_ours(const struct pad_tree *tree, const char *folder) {
	char path[PATH_BYTES], line[128], place[32];
	pad_tree_place(tree->desk, place);
	return text_format(path, sizeof(path), "%s/phys", folder) &&
	       read_line(path, line, sizeof(line)) && begins(line, place);
}

static int add_if_ours(struct adding *adding, const char *path) {
	char full[PATH_BYTES];
	if (!text_format(full, sizeof(full), "%s%s", adding->tree->sys, path) ||
			access(full, F_OK) < 0) {
		return -ENOENT;
	}
	if (!is_ours(adding->tree, full)) {
		return -EPERM;
	}
	add_input(adding, path);
	return adding->made;
}

/* The first line of a file that begins so; false when there is none. */
static bool find_line(const char *path, const char *start, char *out, size_t size) {
	OWN(file_close) FILE *file = fopen(path, "re");
	while (file && fgets(out, (int)size, file)) {
		out[strcspn(out, "\n")] = '\0';
		if (begins(out, start)) {
			return true;
		}
	}
	return false;
}

/* True for the folder of a HID device that says that it is at a place of this desktop. */
static bool is_our_hid(const struct pad_tree *tree, const char *folder) {
	char path[PATH_BYTES], line[128], place[32], wanted[48];
	pad_tree_place(tree->desk, place);
	text_format(wanted, sizeof(wanted), "HID_PHYS=%s", place);
	return text_format(path, sizeof(path), "%s/uevent", folder) &&
	       find_line(path, wanted, line, sizeof(line));
}

/* The reports of a HID device itself, for those who set its light and triggers. */
static void add_raw(struct adding *adding, const char *name) {
	char full[PATH_BYTES], child[PATH_BYTES];
	text_format(full, sizeof(full), "%s" HIDS "/%s", adding->tree->sys, name);
	text_format(child, sizeof(child), "%s/raw", adding->tree->folder);
	if (!is_our_hid(adding->tree, full) || access(child, F_OK) < 0) {
		return; /* a version before this one may have made the folder */
	}
	text_format(full, sizeof(full), "%s" HIDS "/%s/hidraw", adding->tree->sys, name);
	OWN(folder_close) DIR *folder = opendir(full);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		struct udev_device device = { .kind = UDEV_RAW };
		if (is_numbered(entry->d_name, "hidraw") &&
				text_format(child, sizeof(child), "%s/%s", full, entry->d_name) &&
				text_format(device.path, sizeof(device.path), HIDS "/%s/hidraw/%s",
						name, entry->d_name) &&
				read_number(child, &device.major, &device.minor) &&
				text_copy(device.node, sizeof(device.node), entry->d_name)) {
			add_node(adding, &device);
		}
	}
}

/* A HID device has input devices of its own: pad, touchpad, motion. */
static int add_hid(struct adding *adding, const char *name) {
	char path[PATH_BYTES], full[PATH_BYTES];
	text_format(path, sizeof(path), HIDS "/%s/input", name);
	text_format(full, sizeof(full), "%s%s", adding->tree->sys, path);
	OWN(folder_close) DIR *folder = opendir(full);
	int rc = -ENOENT;
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char input[PATH_BYTES];
		if (is_numbered(entry->d_name, "input") &&
				text_format(input, sizeof(input), "%s/%s", path, entry->d_name)) {
			rc = add_if_ours(adding, input);
			if (rc < 0) {
				return rc;
			}
		}
	}
	if (rc >= 0) {
		add_raw(adding, name);
		rc = adding->made;
	}
	return rc;
}

/* X: a hexadecimal digit. */
static bool has_form(const char *name, const char *form, const char *digits) {
	for (size_t i = 0; form[i]; i++) {
		bool fits = form[i] == 'X' ? name[i] && strchr(digits, name[i])
					   : name[i] == form[i];
		if (!fits) {
			return false;
		}
	}
	return name[strlen(form)] == '\0';
}

/* The HID device with an address: the oldest, should another one be made with it. */
static bool find_hid(const struct pad_tree *tree, const char *address, char *out, size_t size) {
	static const char form[] = "XXXX:XXXX:XXXX.XXXX";
	char path[PATH_BYTES], wanted[64], line[128];
	text_format(wanted, sizeof(wanted), "HID_UNIQ=%s", address);
	text_format(path, sizeof(path), "%s" HIDS, tree->sys);
	OWN(folder_close) DIR *folder = opendir(path);
	out[0] = '\0';
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		const char *name = entry->d_name;
		if (has_form(name, form, "0123456789ABCDEF") &&
				(!out[0] || strcmp(name + 15, out + 15) < 0) &&
				text_format(path, sizeof(path), "%s" HIDS "/%s/uevent", tree->sys,
						name) &&
				find_line(path, wanted, line, sizeof(line)) &&
				strcmp(line, wanted) == 0) {
			text_copy(out, size, name);
		}
	}
	return out[0];
}

int pad_tree_add(const struct pad_tree *tree, const char *name, uint64_t since_us,
		pad_tree_hearer *hearer, void *user) {
	struct adding adding = { tree, hearer, user, since_us, 0 };
	char path[PATH_BYTES];
	char hid[PAD_TREE_NAME_MAX];
	if (has_form(name, "XX:XX:XX:XX:XX:XX", "0123456789abcdef")) {
		return find_hid(tree, name, hid, sizeof(hid)) ? add_hid(&adding, hid) : -ENOENT;
	}
	if (!is_numbered(name, "input") || strlen(name) >= PAD_TREE_NAME_MAX) {
		return -EINVAL;
	}
	text_format(path, sizeof(path), INPUTS "/%s", name);
	return add_if_ours(&adding, path);
}

/* What a node of the folder is; false when it is none, or its device is gone. The link in
 * /sys/dev/char leads to .../inputN/eventM or .../HID/hidraw/hidrawN. */
static bool look_at(const struct pad_tree *tree, enum udev_kind kind, const char *name,
		struct udev_device *out, bool *out_lives) {
	char path[PATH_BYTES], target[PATH_BYTES], owner[PATH_BYTES];
	bool raw = kind == UDEV_RAW;
	struct stat status;
	*out = (struct udev_device){ .kind = kind };
	text_format(out->node, sizeof(out->node), "%s%s", raw ? "" : "input/", name);
	find_node(tree, out, path, sizeof(path));
	if (lstat(path, &status) < 0 || !S_ISCHR(status.st_mode)) {
		return false;
	}
	out->major = major(status.st_rdev);
	out->minor = minor(status.st_rdev);
	text_format(path, sizeof(path), "%s/dev/char/%u:%u", tree->sys, out->major, out->minor);
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	target[len > 0 ? len : 0] = '\0';
	char *devices = strstr(target, "/devices/");
	text_copy(out->path, sizeof(out->path), devices ? devices : INPUTS);
	text_format(owner, sizeof(owner), "%s/device", path);
	*out_lives = devices && (raw ? is_our_hid(tree, owner) : is_ours(tree, owner));
	out->kind = *out_lives && !raw ? kind_of(owner) : kind;
	return true;
}

/* Every node of the folder, whether its device lives or not. */
static void look_at_each(const struct pad_tree *tree,
		void (*see)(const struct pad_tree *tree, const struct udev_device *device,
				bool lives, pad_tree_hearer *hearer, void *user),
		pad_tree_hearer *hearer, void *user) {
	static const struct {
		const char *folder;
		enum udev_kind kind;
	} folders[] = { { "input", UDEV_JOYSTICK }, { "raw", UDEV_RAW } };
	char path[PATH_BYTES];
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		text_format(path, sizeof(path), "%s/%s", tree->folder, folders[i].folder);
		OWN(folder_close) DIR *folder = opendir(path);
		for (struct dirent *entry; folder && (entry = readdir(folder));) {
			struct udev_device device;
			bool lives;
			if (look_at(tree, folders[i].kind, entry->d_name, &device, &lives)) {
				see(tree, &device, lives, hearer, user);
			}
		}
	}
}

static void remove_dead(const struct pad_tree *tree, const struct udev_device *device, bool lives,
		pad_tree_hearer *hearer, void *user) {
	char path[PATH_BYTES], number[24];
	if (lives) {
		return;
	}
	find_node(tree, device, path, sizeof(path));
	unlink(path);
	udev_name(device, number);
	text_format(path, sizeof(path), "%s/udev/data/%s", tree->folder, number);
	unlink(path);
	hearer(user, device, false);
}

void pad_tree_sweep(const struct pad_tree *tree, pad_tree_hearer *hearer, void *user) {
	look_at_each(tree, remove_dead, hearer, user);
}

static void tell_living(const struct pad_tree *tree, const struct udev_device *device, bool lives,
		pad_tree_hearer *hearer, void *user) {
	(void)tree;
	if (lives) {
		hearer(user, device, true);
	}
}

void pad_tree_each(const struct pad_tree *tree, pad_tree_hearer *hearer, void *user) {
	look_at_each(tree, tell_living, hearer, user);
}
