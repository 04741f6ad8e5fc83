/* SPDX-License-Identifier: MIT */
#include "ipc/message.h"

#include <stddef.h>

#include "base/own.h"
#include "ipc/leg.h"
#include "ipc/message_inside.h"

#define MEMBER_SIZE(member) sizeof(((struct ipc_message *)0)->member)
#define MEMBER_AT(member) offsetof(struct ipc_message, member)
#define RAW(member) \
	{ FORM_RAW, MEMBER_AT(member), MEMBER_SIZE(member), 0 }
#define ENUM(member, limit) \
	{ FORM_ENUM, MEMBER_AT(member), 1, limit }
#define TEXT(member) \
	{ FORM_TEXT, MEMBER_AT(member), MEMBER_SIZE(member), 0 }
#define BLOB(member, len_member) \
	{ FORM_BLOB, MEMBER_AT(member), MEMBER_SIZE(member), MEMBER_AT(len_member) }
#define ADDRESS(member) RAW(member.ip), RAW(member.port), RAW(member.scope)
#define FORMAT(member) \
	RAW(member.width), RAW(member.height), ENUM(member.chroma, 2), ENUM(member.matrix, 3), \
			ENUM(member.full_range, 2)
#define TIMES(member) \
	RAW(member.commit), RAW(member.render_begin), RAW(member.rendered), \
			RAW(member.convert_begin), RAW(member.handed_over)
#define ENCODING(member) \
	ENUM(member.codec, CODECS), RAW(member.width), RAW(member.height), RAW(member.rate_x100), \
			RAW(member.bitrate_kbps), ENUM(member.chroma, 2), ENUM(member.matrix, 3), \
			ENUM(member.full_range, 2), RAW(member.depth), RAW(member.slices), \
			RAW(member.references), ENUM(member.intra_refresh, 2), TEXT(member.order)
#define PARAMS(member) \
	RAW(member.width), RAW(member.height), RAW(member.rate_x100), RAW(member.bitrate_kbps), \
			RAW(member.packet_size), RAW(member.slices), RAW(member.references), \
			ENUM(member.codec, CODECS), ENUM(member.chroma, 2), \
			ENUM(member.matrix, 3), ENUM(member.full_range, 2), ENUM(member.hdr, 2), \
			ENUM(member.intra_refresh, 2), ENUM(member.encryption, 8), \
			ENUM(member.channels, 9), ENUM(member.sound_high, 2), \
			RAW(member.sound_ms), RAW(member.fec_minimum), \
			RAW(member.client_features), RAW(member.video_qos), RAW(member.audio_qos), \
			RAW(member.channel_mask)
#define FIELDS(name, ...) static const struct message_field name[] = { __VA_ARGS__, { 0 } }

/* clang-format off */
FIELDS(f_hello, RAW(hello.version), ENUM(hello.peer, PEER_KINDS), RAW(hello.pid),
	RAW(hello.pulse_layout), RAW(hello.pool_layout), RAW(hello.ring_layout),
	RAW(hello.page_layout), TEXT(hello.build));
FIELDS(f_start, RAW(start.worker), RAW(start.session), RAW(start.log_level), TEXT(start.name));
FIELDS(f_stop, RAW(stop.reason), RAW(stop.grace_ms));
FIELDS(f_stopped, RAW(stopped.reason), TEXT(stopped.detail));
FIELDS(f_poke, RAW(poke.number));
FIELDS(f_hold, TEXT(hold.name));
FIELDS(f_hold_exited, RAW(hold_exited.pid), RAW(hold_exited.status));
FIELDS(f_hold_quit, RAW(hold_quit.code));
FIELDS(f_gate_listen, ENUM(gate_listen.door, DOORS), RAW(gate_listen.port));
FIELDS(f_gate_options, TEXT(gate_options.host_name), RAW(gate_options.mac),
	ENUM(gate_options.encryption, 3), RAW(gate_options.http_port), RAW(gate_options.https_port),
	RAW(gate_options.rtsp_port), RAW(gate_options.web_port), RAW(gate_options.video_port),
	RAW(gate_options.control_port), RAW(gate_options.audio_port),
	RAW(gate_options.pair_window_s), TEXT(gate_options.web_url), TEXT(gate_options.host_address),
	TEXT(gate_options.preset_pin));
FIELDS(f_gate_codecs, RAW(gate_codecs.mask), ENUM(gate_codecs.reference_invalidation, 2));
FIELDS(f_gate_app, RAW(gate_app.app), RAW(gate_app.flags), TEXT(gate_app.title),
	TEXT(gate_app.why_not));
FIELDS(f_launch, RAW(launch.request), RAW(launch.client), TEXT(launch.client_name),
	ADDRESS(launch.address), RAW(launch.app), RAW(launch.width), RAW(launch.height),
	RAW(launch.rate_x100), RAW(launch.key), RAW(launch.key_id), RAW(launch.key_hash),
	RAW(launch.surround), RAW(launch.pads), RAW(launch.flags), TEXT(launch.trace),
	RAW(launch.session), ENUM(launch.guest, 2));
FIELDS(f_session_coming, RAW(session_coming.session), RAW(session_coming.client),
	ADDRESS(session_coming.address), RAW(session_coming.key), RAW(session_coming.video_ping),
	RAW(session_coming.audio_ping), RAW(session_coming.connect_data),
	RAW(session_coming.enet_peer), ENUM(session_coming.sealed, 2), TEXT(session_coming.trace),
	ENUM(session_coming.proven, 2));
FIELDS(f_session_start, RAW(session_start.request), RAW(session_start.session),
	ADDRESS(session_start.address), RAW(session_start.video_ping),
	RAW(session_start.audio_ping), PARAMS(session_start.params));
FIELDS(f_runner_add, RAW(runner_add.request), RAW(runner_add.session),
	ENUM(runner_add.ends_session, 2), TEXT(runner_add.title),
	BLOB(runner_add.argv, runner_add.argv_len), TEXT(runner_add.how.runner),
	TEXT(runner_add.how.image), BLOB(runner_add.how.env, runner_add.how.env_len),
	BLOB(runner_add.how.mounts, runner_add.how.mounts_len),
	BLOB(runner_add.how.devices, runner_add.how.devices_len),
	BLOB(runner_add.how.ports, runner_add.how.ports_len),
	BLOB(runner_add.how.base, runner_add.how.base_len));
FIELDS(f_memory_ask, RAW(memory_ask.request));
FIELDS(f_image, RAW(image.request), ENUM(image.what, IMAGE_VERBS), TEXT(image.name));
FIELDS(f_image_piece, RAW(image_piece.request), BLOB(image_piece.bytes, image_piece.len));
FIELDS(f_image_done, RAW(image_done.request), RAW(image_done.status), TEXT(image_done.detail));
FIELDS(f_session_expected, RAW(session_coming.session));
FIELDS(f_launched, RAW(launched.request), RAW(launched.reason), TEXT(launched.detail),
	RAW(launched.session), RAW(launched.video_ping), RAW(launched.audio_ping),
	RAW(launched.connect_data), RAW(launched.enet_peer));
FIELDS(f_cancel, RAW(cancel.request), RAW(cancel.client));
FIELDS(f_answer, RAW(cancelled.request), RAW(cancelled.reason), TEXT(cancelled.detail));
FIELDS(f_session_state, RAW(session_state.client), RAW(session_state.session),
	RAW(session_state.app), ENUM(session_state.state, 3));
FIELDS(f_announce, RAW(announce.request), RAW(announce.session), PARAMS(announce.params));
FIELDS(f_flow, RAW(flow.session), ENUM(flow.flow, FLOWS), ADDRESS(flow.peer), RAW(flow.counter),
	BLOB(flow.datagram, flow.datagram_len));
FIELDS(f_play, RAW(play.session));
FIELDS(f_pair_waiting, RAW(pair_waiting.pairing), ADDRESS(pair_waiting.address),
	RAW(pair_waiting.client), TEXT(pair_waiting.name));
FIELDS(f_pair_gone, RAW(pair_gone.pairing), RAW(pair_gone.outcome), TEXT(pair_gone.detail));
FIELDS(f_pair_pin, RAW(pair_pin.request), RAW(pair_pin.pairing), TEXT(pair_pin.pin),
	TEXT(pair_pin.name));
FIELDS(f_status_ask, RAW(status_ask.request), TEXT(status_ask.filter));
FIELDS(f_restart, RAW(restart.request), TEXT(restart.kind), TEXT(restart.id));
FIELDS(f_status_line, RAW(status_line.request), TEXT(status_line.line));
FIELDS(f_status_end, RAW(status_line.request));
FIELDS(f_status_rows, RAW(status_rows.request), RAW(status_rows.size));
FIELDS(f_art, RAW(art.app));
FIELDS(f_identity, BLOB(identity.certificate, identity.certificate_len),
	BLOB(identity.key, identity.key_len), TEXT(identity.host_id), TEXT(identity.web_key));
