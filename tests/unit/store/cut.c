/* SPDX-License-Identifier: MIT */
#include "cut.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

enum {
	FILES = 16,
	SECTOR = 512,
};

/* A file as it lies on the disk for sure, and what was done to it since. */
struct change {
	struct change *next;
	sqlite3_int64 at, len; /* of a write; len -1: cut to `at` bytes */
	unsigned char *bytes;
};

struct disk_file {
	char path[PATH_MAX];
	unsigned char *sure;
	sqlite3_int64 sure_len;
	struct change *first, **last;
};

struct cut_file {
	sqlite3_file base;
	sqlite3_file *real;
	struct disk_file *disk; /* NULL for what is only for this process */
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	struct disk_file files[FILES];
	uint64_t left, seed;
} disk;

static uint64_t draw(void) {
	disk.seed ^= disk.seed << 13;
	disk.seed ^= disk.seed >> 7;
	disk.seed ^= disk.seed << 17;
	return disk.seed;
}

static void read_whole(struct disk_file *file) {
	struct stat status;
	int fd = open(file->path, O_RDONLY | O_CLOEXEC);
	free(file->sure);
	file->sure = NULL;
	file->sure_len = 0;
	if (fd >= 0 && fstat(fd, &status) == 0) {
		file->sure = malloc((size_t)status.st_size + 1);
		file->sure_len = pread(fd, file->sure, (size_t)status.st_size, 0);
	}
	close(fd);
}

static struct disk_file *find(const char *path) {
	for (int i = 0; i < FILES; i++) {
		struct disk_file *file = &disk.files[i];
		if (!file->path[0]) {
			snprintf(file->path, sizeof(file->path), "%s", path);
			file->last = &file->first;
			read_whole(file);
		}
		if (strcmp(file->path, path) == 0) {
			return file;
		}
	}
	abort();
}

static void note(struct disk_file *file, sqlite3_int64 at, sqlite3_int64 len, const void *bytes) {
	struct change *change = calloc(1, sizeof(*change));
	*change = (struct change){ NULL, at, len, NULL };
	if (len > 0) {
		change->bytes = malloc((size_t)len);
		memcpy(change->bytes, bytes, (size_t)len);
	}
	*file->last = change;
	file->last = &change->next;
}

static void arrive(int fd, const struct change *change) {
	if (change->len < 0) {
		if (draw() & 1) {
			(void)!ftruncate(fd, change->at);
		}
		return;
	}
	for (sqlite3_int64 done = 0; done < change->len; done += SECTOR) {
		sqlite3_int64 part = change->len - done < SECTOR ? change->len - done : SECTOR;
		if (draw() % 3) {
			(void)!pwrite(fd, change->bytes + done, (size_t)part, change->at + done);
		}
	}
}

static void lose_power(void) {
	for (int i = 0; i < FILES && disk.files[i].path[0]; i++) {
		struct disk_file *file = &disk.files[i];
		int fd = open(file->path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		(void)!pwrite(fd, file->sure, (size_t)file->sure_len, 0);
		for (const struct change *at = file->first; at; at = at->next) {
			arrive(fd, at);
		}
		close(fd);
	}
	_exit(CUT_STATUS);
}

static void tick(void) {
	if (disk.left-- == 0) {
		lose_power();
	}
}

#define REAL(file) (((struct cut_file *)(file))->real)

static int f_close(sqlite3_file *file) {
	int rc = REAL(file)->pMethods->xClose(REAL(file));
	sqlite3_free(REAL(file));
	return rc;
}

static int f_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at) {
	return REAL(file)->pMethods->xRead(REAL(file), out, len, at);
}

static int f_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at) {
	struct disk_file *on_disk = ((struct cut_file *)file)->disk;
	if (on_disk) {
		tick();
		note(on_disk, at, len, bytes);
	}
	return REAL(file)->pMethods->xWrite(REAL(file), bytes, len, at);
}

static int f_truncate(sqlite3_file *file, sqlite3_int64 size) {
	struct disk_file *on_disk = ((struct cut_file *)file)->disk;
	if (on_disk) {
		tick();
		note(on_disk, size, -1, NULL);
	}
	return REAL(file)->pMethods->xTruncate(REAL(file), size);
}

