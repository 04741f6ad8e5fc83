/* SPDX-License-Identifier: MIT */
#include "gate/deadlines.h"

void deadline_disarm(struct deadline *deadline) {
	struct deadline_list *list = deadline->list;
	if (!list) {
		return;
	}
	if (deadline->previous) {
		deadline->previous->next = deadline->next;
	} else {
		list->first = deadline->next;
	}
	if (deadline->next) {
		deadline->next->previous = deadline->previous;
	} else {
		list->last = deadline->previous;
	}
	*deadline = (struct deadline){ .due_us = deadline->due_us };
}

void deadline_arm(struct deadline_list *list, struct deadline *deadline, uint64_t due_us) {
	deadline_disarm(deadline);
	struct deadline *after = list->last;
	while (after && after->due_us > due_us) {
		after = after->previous;
	}
	struct deadline *next = after ? after->next : list->first;
	*deadline = (struct deadline){
		.previous = after, .next = next, .list = list, .due_us = due_us
	};
	if (after) {
		after->next = deadline;
	} else {
		list->first = deadline;
	}
	if (next) {
		next->previous = deadline;
	} else {
		list->last = deadline;
	}
}

uint64_t deadlines_next(const struct deadline_list *lists, size_t count) {
	uint64_t next = UINT64_MAX;
	for (size_t i = 0; i < count; i++) {
		if (lists[i].first && lists[i].first->due_us < next) {
			next = lists[i].first->due_us;
		}
	}
	return next;
}

struct deadline *deadlines_take_due(struct deadline_list *lists, size_t count, uint64_t now_us) {
	for (size_t i = 0; i < count; i++) {
		struct deadline *first = lists[i].first;
		if (first && first->due_us <= now_us) {
			deadline_disarm(first);
			return first;
		}
	}
	return NULL;
}