FIELDS(f_client, RAW(client.request), RAW(client.client), BLOB(client.der, client.der_len),
	TEXT(client.name), RAW(client.created_s), RAW(client.permissions));
FIELDS(f_client_ref, RAW(client_ref.request), RAW(client_ref.client), RAW(client_ref.outcome));
FIELDS(f_told_session, RAW(told_session.session), RAW(told_session.client),
	TEXT(told_session.client_name), ADDRESS(told_session.address), RAW(told_session.app),
	ENUM(told_session.state, 3), RAW(told_session.width), RAW(told_session.height),
	RAW(told_session.rate_mhz), RAW(told_session.channels), RAW(told_session.desktop),
	RAW(told_session.begun_ms), RAW(told_session.reason), TEXT(told_session.detail));
FIELDS(f_told_event, ENUM(told_event.event, TOLD_EVENTS), RAW(told_event.session),
	RAW(told_event.other), ADDRESS(told_event.address), RAW(told_event.number),
	RAW(told_event.reason), TEXT(told_event.detail));
FIELDS(f_api_do, RAW(api_do.request), ENUM(api_do.what, API_VERBS), RAW(api_do.session));
FIELDS(f_api_input, RAW(api_input.request), RAW(api_input.session));
FIELDS(f_keys_ask, RAW(keys_ask.request), RAW(keys_ask.session), ENUM(keys_ask.release, 2));
FIELDS(f_keys, RAW(keys.request), RAW(keys.session), ENUM(keys.count, 65), RAW(keys.codes));
FIELDS(f_token, RAW(token.request), RAW(token.hash), TEXT(token.name), RAW(token.scopes),
	RAW(token.created_s));
FIELDS(f_token_ref, RAW(token_ref.request), RAW(token_ref.hash));
FIELDS(f_client_settings, RAW(client_settings.request), RAW(client_settings.client),
	RAW(client_settings.fields), TEXT(client_settings.name), RAW(client_settings.permissions),
	RAW(client_settings.run_uid), RAW(client_settings.run_gid),
	RAW(client_settings.mouse_milli), RAW(client_settings.scroll_milli),
	RAW(client_settings.scroll_side_milli), ENUM(client_settings.motion, PADS),
	ENUM(client_settings.controllers_count, IPC_PADS_MAX + 1),
	RAW(client_settings.controllers), TEXT(client_settings.folder),
	ENUM(client_settings.apps_count, IPC_APPS_NAMED_MAX + 1), RAW(client_settings.apps),
	BLOB(client_settings.lobbies, client_settings.lobbies_len));
FIELDS(f_profile, RAW(profile.request), TEXT(profile.id), TEXT(profile.name), TEXT(profile.icon),
	ENUM(profile.has_pin, 2), TEXT(profile.pin));
FIELDS(f_profile_ref, RAW(profile_ref.request), TEXT(profile_ref.id), TEXT(profile_ref.pin));
FIELDS(f_app, RAW(app.request), RAW(app.app), TEXT(app.id), TEXT(app.profile), TEXT(app.title),
	TEXT(app.icon), ENUM(app.hdr, 2), ENUM(app.restart, 2), TEXT(app.how.runner), TEXT(app.how.image),
	BLOB(app.argv, app.argv_len), BLOB(app.how.env, app.how.env_len), BLOB(app.how.mounts, app.how.mounts_len),
	BLOB(app.how.devices, app.how.devices_len), BLOB(app.how.ports, app.how.ports_len),
	BLOB(app.how.base, app.how.base_len), BLOB(app.kept, app.kept_len));
FIELDS(f_app_ref, RAW(app_ref.request), RAW(app_ref.app), TEXT(app_ref.id));
FIELDS(f_state_done, RAW(state_done.request), RAW(state_done.reason), TEXT(state_done.detail),
	RAW(state_done.app));
FIELDS(f_config_reload, RAW(config_reload.request));
FIELDS(f_config_reloaded, RAW(config_reloaded.request), RAW(config_reloaded.reason),
	TEXT(config_reloaded.detail), TEXT(config_reloaded.applied),
	TEXT(config_reloaded.restart));
FIELDS(f_stream_client, RAW(stream_client.permissions), RAW(stream_client.mouse_milli),
	RAW(stream_client.scroll_milli), RAW(stream_client.scroll_side_milli),
	ENUM(stream_client.motion, PADS), ENUM(stream_client.controllers_count, IPC_PADS_MAX + 1),
	RAW(stream_client.controllers));
FIELDS(f_pad, ENUM(pad.number, IPC_PADS_MAX), ENUM(pad.shown, PADS), RAW(pad.capabilities));
FIELDS(f_pad_state, RAW(pad_state.sequence), RAW(pad_state.received_ns),
	ENUM(pad_state.number, IPC_PADS_MAX), RAW(pad_state.buttons), RAW(pad_state.left_trigger),
	RAW(pad_state.right_trigger), RAW(pad_state.left_x), RAW(pad_state.left_y),
	RAW(pad_state.right_x), RAW(pad_state.right_y));
FIELDS(f_pad_sense, RAW(pad_sense.sequence), RAW(pad_sense.received_ns),
	ENUM(pad_sense.number, IPC_PADS_MAX), ENUM(pad_sense.what, PAD_SENSES),
	RAW(pad_sense.type), RAW(pad_sense.pointer), RAW(pad_sense.x), RAW(pad_sense.y),
	RAW(pad_sense.z));
FIELDS(f_pad_feedback, ENUM(pad_feedback.number, IPC_PADS_MAX),
	ENUM(pad_feedback.what, PAD_FEEDBACKS), RAW(pad_feedback.a), RAW(pad_feedback.b),
	RAW(pad_feedback.red), RAW(pad_feedback.green), RAW(pad_feedback.blue),
	RAW(pad_feedback.flags), RAW(pad_feedback.type_left), RAW(pad_feedback.type_right),
	RAW(pad_feedback.left), RAW(pad_feedback.right));
FIELDS(f_pad_device, RAW(pad_device.request), ENUM(pad_device.device, PAD_DEVICES),
	RAW(pad_device.error));
FIELDS(f_pad_node, TEXT(pad_node.name));
FIELDS(f_runner_pid, RAW(runner_pid.pid));
FIELDS(f_told_pad, RAW(told_pad.session), ENUM(told_pad.gone, 2), TEXT(told_pad.name),
	TEXT(told_pad.record), BLOB(told_pad.words, told_pad.words_len));
FIELDS(f_store_open, TEXT(store_open.folder), ENUM(store_open.in_memory, 2));
FIELDS(f_store_ready, RAW(store_ready.outcome), TEXT(store_ready.detail),
	TEXT(store_ready.web_key), TEXT(store_ready.host_id));
FIELDS(f_store_peer, ENUM(store_peer.peer, PEER_KINDS));
FIELDS(f_desktop_start, RAW(desktop_start.width), RAW(desktop_start.height),
	RAW(desktop_start.rate_mhz), TEXT(desktop_start.wayland_name), TEXT(desktop_start.layout),
	TEXT(desktop_start.variant), TEXT(desktop_start.model), TEXT(desktop_start.options),
	ENUM(desktop_start.xwayland, 2), ENUM(desktop_start.fullscreen, 2),
	ENUM(desktop_start.pad_keys, 2));
FIELDS(f_desktop_ready, TEXT(desktop_ready.x_display), TEXT(desktop_ready.renderer));
FIELDS(f_desktop_size, RAW(desktop_size.width), RAW(desktop_size.height),
	RAW(desktop_size.rate_mhz));
FIELDS(f_desktop_encoder, RAW(desktop_encoder.encoder), FORMAT(desktop_encoder.format));
FIELDS(f_desktop_encoder_gone, RAW(desktop_encoder.encoder));
FIELDS(f_desktop_encoder_lost, RAW(desktop_encoder_lost.encoder), RAW(desktop_encoder_lost.reason));
FIELDS(f_desktop_viewer, RAW(desktop_viewer.viewer), ENUM(desktop_viewer.may_input, 2),
	RAW(desktop_viewer.width), RAW(desktop_viewer.height));
FIELDS(f_desktop_windows, RAW(desktop_windows.count), ENUM(desktop_windows.notice, 2));
FIELDS(f_notice, TEXT(notice.title), TEXT(notice.what), TEXT(notice.why), TEXT(notice.next),
	TEXT(notice.lines), TEXT(notice.code));
FIELDS(f_pool, FORMAT(pool.format), RAW(pool.slots), RAW(pool.epoch));
FIELDS(f_picture, RAW(picture.epoch), RAW(picture.slot), ENUM(picture.again, 2),
	RAW(picture.number), RAW(picture.damage_top), RAW(picture.damage_bottom),
	TIMES(picture.times));
FIELDS(f_picture_done, RAW(picture_done.epoch), RAW(picture_done.slot), RAW(picture_done.number));
FIELDS(f_input, RAW(input.sequence), RAW(input.received_ns), ENUM(input.kind, INPUT_KINDS),
	RAW(input.code), RAW(input.x), RAW(input.y), RAW(input.w), RAW(input.h), RAW(input.value));