static int f_sync(sqlite3_file *file, int flags) {
	struct disk_file *on_disk = ((struct cut_file *)file)->disk;
	(void)flags;
	if (on_disk) {
		tick();
		read_whole(on_disk);
		while (on_disk->first) {
			struct change *gone = on_disk->first;
			on_disk->first = gone->next;
			free(gone->bytes);
			free(gone);
		}
		on_disk->last = &on_disk->first;
	}
	return SQLITE_OK;
}

static int f_size(sqlite3_file *file, sqlite3_int64 *out) {
	return REAL(file)->pMethods->xFileSize(REAL(file), out);
}

static int f_lock(sqlite3_file *file, int kind) {
	return REAL(file)->pMethods->xLock(REAL(file), kind);
}

static int f_unlock(sqlite3_file *file, int kind) {
	return REAL(file)->pMethods->xUnlock(REAL(file), kind);
}

static int f_reserved(sqlite3_file *file, int *out) {
	return REAL(file)->pMethods->xCheckReservedLock(REAL(file), out);
}

static int f_control(sqlite3_file *file, int op, void *arg) {
	return REAL(file)->pMethods->xFileControl(REAL(file), op, arg);
}

static int f_sector(sqlite3_file *file) {
	(void)file;
	return SECTOR;
}

/* Nothing is promised about writes. */
static int f_device(sqlite3_file *file) {
	(void)file;
	return 0;
}

static int f_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
	return REAL(file)->pMethods->xShmMap(REAL(file), page, size, extend, out);
}

static int f_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
	return REAL(file)->pMethods->xShmLock(REAL(file), offset, n, flags);
}

static void f_shm_barrier(sqlite3_file *file) {
	REAL(file)->pMethods->xShmBarrier(REAL(file));
}

static int f_shm_unmap(sqlite3_file *file, int remove_it) {
	return REAL(file)->pMethods->xShmUnmap(REAL(file), remove_it);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = f_close,
	.xRead = f_read,
	.xWrite = f_write,
	.xTruncate = f_truncate,
	.xSync = f_sync,
	.xFileSize = f_size,
	.xLock = f_lock,
	.xUnlock = f_unlock,
	.xCheckReservedLock = f_reserved,
	.xFileControl = f_control,
	.xSectorSize = f_sector,
	.xDeviceCharacteristics = f_device,
	.xShmMap = f_shm_map,
	.xShmLock = f_shm_lock,
	.xShmBarrier = f_shm_barrier,
	.xShmUnmap = f_shm_unmap,
};

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
	(void)vfs;
	struct cut_file *cut = (struct cut_file *)file;
	bool lasts = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL);
	*cut = (struct cut_file){ .real = sqlite3_malloc(disk.real->szOsFile) };
	memset(cut->real, 0, (size_t)disk.real->szOsFile);
	cut->disk = lasts && name ? find(name) : NULL;
	int rc = disk.real->xOpen(disk.real, name, cut->real, flags, out);
	if (rc == SQLITE_OK) {
		cut->base.pMethods = &methods;
	} else {
		sqlite3_free(cut->real);
	}
	return rc;
}

/* That a file is gone is sure at once: what SQLite syncs the folder for. */
static int v_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
	(void)vfs;
	tick();
	int rc = disk.real->xDelete(disk.real, name, sync_folder);
	struct disk_file *file = find(name);
	file->first = NULL;
	file->last = &file->first;
	read_whole(file);
	return rc;
}

void cut_install(uint64_t at, uint64_t seed) {
	disk.real = sqlite3_vfs_find(NULL);
	disk.left = at;
	disk.seed = seed * 0x9e3779b97f4a7c15u + 1;
	disk.vfs = *disk.real;
	disk.vfs.zName = "cut";
	disk.vfs.pNext = NULL;
	disk.vfs.szOsFile = sizeof(struct cut_file);
	disk.vfs.xOpen = v_open;
	disk.vfs.xDelete = v_delete;
	sqlite3_vfs_register(&disk.vfs, 1);
}
