/* SPDX-License-Identifier: MIT */
#include "base/shm.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

void shm_finish(struct shm *shm) {
	if (shm->map) {
		munmap(shm->map, shm->size);
		shm->map = NULL;
	}
	fd_release(&shm->fd);
}

static int make_and_map(const char *name, size_t size, bool readers_only, struct shm *shm) {
	shm->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (shm->fd < 0 || ftruncate(shm->fd, (off_t)size) < 0) {
		return -errno;
	}
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, shm->fd, 0);
	if (map == MAP_FAILED) {
		return -errno;
	}
	shm->map = (uint8_t *)map;
	shm->size = size;
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	if (readers_only) {
		seals |= F_SEAL_FUTURE_WRITE;
	}
	return fcntl(shm->fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

int shm_create(const char *name, size_t size, bool readers_only, struct shm *out) {
	*out = SHM_NONE;
	int rc = make_and_map(name, size, readers_only, out);
	if (rc < 0) {
		shm_finish(out);
	}
	return rc;
}

int shm_adopt(int fd, size_t min_size, bool writable, struct shm *out) {
	*out = SHM_NONE;
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_SHRINK) || st.st_size <= 0 ||
			(size_t)st.st_size < min_size) {
		return -EPROTO;
	}
	int access = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	void *map = mmap(NULL, (size_t)st.st_size, access, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		return -errno;
	}
	*out = (struct shm){ .fd = fd, .map = (uint8_t *)map, .size = (size_t)st.st_size };
	return 0;
}