FIELDS(f_encoder_probe, TEXT(encoder_probe.order));
FIELDS(f_encoder_probed, TEXT(encoder_probed.name), RAW(encoder_probed.mask),
	ENUM(encoder_probed.reference_invalidation, 2), RAW(encoder_probed.first_us),
	TEXT(encoder_probed.detail));
FIELDS(f_encoder_cost, TEXT(encoder_cost.name), RAW(encoder_cost.pictures),
	RAW(encoder_cost.encode_ns_per_kpx), RAW(encoder_cost.convert_ns_per_kpx),
	RAW(encoder_cost.device_ns_per_kpx), RAW(encoder_cost.sessions));
FIELDS(f_picture_encoder, RAW(picture_encoder.encoder), ENCODING(picture_encoder.encoding));
FIELDS(f_sound_encoder, RAW(sound_encoder.encoder), ENUM(sound_encoder.channels, 9),
	ENUM(sound_encoder.streams, 9), ENUM(sound_encoder.coupled, 5),
	ENUM(sound_encoder.frame_ms, 21), RAW(sound_encoder.mapping),
	RAW(sound_encoder.bitrate_bps), TEXT(sound_encoder.server));
FIELDS(f_encoder_ready, RAW(encoder_ready.encoder), TEXT(encoder_ready.name),
	ENUM(encoder_ready.reference_invalidation, 2), RAW(encoder_ready.codec_mask));
FIELDS(f_encoder_reader, RAW(encoder_reader.reader));
FIELDS(f_encoder_rate, RAW(encoder_rate.bitrate_kbps));
FIELDS(f_keyframe_ask, RAW(keyframe_ask.why));
FIELDS(f_invalidate, RAW(invalidate.first), RAW(invalidate.last));
FIELDS(f_stream_start, RAW(stream_start.key), RAW(stream_start.key_id),
	PARAMS(stream_start.params), RAW(stream_start.connect_data), RAW(stream_start.enet_peer),
	RAW(stream_start.incarnation), TEXT(stream_start.trace));
FIELDS(f_stream_source, RAW(stream_source.source), ENUM(stream_source.reference_invalidation, 2));
FIELDS(f_stream_part, RAW(stream_part.source), ENUM(stream_part.reference_invalidation, 2));
FIELDS(f_stream_flow, ENUM(stream_flow.flow, FLOWS), ADDRESS(stream_flow.peer),
	ENUM(stream_flow.taken, 2));
FIELDS(f_stream_active, RAW(stream_active.source), RAW(stream_active.reason));
FIELDS(f_stream_end, RAW(stream_end.reason), RAW(stream_end.code));
FIELDS(f_stream_first, RAW(stream_first.first_packet_ns));
FIELDS(f_flow_proven, RAW(flow_proven.session), ADDRESS(flow_proven.address));
FIELDS(f_stream_lost, RAW(stream_lost.reason));
FIELDS(f_stream_stats, RAW(stream_stats.pictures), RAW(stream_stats.key_frames),
	RAW(stream_stats.video_packets), RAW(stream_stats.audio_packets), RAW(stream_stats.bytes),
	RAW(stream_stats.invalidations), RAW(stream_stats.idr_requests), RAW(stream_stats.lapped),
	RAW(stream_stats.input_events), RAW(stream_stats.age_p50_us), RAW(stream_stats.age_p99_us),
	RAW(stream_stats.hand_p50_us), RAW(stream_stats.hand_p99_us), RAW(stream_stats.loss_ppm),
	RAW(stream_stats.recoveries));
FIELDS(f_runner_start, RAW(runner_start.app), RAW(runner_start.uid), RAW(runner_start.gid),
	TEXT(runner_start.title), TEXT(runner_start.home), TEXT(runner_start.runtime),
	BLOB(runner_start.argv, runner_start.argv_len), BLOB(runner_start.env, runner_start.env_len));
FIELDS(f_runner_plan, ENUM(runner_plan.type, RUNNER_TYPES), ENUM(runner_plan.network, 2),
	TEXT(runner_plan.folder), TEXT(runner_plan.display),
	BLOB(runner_plan.list, runner_plan.list_len), RAW(runner_plan.session),
	ENUM(runner_plan.goes_on, 2), TEXT(runner_plan.host), TEXT(runner_plan.image),
	BLOB(runner_plan.json, runner_plan.json_len), RAW(runner_plan.extra));
FIELDS(f_runner_engine, RAW(runner_engine.error), TEXT(runner_engine.detail));
FIELDS(f_runner_pull, ENUM(runner_pull.percent, 101), TEXT(runner_pull.detail));
FIELDS(f_runner_sweep, TEXT(runner_sweep.host),
	BLOB(runner_sweep.sessions, runner_sweep.sessions_len));
FIELDS(f_runner_app, RAW(runner_app.pid), TEXT(runner_app.detail));
FIELDS(f_runner_holds, RAW(runner_holds.pid), TEXT(runner_holds.label));
FIELDS(f_runner_exited, RAW(runner_exited.status), TEXT(runner_exited.last_lines));
FIELDS(f_runner_lines, TEXT(runner_lines.last_lines));
FIELDS(f_ledger_notice, RAW(ledger_notice.state), RAW(ledger_notice.deadline_ms),
	ENUM(ledger_notice.introduced, 2), ENUM(ledger_notice.up, 2),
	ENUM(ledger_notice.window_seen, 2), RAW(ledger_notice.windows),
	RAW(ledger_notice.app_begun_ms), RAW(ledger_notice.event), RAW(ledger_notice.reason),
	TEXT(ledger_notice.detail), TEXT(ledger_notice.why), TEXT(ledger_notice.lines));
FIELDS(f_facts, TEXT(facts.host_name), RAW(facts.mac), TEXT(facts.addresses));
FIELDS(f_discover, TEXT(discover.name), RAW(discover.port));
FIELDS(f_art_draw, RAW(art_draw.app), TEXT(art_draw.title));
FIELDS(f_art_drawn, RAW(art_draw.app));
FIELDS(f_obey, RAW(obey.request), RAW(obey.worker), TEXT(obey.order), TEXT(obey.argument));
FIELDS(f_obeyed, RAW(obeyed.request), RAW(obeyed.worker), RAW(obeyed.outcome), TEXT(obeyed.detail));
FIELDS(f_hold_ask, RAW(hold_ask.number));
FIELDS(f_i_am, RAW(i_am.worker), RAW(i_am.session), RAW(i_am.heard), ENUM(i_am.ending, 2),
	RAW(i_am.reason));
FIELDS(f_request_waits, RAW(request_waits.request), RAW(request_waits.answer));
FIELDS(f_ledger_host, RAW(ledger_host.begun_ms), RAW(ledger_host.last_worker),
	RAW(ledger_host.last_view), RAW(ledger_host.starts), RAW(ledger_host.lost),
	RAW(ledger_host.hung), ENUM(ledger_host.probe_done, 2), ENUM(ledger_host.banner_shown, 2),
	RAW(ledger_host.codecs), ENUM(ledger_host.invalidation, 2),
	TEXT(ledger_host.host_id), TEXT(ledger_host.web_key), RAW(ledger_host.successions),
	RAW(ledger_host.proven_ms), RAW(ledger_host.fenced), RAW(ledger_host.written_off),
	RAW(ledger_host.starved), RAW(ledger_host.incidents));
FIELDS(f_hold_upgrade, RAW(hold_upgrade.version), RAW(hold_upgrade.limit_ms));
FIELDS(f_hold_version, RAW(hold_version.version), RAW(hold_version.failed),
	TEXT(hold_version.detail), TEXT(hold_version.build), RAW(hold_version.hold_pid));
FIELDS(f_hold_died, RAW(hold_died.pid), RAW(hold_died.status), RAW(hold_died.fenced),
	RAW(hold_died.crashed), RAW(hold_died.evidence), RAW(hold_died.reason),
	TEXT(hold_died.detail), TEXT(hold_died.entry));
FIELDS(f_upgrade, RAW(upgrade.request), ENUM(upgrade.only_check, 2), RAW(upgrade.limit_ms),
	TEXT(upgrade.from));
FIELDS(f_upgrade_answer, RAW(upgrade_answer.request), RAW(upgrade_answer.reason),
	TEXT(upgrade_answer.detail), TEXT(upgrade_answer.old_version),
	TEXT(upgrade_answer.new_version), TEXT(upgrade_answer.folders),
	RAW(upgrade_answer.replaced), RAW(upgrade_answer.sessions), RAW(upgrade_answer.number));
FIELDS(f_ledger_version, RAW(ledger_version.number), TEXT(ledger_version.version),
	TEXT(ledger_version.folders));
FIELDS(f_ledger_upgrade, RAW(ledger_upgrade.phase), RAW(ledger_upgrade.from),
	RAW(ledger_upgrade.to), TEXT(ledger_upgrade.old_version), TEXT(ledger_upgrade.new_version),
	RAW(ledger_upgrade.reason), TEXT(ledger_upgrade.detail), RAW(ledger_upgrade.begun_ms),
	RAW(ledger_upgrade.ended_ms));
