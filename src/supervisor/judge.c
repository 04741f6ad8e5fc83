/* SPDX-License-Identifier: MIT */
#include "supervisor/judge.h"

#include "base/clock.h"

static bool is_same_operation(const struct judge *judge, const struct judge_view *view) {
	return view->deadline_ns != 0 && view->begin_ns == judge->begin_ns;
}

bool judge_wants_sample(const struct judge *judge, const struct judge_view *view) {
	bool unanswered = judge->poke_out && view->poked < judge->poke;
	return judge->now_ns != 0 && (is_same_operation(judge, view) || unanswered);
}

static uint64_t since_last(const struct judge *judge, const struct judge_view *view) {
	uint64_t passed = judge->now_ns != 0 && view->now_ns > judge->now_ns
					  ? view->now_ns - judge->now_ns
					  : 0;
	return passed < JUDGE_ROUND_MAX_MS * NS_PER_MS ? passed : JUDGE_ROUND_MAX_MS * NS_PER_MS;
}

/* A wait that is not over yet is in no counter: who is runnable now is charged with what
 * it ran. */
static uint64_t not_kept(uint64_t passed_ns, uint64_t ran_ns, uint64_t waited_ns, bool runnable) {
	uint64_t left_ns = waited_ns < passed_ns ? passed_ns - waited_ns : 0;
	return runnable && ran_ns < left_ns ? ran_ns : left_ns;
}

/* The part of it in which the worker was not kept from a processor. */
static uint64_t counted(
		const struct judge *judge, const struct judge_view *view, uint64_t passed_ns) {
	if (!view->sampled) {
		return passed_ns; /* the kernel does not say: as if it could run all the time */
	}
	if (!judge->sampled) {
		return 0; /* from here on it says */
	}
	return not_kept(passed_ns, view->run_ns - judge->run_ns, view->wait_ns - judge->wait_ns,
			view->runnable);
}

uint64_t judge_could_run_ns(
		const struct judge_mark *then, const struct judge_mark *now, uint64_t at_most_ns) {
	uint64_t passed_ns = now->now_ns > then->now_ns ? now->now_ns - then->now_ns : 0;
	passed_ns = passed_ns < at_most_ns ? passed_ns : at_most_ns;
	return then->sampled && now->sampled
			       ? not_kept(passed_ns, now->run_ns - then->run_ns,
						 now->wait_ns - then->wait_ns, now->runnable)
			       : passed_ns;
}

static void note_operation(
		struct judge *judge, const struct judge_view *view, uint64_t counted_ns) {
	judge->operation_ns = is_same_operation(judge, view) ? judge->operation_ns + counted_ns : 0;
	judge->begin_ns = view->begin_ns;
}

static void note_poke(struct judge *judge, const struct judge_view *view, uint64_t passed_ns,
		uint64_t counted_ns) {
	if (judge->poke_out && view->poked >= judge->poke) {
		judge->poke_out = false;
		judge->quiet_ns = 0;
		judge->still_ns = 0;
	}
	uint64_t limit =
			view->deadline_ns > view->begin_ns ? view->deadline_ns - view->begin_ns : 0;
	if (judge->poke_out && limit <= JUDGE_LONG_MS * NS_PER_MS) {
		judge->poke_ns += counted_ns;
	}
	judge->quiet_ns += passed_ns;
}

static enum judge_verdict decide(
		struct judge *judge, const struct judge_view *view, uint32_t deaf_ms) {
	if (view->crashed) {
		return JUDGE_CRASHED;
	}
	if (view->deadline_ns != 0 && judge->operation_ns > view->deadline_ns - view->begin_ns) {
		return JUDGE_OVERDUE;
	}
	if (judge->poke_out) {
		return judge->poke_ns >= deaf_ms * NS_PER_MS ? JUDGE_DEAF : JUDGE_WELL;
	}
	bool still = view->deadline_ns == 0 && judge->still_ns >= JUDGE_STILL_MS * NS_PER_MS;
	if (still || judge->quiet_ns >= JUDGE_POKE_EVERY_MS * NS_PER_MS) {
		judge->poke++;
		judge->poke_out = true;
		judge->poke_ns = 0;
		return JUDGE_POKE;
	}
	return JUDGE_WELL;
}

enum judge_verdict judge_step(
		struct judge *judge, const struct judge_view *view, uint32_t deaf_ms) {
	uint64_t passed_ns = since_last(judge, view);
	uint64_t counted_ns = counted(judge, view, passed_ns);
	bool in_question = is_same_operation(judge, view) || judge->poke_out;
	judge->starved_ns = in_question ? judge->starved_ns + passed_ns - counted_ns : 0;
	note_operation(judge, view, counted_ns);
	judge->still_ns = view->beats == judge->beats ? judge->still_ns + passed_ns : 0;
	note_poke(judge, view, passed_ns, counted_ns);
	judge->beats = view->beats;
	judge->now_ns = view->now_ns;
	judge->sampled = view->sampled;
	judge->run_ns = view->run_ns;
	judge->wait_ns = view->wait_ns;
	return decide(judge, view, deaf_ms);
}
