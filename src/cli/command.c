/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show.h"
#include "cli/table.h"

enum exit_status command_unreachable(const struct command *command, int rc) {
	if (rc == -ENOENT || rc == -ECONNREFUSED) {
		fprintf(stderr,
				"perigee: no host answers at %s. Is it running? "
				"(--runtime DIR says where its sockets are.)\n",
				command->api.socket);
	} else if (rc == -EACCES) {
		fprintf(stderr, "perigee: %s may not be used by this user.\n", command->api.socket);
	} else if (rc == -ETIMEDOUT) {
		fprintf(stderr, "perigee: the host at %s does not answer within 10 seconds.\n",
				command->api.socket);
	} else {
		fprintf(stderr, "perigee: %s: %s\n", command->api.socket, strerror(-rc));
	}
	return EXIT_UNREACHABLE;
}

static bool says_success(const struct api_answer *answer) {
	const json_t *success = json_object_get(answer->json, "success");
	return answer->status == 200 && answer->json && !json_is_false(success);
}

static enum exit_status refused(const struct api_answer *answer) {
	const char *error = json_string_value(json_object_get(answer->json, "error"));
	const char *message = json_string_value(json_object_get(answer->json, "message"));
	fputs("perigee: ", stderr);
	if (error || message) {
		show_text(stderr, error ? error : message);
		fputc('\n', stderr);
	} else if (answer->status == 404) {
		fputs("this host does not know that request.\n", stderr);
	} else {
		fprintf(stderr, "the host answered with status %d.\n", answer->status);
	}
	return EXIT_REFUSED;
}

enum exit_status command_call(
		struct command *command, const char *target, json_t *body, struct api_answer *out) {
	int rc = api_find(command->runtime, &command->api);
	rc = rc < 0 ? rc : api_call(&command->api, target, body, out);
	json_decref(body);
	if (rc < 0) {
		return command_unreachable(command, rc);
	}
	if (!says_success(out)) {
		enum exit_status status = refused(out);
		api_answer_finish(out);
		return status;
	}
	return EXIT_DONE;
}

enum exit_status command_get_bytes(struct command *command, const char *target, size_t size,
		void **out, const char **out_body, size_t *out_len) {
	void *bytes = NULL;
	int status = 0;
	int rc = api_find(command->runtime, &command->api);
	rc = rc < 0 ? rc
		    : api_get_bytes(&command->api, target, size, &bytes, out_body, out_len,
				      &status);
	if (rc < 0) {
		return command_unreachable(command, rc);
	}
	if (status != 200) {
		struct api_answer answer = { .status = status,
			.json = json_loadb(*out_body, *out_len, JSON_REJECT_DUPLICATES, NULL) };
		enum exit_status refusal = refused(&answer);
		api_answer_finish(&answer);
		free(bytes);
		return refusal;
	}
	*out = bytes;
	return EXIT_DONE;
}

void command_print(const struct command *command, json_t *json) {
	if (command->json) {
		json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
		putchar('\n');
		return;
	}
	if (json_is_object(json)) {
		json_object_del(json, "success");
	}
	show_json(stdout, json);
}

void command_print_list(const struct command *command, json_t *json, const char *list) {
	if (command->json) {
		command_print(command, json);
	} else {
		table_show_list(stdout, list, json_object_get(json, list));
	}
}

enum exit_status command_ask(struct command *command, const char *target) {
	struct api_answer answer = { 0 };
	enum exit_status status = command_call(command, target, NULL, &answer);
	if (status == EXIT_DONE) {
		command_print(command, answer.json);
		api_answer_finish(&answer);
	}
	return status;
}