FIELDS(f_ledger_worker, RAW(ledger_worker.worker), ENUM(ledger_worker.peer, PEER_KINDS),
	RAW(ledger_worker.pid), RAW(ledger_worker.session), RAW(ledger_worker.view),
	TEXT(ledger_worker.name), RAW(ledger_worker.begun_ns), RAW(ledger_worker.orders),
	ENUM(ledger_worker.hello, 2), ENUM(ledger_worker.stopping, 2),
	ENUM(ledger_worker.killed, 2), ENUM(ledger_worker.corpse, 2),
	ENUM(ledger_worker.has_channel, 2), RAW(ledger_worker.version));
FIELDS(f_ledger_session, RAW(ledger_session.session), RAW(ledger_session.client),
	TEXT(ledger_session.client_name), ADDRESS(ledger_session.address), RAW(ledger_session.app),
	TEXT(ledger_session.trace), RAW(ledger_session.state), RAW(ledger_session.deadline_ms),
	ENUM(ledger_session.launch_pending, 2), ENUM(ledger_session.plain_pending, 2),
	ENUM(ledger_session.announce_pending, 2), RAW(ledger_session.announce_request),
	RAW(ledger_session.app_pid),
	TEXT(ledger_session.runtime), TEXT(ledger_session.sound_server),
	TEXT(ledger_session.x_display), RAW(ledger_session.width), RAW(ledger_session.height),
	RAW(ledger_session.rate_mhz), ENUM(ledger_session.desktop_ready, 2),
	RAW(ledger_session.launched_ms), RAW(ledger_session.reason), TEXT(ledger_session.detail),
	ENUM(ledger_session.internal, 2), ENUM(ledger_session.added, 3),
	TEXT(ledger_session.profile), ENUM(ledger_session.announce_by_api, 2));
FIELDS(f_ledger_view, RAW(ledger_view.view), RAW(ledger_view.session), PARAMS(ledger_view.params),
	ENUM(ledger_view.opened, 2), ENUM(ledger_view.started, 2),
	ENUM(ledger_view.invalidation, 2), TEXT(ledger_view.encoder_name),
	RAW(ledger_view.source), RAW(ledger_view.encoder), RAW(ledger_view.incarnation),
	RAW(ledger_view.kinds_failed), ENUM(ledger_view.desktop_gone, 2), RAW(ledger_view.desk),
	RAW(ledger_view.next_desk), RAW(ledger_view.pictures), RAW(ledger_view.sound),
	RAW(ledger_view.next_pictures), RAW(ledger_view.next_sound), RAW(ledger_view.next_source),
	ENUM(ledger_view.told, 2), ENUM(ledger_view.may_input, 2),
	ENUM(ledger_view.next_may_input, 2), ENUM(ledger_view.apart, 2), RAW(ledger_view.parted));
FIELDS(f_ledger_encoding, RAW(ledger_encoding.encoding), RAW(ledger_encoding.desk),
	ENUM(ledger_encoding.kind, 2), ENUM(ledger_encoding.opened, 2),
	ENCODING(ledger_encoding.pictures), RAW(ledger_encoding.channels),
	RAW(ledger_encoding.streams), RAW(ledger_encoding.coupled), RAW(ledger_encoding.frame_ms),
	RAW(ledger_encoding.bitrate_bps), RAW(ledger_encoding.encoder),
	ENUM(ledger_encoding.invalidation, 2), TEXT(ledger_encoding.name),
	RAW(ledger_encoding.kinds_failed), ENUM(ledger_encoding.desktop_gone, 2),
	ENUM(ledger_encoding.own, 2));
FIELDS(f_ledger_lobby, RAW(ledger_lobby.desk), TEXT(ledger_lobby.lobby), RAW(ledger_lobby.state),
	RAW(ledger_lobby.created_ms), RAW(ledger_lobby.deadline_ms), RAW(ledger_lobby.grace_ms),
	RAW(ledger_lobby.app_pid), TEXT(ledger_lobby.runtime), TEXT(ledger_lobby.sound_server),
	TEXT(ledger_lobby.x_display), ENUM(ledger_lobby.desktop_ready, 2),
	RAW(ledger_lobby.reason), TEXT(ledger_lobby.detail),
	ENUM(ledger_lobby.create_pending, 2));
FIELDS(f_guest, RAW(guest.client), BLOB(guest.der, guest.der_len), ENUM(guest.gone, 2));
FIELDS(f_trial_go, ADDRESS(trial_go.address), RAW(trial_go.app), RAW(trial_go.width),
	RAW(trial_go.height), RAW(trial_go.rate), RAW(trial_go.limit_ms),
	BLOB(trial_go.der, trial_go.der_len));
FIELDS(f_tcp_watch, RAW(tcp_watch.ports));
FIELDS(f_tcp_states, RAW(tcp_states.counts));
FIELDS(f_trial_done, ENUM(trial_done.leg, LEGS), RAW(trial_done.picture_ms),
	TEXT(trial_done.detail));
FIELDS(f_lobby_create, RAW(lobby_create.request), TEXT(lobby_create.name), TEXT(lobby_create.icon),
	TEXT(lobby_create.owner), TEXT(lobby_create.pin), RAW(lobby_create.flags),
	RAW(lobby_create.width), RAW(lobby_create.height), RAW(lobby_create.rate_x100),
	RAW(lobby_create.channels), RAW(lobby_create.app),
	BLOB(lobby_create.argv, lobby_create.argv_len), TEXT(lobby_create.state_folder),
	RAW(lobby_create.deadline_ms), TEXT(lobby_create.how.runner),
	TEXT(lobby_create.how.image), BLOB(lobby_create.how.env, lobby_create.how.env_len),
	BLOB(lobby_create.how.mounts, lobby_create.how.mounts_len),
	BLOB(lobby_create.how.devices, lobby_create.how.devices_len),
	BLOB(lobby_create.how.ports, lobby_create.how.ports_len),
	BLOB(lobby_create.how.base, lobby_create.how.base_len), RAW(lobby_create.client),
	RAW(lobby_create.run_uid), RAW(lobby_create.run_gid));
FIELDS(f_lobby_runner, TEXT(lobby_runner.lobby), BLOB(lobby_runner.argv, lobby_runner.argv_len),
	TEXT(lobby_runner.how.runner), TEXT(lobby_runner.how.image),
	BLOB(lobby_runner.how.env, lobby_runner.how.env_len),
	BLOB(lobby_runner.how.mounts, lobby_runner.how.mounts_len),
	BLOB(lobby_runner.how.devices, lobby_runner.how.devices_len),
	BLOB(lobby_runner.how.ports, lobby_runner.how.ports_len),
	BLOB(lobby_runner.how.base, lobby_runner.how.base_len));
FIELDS(f_lobby_wish, RAW(lobby_wish.place), ENUM(lobby_wish.used, 2), RAW(lobby_wish.client),
	RAW(lobby_wish.only), RAW(lobby_wish.until_ms), TEXT(lobby_wish.lobby),
	TEXT(lobby_wish.pin), ENUM(lobby_wish.role, ROLES), RAW(lobby_wish.made_ms));
FIELDS(f_gate_desk, RAW(gate_desk.desk), ENUM(gate_desk.launcher, 2));
FIELDS(f_desk_ask, RAW(desk_ask.request), RAW(desk_ask.desk), ENUM(desk_ask.what, DESK_VERBS),
	ENUM(desk_ask.several, 2), RAW(desk_ask.app), TEXT(desk_ask.lobby), TEXT(desk_ask.owner),
	TEXT(desk_ask.pin), ENUM(desk_ask.open, 2));
FIELDS(f_desk_profile, RAW(desk_profile.desk), TEXT(desk_profile.profile));
FIELDS(f_lobby_created, RAW(lobby_created.request), TEXT(lobby_created.lobby),
	RAW(lobby_created.reason), TEXT(lobby_created.detail));
FIELDS(f_lobby_ask, RAW(lobby_ask.request), TEXT(lobby_ask.lobby), RAW(lobby_ask.session),
	TEXT(lobby_ask.pin), ENUM(lobby_ask.role, ROLES), RAW(lobby_ask.deadline_ms));
FIELDS(f_lobby_state, TEXT(lobby_state.lobby), TEXT(lobby_state.name), TEXT(lobby_state.icon),
	TEXT(lobby_state.owner), RAW(lobby_state.flags), ENUM(lobby_state.state, LOBBY_STATES),
	RAW(lobby_state.width), RAW(lobby_state.height), RAW(lobby_state.rate_x100),
	RAW(lobby_state.channels), RAW(lobby_state.app), RAW(lobby_state.members),
	RAW(lobby_state.created_ms), TEXT(lobby_state.state_folder), RAW(lobby_state.desktop),
	RAW(lobby_state.client));
