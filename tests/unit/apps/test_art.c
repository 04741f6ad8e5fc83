/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "../process.h"
#include "base/bytes.h"
#include "base/text.h"

static const char *art_path;

/* Returns the PNG's size and its bytes, mapped. */
static size_t draw(struct process *art, const char *title, const uint8_t **out) {
	struct ipc_message message = { .kind = IPC_ART_DRAW, .art_draw.app = 7 };
	text_copy(message.art_draw.title, sizeof(message.art_draw.title), title);
	process_send(art, &message, -1);
	process_receive(art, IPC_ART_DRAWN);
	assert_int_equal(art->message.art_draw.app, 7);
	struct stat status;
	assert_int_equal(fstat(art->fds.fd[0], &status), 0);
	size_t size = (size_t)status.st_size;
	assert_true(size > 1000);
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, art->fds.fd[0], 0);
	assert_true(map != MAP_FAILED);
	*out = map;
	return size;
}

static void the_picture_is_a_sealed_png_of_the_right_size(void **state) {
	(void)state;
	struct process art = process_start(art_path, PEER_ART, NULL);
	const uint8_t *png;
	size_t size = draw(&art, "Portal 2", &png);
	struct reader reader = reader_over(png, size);
	assert_memory_equal(reader_take(&reader, 8), "\x89PNG\r\n\x1a\n", 8);
	reader_take(&reader, 8); /* length and name of IHDR, PNG specification 11.2.2 */
	assert_int_equal(reader_be32(&reader), 600);
	assert_int_equal(reader_be32(&reader), 800);
	assert_memory_equal(png + size - 8, "IEND", 4);
	int seals = fcntl(art.fds.fd[0], F_GET_SEALS);
	assert_true(seals & F_SEAL_WRITE);
	assert_true(seals & F_SEAL_SHRINK);
	process_stop(&art);
}

static void titles_look_different_and_always_the_same(void **state) {
	(void)state;
	struct process art = process_start(art_path, PEER_ART, NULL);
	const uint8_t *first, *again, *other;
	size_t size = draw(&art, "Desktop", &first);
	assert_int_equal(draw(&art, "Desktop", &again), size);
	assert_memory_equal(first, again, size);
	size_t other_size = draw(&art, "Desktop2", &other);
	assert_true(size != other_size || memcmp(first, other, size) != 0);
	process_stop(&art);
}

static void any_title_is_drawn(void **state) {
	(void)state;
	static const char *const titles[] = {
		"", "   ", "\xff\xfe\xc3", "<b>&amp", "\xe6\xbc\xa2\xe5\xad\x97",
		"a title so long that three lines do not hold it and that has to be cut off with "
		"an",
		"Donaudampfschiffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft"
	};
	struct process art = process_start(art_path, PEER_ART, NULL);
	for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
		const uint8_t *png;
		draw(&art, titles[i], &png);
	}
	process_stop(&art);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(the_picture_is_a_sealed_png_of_the_right_size),
		UNIT(titles_look_different_and_always_the_same),
		UNIT(any_title_is_drawn),
	};
	assert_int_equal(argc, 2);
	art_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