FIELDS(f_lobby_cancel, RAW(lobby_cancel.request), TEXT(lobby_cancel.lobby));
FIELDS(f_clip, RAW(clip.request), RAW(clip.desk), RAW(clip.session), RAW(clip.size));
FIELDS(f_shot_ask, RAW(shot_ask.request), RAW(shot_ask.desk), RAW(shot_ask.deadline_ms),
	ENUM(shot_ask.jpeg, 2));
FIELDS(f_shot_start, RAW(shot_start.encoder), RAW(shot_start.size_max),
	ENUM(shot_start.jpeg, 2));
FIELDS(f_shot, RAW(shot.request), RAW(shot.size), RAW(shot.width), RAW(shot.height),
	ENUM(shot.jpeg, 2));
FIELDS(f_lobby_gone, TEXT(lobby_gone.lobby), RAW(lobby_gone.reason), TEXT(lobby_gone.detail));
FIELDS(f_lobby_member, TEXT(lobby_member.lobby), RAW(lobby_member.session),
	ENUM(lobby_member.role, ROLES), ENUM(lobby_member.present, 2), RAW(lobby_member.reason));
static const struct message_field f_none[] = { { 0 } };

#define P(kind) (1u << PEER_##kind)
#define WORKERS (~(P(SUPERVISOR) | P(HOLDER)) & ((1u << PEER_KINDS) - 1))
#define GATES (P(GATE) | P(WEB))
#define NOBODY 0 /* written down, never sent */

static const struct message_row catalogue[IPC_KINDS] = {
	/* kind                     name                  from            to              fds mark fields */
	[IPC_HELLO]             = { "hello",              WORKERS,        P(SUPERVISOR),  0, 0, f_hello },
	[IPC_START]             = { "start",              P(SUPERVISOR),  WORKERS,        1, 0, f_start },
	[IPC_STOP]              = { "stop",               P(SUPERVISOR),  WORKERS,        0, 0, f_stop },
	[IPC_STOPPED]           = { "stopped",            WORKERS,        P(SUPERVISOR),  0, 0, f_stopped },
	[IPC_POKE]              = { "poke",               P(SUPERVISOR),  WORKERS,        0, 1, f_poke },
	[IPC_FAILURE]           = { "failure",            WORKERS,        P(SUPERVISOR),  0, 0, f_stopped },

	[IPC_HOLD_PUT]          = { "hold-put",           P(SUPERVISOR),  P(HOLDER),      1, 0, f_hold },
	[IPC_HOLD_DROP]         = { "hold-drop",          P(SUPERVISOR),  P(HOLDER),      0, 0, f_hold },
	[IPC_HOLD_FD]           = { "hold-fd",            P(HOLDER),      P(SUPERVISOR),  1, 0, f_hold },
	[IPC_HOLD_END]          = { "hold-end",           P(HOLDER),      P(SUPERVISOR),  0, 0, f_none },
	[IPC_HOLD_EXITED]       = { "hold-exited",        P(HOLDER),      P(SUPERVISOR),  0, 0, f_hold_exited },
	[IPC_HOLD_QUIT]         = { "hold-quit",          P(SUPERVISOR),  P(HOLDER),      0, 0, f_hold_quit },
	[IPC_HOLD_READY]        = { "hold-ready",         P(SUPERVISOR),  P(HOLDER),      0, 0, f_none },

	[IPC_GATE_LISTEN]       = { "gate-listen",        P(SUPERVISOR),  GATES,          1, 0, f_gate_listen },
	[IPC_GATE_STORE]        = { "gate-store",         P(SUPERVISOR),  GATES,          1, 0, f_none },
	[IPC_GATE_OPTIONS]      = { "gate-options",       P(SUPERVISOR),  GATES,          0, 1, f_gate_options },
	[IPC_GATE_CODECS]       = { "gate-codecs",        P(SUPERVISOR),  GATES,          0, 1, f_gate_codecs },
	[IPC_GATE_APP]          = { "gate-app",           P(SUPERVISOR),  GATES,          0, 0, f_gate_app },
	[IPC_GATE_APPS_END]     = { "gate-apps-end",      P(SUPERVISOR),  GATES,          0, 0, f_none },
	[IPC_GATE_READY]        = { "gate-ready",         GATES,          P(SUPERVISOR),  0, 2, f_none },
	[IPC_LAUNCH]            = { "launch",             GATES,          P(SUPERVISOR),  0, 0, f_launch },
	[IPC_LAUNCHED]          = { "launched",           P(SUPERVISOR),  GATES,          0, 0, f_launched },
	[IPC_CANCEL]            = { "cancel",             GATES,          P(SUPERVISOR),  0, 0, f_cancel },
	[IPC_CANCELLED]         = { "cancelled",          P(SUPERVISOR),  GATES,          0, 0, f_answer },
	[IPC_SESSION_STATE]     = { "session-state",      P(SUPERVISOR),  GATES,          0, 0, f_session_state },
	[IPC_ANNOUNCE]          = { "announce",           P(GATE),        P(SUPERVISOR),  0, 0, f_announce },
	[IPC_ANNOUNCED]         = { "announced",          P(SUPERVISOR),  P(GATE),        0, 0, f_answer },
	[IPC_FLOW]              = { "flow",               P(GATE) | P(SUPERVISOR), P(SUPERVISOR) | P(STREAM), 1, 0, f_flow },
	[IPC_PLAY]              = { "play",               P(GATE),        P(SUPERVISOR),  0, 0, f_play },
	[IPC_PAIR_WAITING]      = { "pair-waiting",       P(GATE) | P(SUPERVISOR), P(SUPERVISOR) | P(WEB), 0, 0, f_pair_waiting },
	[IPC_PAIR_GONE]         = { "pair-gone",          P(GATE) | P(SUPERVISOR), P(SUPERVISOR) | P(WEB), 0, 0, f_pair_gone },
	[IPC_PAIR_PIN]          = { "pair-pin",           P(WEB) | P(SUPERVISOR), P(SUPERVISOR) | P(GATE), 0, 0, f_pair_pin },
	[IPC_PAIR_ANSWER]       = { "pair-answer",        P(GATE) | P(SUPERVISOR), P(SUPERVISOR) | P(WEB), 0, 0, f_answer },
	[IPC_STATUS_ASK]        = { "status-ask",         P(WEB),         P(SUPERVISOR),  0, 0, f_status_ask },
	[IPC_STATUS_LINE]       = { "status-line",        P(SUPERVISOR),  P(WEB),         0, 0, f_status_line },
	[IPC_STATUS_END]        = { "status-end",         P(SUPERVISOR),  P(WEB),         0, 0, f_status_end },
	[IPC_ART]               = { "art",                P(SUPERVISOR),  GATES,          1, 0, f_art },

	[IPC_IDENTITY]          = { "identity",           P(STORE),       GATES,          0, 0, f_identity },
	[IPC_CLIENT]            = { "client",             P(STORE),       GATES,          0, 0, f_client },
	[IPC_CLIENT_GONE]       = { "client-gone",        P(STORE),       GATES | P(SUPERVISOR), 0, 0, f_client_ref },
	[IPC_CLIENTS_END]       = { "clients-end",        P(STORE),       GATES,          0, 0, f_none },
	[IPC_CLIENT_ADD]        = { "client-add",         GATES,          P(STORE),       0, 0, f_client },
	[IPC_CLIENT_ADDED]      = { "client-added",       P(STORE),       GATES,          0, 0, f_client_ref },
	[IPC_CLIENT_REMOVE]     = { "client-remove",      GATES,          P(STORE),       0, 0, f_client_ref },
	[IPC_CLIENT_REMOVED]    = { "client-removed",     P(STORE),       GATES,          0, 0, f_client_ref },
	[IPC_STORE_OPEN]        = { "store-open",         P(SUPERVISOR),  P(STORE),       0, 0, f_store_open },
	[IPC_STORE_READY]       = { "store-ready",        P(STORE),       P(SUPERVISOR),  0, 2, f_store_ready },
	[IPC_STORE_PEER]        = { "store-peer",         P(SUPERVISOR),  P(STORE),       1, 0, f_store_peer },

	[IPC_DESKTOP_START]     = { "desktop-start",      P(SUPERVISOR),  P(DESKTOP),     1, 0, f_desktop_start },
	[IPC_DESKTOP_READY]     = { "desktop-ready",      P(DESKTOP),     P(SUPERVISOR),  0, 2, f_desktop_ready },
	[IPC_DESKTOP_RESIZE]    = { "desktop-resize",     P(SUPERVISOR),  P(DESKTOP),     0, 1, f_desktop_size },
	[IPC_DESKTOP_RESIZED]   = { "desktop-resized",    P(DESKTOP),     P(SUPERVISOR),  0, 1, f_desktop_size },
	[IPC_DESKTOP_ENCODER]   = { "desktop-encoder",    P(SUPERVISOR),  P(DESKTOP),     1, 0, f_desktop_encoder },
	[IPC_DESKTOP_ENCODER_GONE] = { "desktop-encoder-gone", P(SUPERVISOR), P(DESKTOP), 0, 0, f_desktop_encoder_gone },
	[IPC_DESKTOP_VIEWER]    = { "desktop-viewer",     P(SUPERVISOR),  P(DESKTOP),     1, 0, f_desktop_viewer },
	[IPC_DESKTOP_VIEWER_GONE] = { "desktop-viewer-gone", P(SUPERVISOR), P(DESKTOP),   0, 0, f_desktop_viewer },
	[IPC_DESKTOP_WINDOWS]   = { "desktop-windows",    P(DESKTOP),     P(SUPERVISOR),  0, 3, f_desktop_windows },

	[IPC_POOL]              = { "pool",               P(DESKTOP),     P(ENCODER),     1, 0, f_pool },
	[IPC_PICTURE]           = { "picture",            P(DESKTOP),     P(ENCODER),     0, 0, f_picture },
	[IPC_PICTURE_DONE]      = { "picture-done",       P(ENCODER),     P(DESKTOP),     0, 0, f_picture_done },
	[IPC_PICTURE_ASK]       = { "picture-ask",        P(ENCODER),     P(DESKTOP),     0, 1, f_none },

	[IPC_INPUT]             = { "input",              P(STREAM),      P(DESKTOP),     0, 0, f_input },
	[IPC_INPUT_RELEASE]     = { "input-release",      P(STREAM),      P(DESKTOP),     0, 0, f_none },

	[IPC_ENCODER_PROBE]     = { "encoder-probe",      P(SUPERVISOR),  P(ENCODER),     0, 0, f_encoder_probe },
	[IPC_ENCODER_PROBED]    = { "encoder-probed",     P(ENCODER),     P(SUPERVISOR),  0, 0, f_encoder_probed },
	[IPC_ENCODER_PROBE_END] = { "encoder-probe-end",  P(ENCODER),     P(SUPERVISOR),  0, 0, f_none },
	[IPC_PICTURE_ENCODER_START] = { "picture-encoder-start", P(SUPERVISOR), P(ENCODER), 1, 0, f_picture_encoder },
	[IPC_SOUND_ENCODER_START] = { "sound-encoder-start", P(SUPERVISOR), P(ENCODER),   0, 0, f_sound_encoder },
	[IPC_ENCODER_READY]     = { "encoder-ready",      P(ENCODER),     P(SUPERVISOR),  1, 2, f_encoder_ready },
	[IPC_ENCODER_READER]    = { "encoder-reader",     P(SUPERVISOR),  P(ENCODER),     2, 0, f_encoder_reader },
	[IPC_ENCODER_READER_GONE] = { "encoder-reader-gone", P(SUPERVISOR), P(ENCODER),   0, 0, f_encoder_reader },
	[IPC_ENCODER_RATE]      = { "encoder-rate",       P(SUPERVISOR),  P(ENCODER),     0, 1, f_encoder_rate },
	[IPC_ENCODER_RATED]     = { "encoder-rated",      P(ENCODER),     P(SUPERVISOR),  0, 1, f_encoder_rate },
	[IPC_KEYFRAME_ASK]      = { "keyframe-ask",       P(STREAM),      P(ENCODER),     0, 1, f_keyframe_ask },
	[IPC_INVALIDATE]        = { "invalidate",         P(STREAM),      P(ENCODER),     0, 0, f_invalidate },

	[IPC_STREAM_START]      = { "stream-start",       P(SUPERVISOR),  P(STREAM),      1, 0, f_stream_start },
	[IPC_STREAM_SOURCE]     = { "stream-source",      P(SUPERVISOR),  P(STREAM),      7, 0, f_stream_source },
	[IPC_STREAM_SOURCE_ACTIVE] = { "stream-source-active", P(STREAM), P(SUPERVISOR),  0, 2, f_stream_active },
	[IPC_STREAM_END]        = { "stream-end",         P(SUPERVISOR),  P(STREAM),      0, 0, f_stream_end },
	[IPC_STREAM_FIRST]      = { "stream-first",       P(STREAM),      P(SUPERVISOR),  0, 2, f_stream_first },
	[IPC_STREAM_LOST]       = { "stream-lost",        P(STREAM),      P(SUPERVISOR),  0, 2, f_stream_lost },
	[IPC_STREAM_STATS]      = { "stream-stats",       P(STREAM),      P(SUPERVISOR),  0, 1, f_stream_stats },

	[IPC_RUNNER_START]      = { "runner-start",       P(SUPERVISOR),  P(RUNNER),      0, 0, f_runner_start },
	[IPC_RUNNER_APP]        = { "runner-app",         P(RUNNER),      P(SUPERVISOR),  0, 2, f_runner_app },
	[IPC_RUNNER_EXITED]     = { "runner-exited",      P(RUNNER),      P(SUPERVISOR),  0, 2, f_runner_exited },

	[IPC_FACTS]             = { "facts",              P(FACTS),       P(SUPERVISOR),  0, 3, f_facts },
	[IPC_DISCOVER_START]    = { "discover-start",     P(SUPERVISOR),  P(DISCOVER),    0, 1, f_discover },
	[IPC_DISCOVERED]        = { "discovered",         P(DISCOVER),    P(SUPERVISOR),  0, 3, f_discover },
	[IPC_ART_DRAW]          = { "art-draw",           P(SUPERVISOR),  P(ART),         0, 0, f_art_draw },
	[IPC_ART_DRAWN]         = { "art-drawn",          P(ART),         P(SUPERVISOR),  1, 0, f_art_drawn },

	[IPC_OBEY]              = { "obey",               P(WEB) | P(SUPERVISOR), P(SUPERVISOR) | WORKERS, 0, 0, f_obey },
	[IPC_OBEYED]            = { "obeyed",             WORKERS | P(SUPERVISOR), P(SUPERVISOR) | P(WEB), 0, 0, f_obeyed },

	[IPC_STREAM_PICTURES]   = { "stream-pictures",    P(SUPERVISOR),  P(STREAM),      3, 0, f_stream_part },
	[IPC_STREAM_SOUND]      = { "stream-sound",       P(SUPERVISOR),  P(STREAM),      3, 0, f_stream_part },
	[IPC_STREAM_FLOW]       = { "stream-flow",        P(STREAM),      P(SUPERVISOR),  0, 0, f_stream_flow },
	[IPC_DESKTOP_ENCODER_LOST] = { "desktop-encoder-lost", P(DESKTOP), P(SUPERVISOR), 0, 0, f_desktop_encoder_lost },
	[IPC_RUNNER_HOLDS]      = { "runner-holds",       P(RUNNER),      P(SUPERVISOR),  2, 2, f_runner_holds },
	[IPC_RUNNER_GATE]       = { "runner-gate",        P(RUNNER),      P(SUPERVISOR),  1, 2, f_none },
	[IPC_RUNNER_ADOPT]      = { "runner-adopt",       P(SUPERVISOR),  P(RUNNER),      2, 0, f_runner_holds },
	[IPC_RESTART]           = { "restart",            P(WEB),         P(SUPERVISOR),  0, 0, f_restart },
	[IPC_RESTARTED]         = { "restarted",          P(SUPERVISOR),  P(WEB),         0, 0, f_answer },
	[IPC_HOLD_UPGRADE]      = { "hold-upgrade",       P(SUPERVISOR),  P(HOLDER),      0, 0, f_hold_upgrade },
	[IPC_HOLD_VERSION]      = { "hold-version",       P(HOLDER),      P(SUPERVISOR),  0, 0, f_hold_version },
	[IPC_UPGRADE]           = { "upgrade",            P(WEB),         P(SUPERVISOR),  0, 0, f_upgrade },
	[IPC_UPGRADE_ANSWER]    = { "upgrade-answer",     P(SUPERVISOR),  P(WEB),         0, 0, f_upgrade_answer },
	[IPC_LEDGER_VERSION]    = { "ledger-version",     NOBODY,         NOBODY,         0, 0, f_ledger_version },
	[IPC_LEDGER_UPGRADE]    = { "ledger-upgrade",     NOBODY,         NOBODY,         0, 0, f_ledger_upgrade },

	[IPC_BOARD]             = { "board",              P(SUPERVISOR),  P(WEB),         1, 0, f_none },
	[IPC_GUEST]             = { "guest",              P(SUPERVISOR),  P(GATE),        0, 0, f_guest },
	[IPC_GUEST_KNOWN]       = { "guest-known",        P(GATE),        P(SUPERVISOR),  0, 0, f_guest },
	[IPC_TRIAL_WHO]         = { "trial-who",          P(TRIAL),       P(SUPERVISOR),  0, 0, f_guest },
	[IPC_TRIAL_GO]          = { "trial-go",           P(SUPERVISOR),  P(TRIAL),       0, 0, f_trial_go },
	[IPC_TRIAL_DONE]        = { "trial-done",         P(TRIAL),       P(SUPERVISOR),  0, 0, f_trial_done },
	[IPC_TCP_WATCH]         = { "tcp-watch",          P(SUPERVISOR),  P(FACTS),       0, 1, f_tcp_watch },
	[IPC_TCP_STATES]        = { "tcp-states",         P(FACTS),       P(SUPERVISOR),  0, 1, f_tcp_states },

	[IPC_ENCODER_COST]      = { "encoder-cost",       P(ENCODER),     P(SUPERVISOR),  0, 0, f_encoder_cost },
	[IPC_FLOW_PROVEN]       = { "flow-proven",        P(STREAM) | P(SUPERVISOR), P(SUPERVISOR) | P(GATE), 0, 0, f_flow_proven },
	[IPC_HOLD_ASK]          = { "hold-ask",           P(HOLDER),      P(SUPERVISOR),  0, 1, f_hold_ask },
	[IPC_HOLD_ALIVE]        = { "hold-alive",         P(SUPERVISOR),  P(HOLDER),      0, 1, f_hold_ask },
	[IPC_WHO]               = { "who",                P(SUPERVISOR),  WORKERS,        0, 0, f_none },
	[IPC_I_AM]              = { "i-am",               WORKERS,        P(SUPERVISOR),  0, 0, f_i_am },
	[IPC_REQUEST_WAITS]     = { "request-waits",      P(GATE),        P(SUPERVISOR),  0, 0, f_request_waits },
	[IPC_LEDGER_HOST]       = { "ledger-host",        NOBODY,         NOBODY,         0, 0, f_ledger_host },
	[IPC_LEDGER_WORKER]     = { "ledger-worker",      NOBODY,         NOBODY,         0, 0, f_ledger_worker },
	[IPC_LEDGER_SESSION]    = { "ledger-session",     NOBODY,         NOBODY,         0, 0, f_ledger_session },
	[IPC_LEDGER_VIEW]       = { "ledger-view",        NOBODY,         NOBODY,         0, 0, f_ledger_view },
	[IPC_SOUND_DEAF]        = { "sound-deaf",         P(ENCODER),     P(SUPERVISOR),  0, 0, f_none },

	[IPC_LOBBY_CREATE]      = { "lobby-create",       P(WEB),         P(SUPERVISOR),  0, 0, f_lobby_create },
	[IPC_LOBBY_CREATED]     = { "lobby-created",      P(SUPERVISOR),  P(WEB),         0, 0, f_lobby_created },
	[IPC_LOBBY_JOIN]        = { "lobby-join",         P(WEB),         P(SUPERVISOR),  0, 0, f_lobby_ask },
	[IPC_LOBBY_LEAVE]       = { "lobby-leave",        P(WEB),         P(SUPERVISOR),  0, 0, f_lobby_ask },
	[IPC_LOBBY_STOP]        = { "lobby-stop",         P(WEB),         P(SUPERVISOR),  0, 0, f_lobby_ask },
	[IPC_LOBBY_KICK]        = { "lobby-kick",         P(WEB),         P(SUPERVISOR),  0, 0, f_lobby_ask },
	[IPC_LOBBY_ROLE]        = { "lobby-role",         P(WEB),         P(SUPERVISOR),  0, 0, f_lobby_ask },
	[IPC_LOBBY_PAUSE]       = { "lobby-pause",        P(WEB),         P(SUPERVISOR),  0, 0, f_lobby_ask },
	[IPC_LOBBY_RESUME]      = { "lobby-resume",       P(WEB),         P(SUPERVISOR),  0, 0, f_lobby_ask },
	[IPC_LOBBY_WISH]        = { "lobby-wish",         P(WEB) | P(SUPERVISOR), P(SUPERVISOR) | P(WEB), 0, 0, f_lobby_wish },
	[IPC_LOBBY_DONE]        = { "lobby-done",         P(SUPERVISOR),  P(WEB),         0, 0, f_answer },
	[IPC_LOBBY_STATE]       = { "lobby-state",        P(SUPERVISOR),  P(WEB),         0, 0, f_lobby_state },
	[IPC_LOBBY_GONE]        = { "lobby-gone",         P(SUPERVISOR),  P(WEB),         0, 0, f_lobby_gone },
	[IPC_LOBBY_MEMBER]      = { "lobby-member",       P(SUPERVISOR),  P(WEB),         0, 0, f_lobby_member },
	[IPC_DESKTOP_VIEWER_MAY] = { "desktop-viewer-may", P(SUPERVISOR), P(DESKTOP),     0, 0, f_desktop_viewer },
	[IPC_LEDGER_ENCODING]   = { "ledger-encoding",    NOBODY,         NOBODY,         0, 0, f_ledger_encoding },
	[IPC_LEDGER_LOBBY]      = { "ledger-lobby",       NOBODY,         NOBODY,         0, 0, f_ledger_lobby },
	[IPC_TOLD_SESSION]      = { "told-session",       P(SUPERVISOR),  P(WEB),         0, 0, f_told_session },
	[IPC_TOLD_EVENT]        = { "told-event",         P(SUPERVISOR),  P(WEB),         0, 0, f_told_event },
	[IPC_API_DO]            = { "api-do",             P(WEB),         P(SUPERVISOR),  0, 0, f_api_do },
	[IPC_API_DONE]          = { "api-done",           P(SUPERVISOR),  P(WEB),         0, 0, f_answer },
	[IPC_API_INPUT_ASK]     = { "api-input-ask",      P(WEB),         P(SUPERVISOR),  0, 0, f_api_input },
	[IPC_API_INPUT]         = { "api-input",          P(SUPERVISOR),  P(WEB),         1, 0, f_api_input },
	[IPC_KEYS_ASK]          = { "keys-ask",           P(WEB) | P(SUPERVISOR), P(SUPERVISOR) | P(DESKTOP), 0, 0, f_keys_ask },
	[IPC_KEYS]              = { "keys",               P(DESKTOP) | P(SUPERVISOR), P(SUPERVISOR) | P(WEB), 0, 0, f_keys },

	[IPC_TOKEN_ADD]         = { "token-add",          P(WEB),         P(STORE),       0, 0, f_token },
	[IPC_TOKEN]             = { "token",              P(STORE),       P(WEB),         0, 0, f_token },
	[IPC_TOKEN_REMOVE]      = { "token-remove",       P(WEB),         P(STORE),       0, 0, f_token_ref },
	[IPC_TOKEN_GONE]        = { "token-gone",         P(STORE),       P(WEB),         0, 0, f_token_ref },
	[IPC_CLIENT_SETTINGS]   = { "client-settings",    P(STORE),       GATES | P(SUPERVISOR), 0, 0, f_client_settings },
	[IPC_CLIENT_SET]        = { "client-set",         P(WEB) | P(SUPERVISOR), P(STORE),       0, 0, f_client_settings },
	[IPC_PROFILE]           = { "profile",            P(STORE),       P(WEB) | P(SUPERVISOR), 0, 0, f_profile },
	[IPC_PROFILE_GONE]      = { "profile-gone",       P(STORE),       P(WEB) | P(SUPERVISOR), 0, 0, f_profile_ref },
	[IPC_PROFILE_PUT]       = { "profile-put",        P(WEB) | P(SUPERVISOR), P(STORE),       0, 0, f_profile },
	[IPC_PROFILE_REMOVE]    = { "profile-remove",     P(WEB),         P(STORE),       0, 0, f_profile_ref },
	[IPC_PROFILE_PIN]       = { "profile-pin",        P(WEB),         P(STORE),       0, 0, f_profile_ref },
	[IPC_APP]               = { "app",                P(STORE),       P(WEB) | P(SUPERVISOR), 0, 0, f_app },
	[IPC_APP_GONE]          = { "app-gone",           P(STORE),       P(WEB) | P(SUPERVISOR), 0, 0, f_app_ref },
	[IPC_APP_PUT]           = { "app-put",            P(WEB),         P(STORE),       0, 0, f_app },
	[IPC_APP_REMOVE]        = { "app-remove",         P(WEB),         P(STORE),       0, 0, f_app_ref },
	[IPC_STATE_DONE]        = { "state-done",         P(STORE),       P(WEB),         0, 0, f_state_done },
	[IPC_STATE_END]         = { "state-end",          P(STORE),       P(SUPERVISOR),  0, 0, f_none },
	[IPC_CLIP_GET]          = { "clip-get",           P(WEB) | P(SUPERVISOR), P(SUPERVISOR) | P(DESKTOP), 0, 0, f_clip },
	[IPC_CLIP_SET]          = { "clip-set",           P(WEB) | P(SUPERVISOR), P(SUPERVISOR) | P(DESKTOP), 1, 0, f_clip },
	[IPC_CLIP]              = { "clip",               P(DESKTOP) | P(SUPERVISOR), P(SUPERVISOR) | P(WEB), 1, 0, f_clip },
	[IPC_CLIP_DONE]         = { "clip-done",          P(DESKTOP),     P(SUPERVISOR),  0, 0, f_answer },
	[IPC_SHOT_ASK]          = { "shot-ask",           P(WEB),         P(SUPERVISOR),  0, 0, f_shot_ask },
	[IPC_SHOT_START]        = { "shot-start",         P(SUPERVISOR),  P(ENCODER),     1, 0, f_shot_start },
	[IPC_SHOT_TAKEN]        = { "shot-taken",         P(ENCODER),     P(SUPERVISOR),  1, 0, f_shot },
	[IPC_SHOT]              = { "shot",               P(SUPERVISOR),  P(WEB),         1, 0, f_shot },
	[IPC_LOBBY_CANCEL]      = { "lobby-cancel",       P(WEB),         P(SUPERVISOR),  0, 0, f_lobby_cancel },
	[IPC_LOBBY_RUNNER]      = { "lobby-runner",       P(SUPERVISOR),  P(WEB),         0, 0, f_lobby_runner },
	[IPC_CONFIG_RELOAD]     = { "config-reload",      P(WEB),         P(SUPERVISOR),  0, 0, f_config_reload },
	[IPC_CONFIG_RELOADED]   = { "config-reloaded",    P(SUPERVISOR),  P(WEB),         0, 0, f_config_reloaded },
	[IPC_STREAM_CLIENT]     = { "stream-client",      P(SUPERVISOR),  P(STREAM),      0, 1, f_stream_client },
	[IPC_STREAM_COMBO]      = { "stream-combo",       P(STREAM),      P(SUPERVISOR),  0, 0, f_none },
	[IPC_GATE_DESK]         = { "gate-desk",          P(SUPERVISOR),  P(WEB),         1, 0, f_gate_desk },
	[IPC_GATE_DESK_GONE]    = { "gate-desk-gone",     P(SUPERVISOR),  P(WEB),         0, 0, f_gate_desk },
	[IPC_DESK_ASK]          = { "desk-ask",           P(WEB),         P(SUPERVISOR),  0, 0, f_desk_ask },
	[IPC_DESK_PROFILE]      = { "desk-profile",       P(WEB),         P(SUPERVISOR),  0, 0, f_desk_profile },
	[IPC_NOTICE_SHOW]       = { "notice-show",        P(SUPERVISOR),  P(NOTICE),      1, 0, f_notice },
	[IPC_NOTICE_WORDS]      = { "notice-words",       P(SUPERVISOR),  P(NOTICE),      0, 1, f_notice },
	[IPC_DESKTOP_NOTICE]    = { "desktop-notice",     P(SUPERVISOR),  P(DESKTOP),     1, 0, f_none },
	[IPC_RUNNER_PLAN]       = { "runner-plan",        P(SUPERVISOR),  P(RUNNER),      0, 0, f_runner_plan },
	[IPC_RUNNER_ENGINE_ASK] = { "runner-engine-ask",  P(RUNNER),      P(SUPERVISOR),  0, 0, f_none },
	[IPC_RUNNER_ENGINE]     = { "runner-engine",      P(SUPERVISOR),  P(RUNNER),      1, 0, f_none },
	[IPC_RUNNER_ENGINE_NONE] = { "runner-engine-none", P(SUPERVISOR), P(RUNNER),      0, 0, f_runner_engine },
	[IPC_RUNNER_PULL]       = { "runner-pull",        P(RUNNER),      P(SUPERVISOR),  0, 1, f_runner_pull },
	[IPC_RUNNER_LISTED]     = { "runner-listed",      P(RUNNER),      P(SUPERVISOR),  0, 0, f_none },
	[IPC_RUNNER_SWEEP]      = { "runner-sweep",       P(SUPERVISOR),  P(RUNNER),      0, 0, f_runner_sweep },
	[IPC_RUNNER_LINES]      = { "runner-lines",       P(RUNNER),      P(SUPERVISOR),  0, 1, f_runner_lines },
	[IPC_PAD_PLUG]          = { "pad-plug",           P(STREAM) | P(DESKTOP), P(DESKTOP) | P(STREAM), 0, 0, f_pad },
	[IPC_PAD_UNPLUG]        = { "pad-unplug",         P(STREAM),      P(DESKTOP),     0, 0, f_pad },
	[IPC_PAD_STATE]         = { "pad-state",          P(STREAM),      P(DESKTOP),     0, 0, f_pad_state },
	[IPC_PAD_SENSE]         = { "pad-sense",          P(STREAM),      P(DESKTOP),     0, 0, f_pad_sense },
	[IPC_PAD_FEEDBACK]      = { "pad-feedback",       P(DESKTOP),     P(STREAM),      0, 0, f_pad_feedback },
	[IPC_PAD_DEVICE_ASK]    = { "pad-device-ask",     P(DESKTOP),     P(SUPERVISOR),  0, 0, f_pad_device },
	[IPC_PAD_DEVICE]        = { "pad-device",         P(SUPERVISOR),  P(DESKTOP),     1, 0, f_pad_device },
	[IPC_PAD_DEVICE_NONE]   = { "pad-device-none",    P(SUPERVISOR),  P(DESKTOP),     0, 0, f_pad_device },
	[IPC_LEDGER_NOTICE]     = { "ledger-notice",      NOBODY,         NOBODY,         0, 0, f_ledger_notice },
	[IPC_SESSION_COMING]    = { "session-coming",     P(SUPERVISOR),  P(GATE),        0, 0, f_session_coming },
	[IPC_SESSION_EXPECTED]  = { "session-expected",   P(GATE),        P(SUPERVISOR),  0, 0, f_session_expected },
	[IPC_MEMORY_ASK]        = { "memory-ask",         P(WEB),         P(SUPERVISOR),  0, 0, f_memory_ask },
	[IPC_RUNNER_ADD]        = { "runner-add",         P(WEB),         P(SUPERVISOR),  0, 0, f_runner_add },
	[IPC_STATUS_ROWS]       = { "status-rows",        P(SUPERVISOR),  P(WEB),         1, 0, f_status_rows },
	[IPC_SESSION_START]     = { "session-start",      P(WEB),         P(SUPERVISOR),  0, 0, f_session_start },
	[IPC_IMAGE_ASK]         = { "image-ask",          P(WEB) | P(SUPERVISOR), P(SUPERVISOR) | P(RUNNER), 0, 0, f_image },
	[IPC_IMAGE_PIECE]       = { "image-piece",        P(RUNNER) | P(SUPERVISOR), P(SUPERVISOR) | P(WEB), 0, 0, f_image_piece },
	[IPC_IMAGE_DONE]        = { "image-done",         P(RUNNER) | P(SUPERVISOR), P(SUPERVISOR) | P(WEB), 0, 0, f_image_done },
	[IPC_HOLD_DIED]         = { "hold-died",          P(HOLDER),      P(SUPERVISOR),  0, 0, f_hold_died },
	[IPC_PAD_MADE]          = { "pad-made",           P(DESKTOP),     P(SUPERVISOR),  0, 0, f_pad_node },
	[IPC_PAD_GONE]          = { "pad-gone",           P(DESKTOP),     P(SUPERVISOR),  0, 0, f_pad_node },
	[IPC_RUNNER_PID]        = { "runner-pid",         P(RUNNER),      P(SUPERVISOR),  0, 2, f_runner_pid },
	[IPC_TOLD_PAD]          = { "told-pad",           P(SUPERVISOR),  P(WEB),         0, 0, f_told_pad },
};

static const char *const peer_names[PEER_KINDS] = {
	[PEER_SUPERVISOR] = "supervisor", [PEER_HOLDER] = "holder", [PEER_GATE] = "gate",
	[PEER_WEB] = "web", [PEER_STORE] = "store", [PEER_DESKTOP] = "desktop",
	[PEER_RUNNER] = "runner", [PEER_ENCODER] = "encoder", [PEER_STREAM] = "stream",
	[PEER_FACTS] = "facts", [PEER_DISCOVER] = "discover", [PEER_ART] = "art",
	[PEER_SOUND] = "sound", [PEER_TRIAL] = "trial",
	[PEER_NOTICE] = "notice",
};
/* clang-format on */

const char *ipc_peer_name(enum ipc_peer peer) {
	return peer < PEER_KINDS ? peer_names[peer] : "nobody";
}

const struct message_row *message_row(uint32_t kind) {
	return kind < ARRAY_LEN(catalogue) && catalogue[kind].name ? &catalogue[kind] : NULL;
}

const char *ipc_kind_name(enum ipc_kind kind) {
	const struct message_row *row = message_row(kind);
	return row ? row->name : "unknown";
}

size_t ipc_kind_fds(enum ipc_kind kind) {
	const struct message_row *row = message_row(kind);
	return row ? row->fds : 0;
}

bool ipc_kind_newest_only(enum ipc_kind kind) {
	const struct message_row *row = message_row(kind);
	return row && (row->mark & MARK_NEWEST);
}

bool ipc_kind_lasts(enum ipc_kind kind) {
	const struct message_row *row = message_row(kind);
	return row && (row->mark & MARK_LASTS);
}
