/* SPDX-License-Identifier: MIT */
/* X11 windows. Xwayland is wlroots' to start (with the first X11 client) and to
 * manage; without it in the build there is simply no X display. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "desktop/window.h"

#if WLR_HAS_XWAYLAND
struct x11_window {
	struct window window;
	struct wlr_xwayland_surface *surface; /* borrowed; its destroy ends us */
	struct wlr_scene_node *node;          /* owned while mapped */
	struct compat_x11_mapping mapping;
	struct wl_listener destroy, configure, fullscreen, activate, geometry;
};

static struct x11_window *of(struct window *window) {
	return wl_container_of(window, (struct x11_window *)NULL, window);
}

static struct wlr_surface *x11_surface(struct window *window) {
	return of(window)->surface->surface;
}

static void x11_activate(struct window *window, bool active) {
	struct wlr_xwayland_surface *surface = of(window)->surface;
	wlr_xwayland_surface_activate(surface, active);
	if (active) {
		wlr_xwayland_surface_restack(surface, NULL, XCB_STACK_MODE_ABOVE);
	}
}

static void x11_configure(struct window *window, const struct wlr_box *box, bool fills) {
	struct wlr_xwayland_surface *surface = of(window)->surface;
	wlr_xwayland_surface_set_fullscreen(surface, fills);
	if (fills) {
		wlr_xwayland_surface_configure(
				surface, 0, 0, (uint16_t)box->width, (uint16_t)box->height);
	}
}

static void x11_size(struct window *window, int *width, int *height) {
	*width = of(window)->surface->width;
	*height = of(window)->surface->height;
}

static struct window *x11_parent(struct window *window) {
	struct wlr_xwayland_surface *parent = of(window)->surface->parent;
	return parent && parent->data ? &((struct x11_window *)parent->data)->window : NULL;
}

static bool x11_wants_fill(struct window *window) {
	struct wlr_xwayland_surface *surface = of(window)->surface;
	return surface->fullscreen || (surface->maximized_vert && surface->maximized_horz);
}

static bool x11_wants_focus(struct window *window) {
	struct wlr_xwayland_surface *surface = of(window)->surface;
	if (surface->override_redirect) {
		return wlr_xwayland_or_surface_wants_focus(surface);
	}
	return wlr_xwayland_icccm_input_model(surface) != WLR_ICCCM_INPUT_MODEL_NONE;
}

static const struct window_impl x11_impl = {
	.surface = x11_surface,
	.activate = x11_activate,
	.configure = x11_configure,
	.size = x11_size,
	.parent = x11_parent,
	.wants_fill = x11_wants_fill,
	.wants_focus = x11_wants_focus,
};

static void attach(
		struct wl_signal *signal, struct wl_listener *listener, wl_notify_func_t notify) {
	listener->notify = notify;
	wl_signal_add(signal, listener);
}

/* X11 windows know where they are: after placing one it is told. */
static void tell_place(struct x11_window *x11) {
	struct wlr_xwayland_surface *surface = x11->surface;
	int x, y;
	if (wlr_scene_node_coords(x11->node, &x, &y) && (x != surface->x || y != surface->y)) {
		wlr_xwayland_surface_configure(
				surface, (int16_t)x, (int16_t)y, surface->width, surface->height);
	}
}

static void handle_map(struct wl_listener *listener, void *data) {
	(void)data;
	struct x11_window *x11 = wl_container_of(listener, x11, mapping.map);
	struct desktop *desktop = x11->window.desktop;
	struct wlr_xwayland_surface *surface = x11->surface;
	bool unmanaged = surface->override_redirect;
	x11->node = compat_scene_surface_create(
			desktop->layers[unmanaged ? LAYER_UNMANAGED : LAYER_WINDOWS],
			surface->surface);
	if (!x11->node) {
		return;
	}
	if (unmanaged) {
		wlr_scene_node_set_position(x11->node, surface->x, surface->y);
		if (x11_wants_focus(&x11->window)) {
			keyboard_enter(desktop, surface->surface);
		}
		pointer_refresh(desktop);
		return;
	}
	window_configure(&x11->window);
	window_map(&x11->window, x11->node);
	tell_place(x11);
}

static void handle_unmap(struct wl_listener *listener, void *data) {
	(void)data;
	struct x11_window *x11 = wl_container_of(listener, x11, mapping.unmap);
	struct desktop *desktop = x11->window.desktop;
	struct wlr_surface *surface = x11->surface->surface;
	bool had_keys = surface && surface == desktop->seat->keyboard_state.focused_surface;
	if (x11->node) {
		wlr_scene_node_destroy(x11->node);
		x11->node = NULL;
	}
	window_unmap(&x11->window);
	if (had_keys && desktop->focused) {
		keyboard_enter(desktop, desktop->focused->impl->surface(desktop->focused));
	}
	pointer_refresh(desktop);
}

static void handle_destroy(struct wl_listener *listener, void *data) {
	struct x11_window *x11 = wl_container_of(listener, x11, destroy);
	handle_unmap(&x11->mapping.unmap, data);
	x11->surface->data = NULL;
	compat_x11_mapping_end(&x11->mapping);
	struct wl_listener *all[] = { &x11->destroy, &x11->configure, &x11->fullscreen,
		&x11->activate, &x11->geometry };
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		wl_list_remove(&all[i]->link);
	}
	free(x11);
}

static void handle_configure(struct wl_listener *listener, void *data) {
	struct x11_window *x11 = wl_container_of(listener, x11, configure);
	struct wlr_xwayland_surface_configure_event *event = data;
	if (x11->window.mapped && x11->window.fills) {
		/* It is as large as we said; it is told so again. */
		window_configure(&x11->window);
		return;
	}
	wlr_xwayland_surface_configure(
			x11->surface, event->x, event->y, event->width, event->height);
}

static void handle_geometry(struct wl_listener *listener, void *data) {
	(void)data;
	struct x11_window *x11 = wl_container_of(listener, x11, geometry);
	if (!x11->node) {
		return;
	}
	if (!x11->window.mapped || !x11->window.fills) {
		wlr_scene_node_set_position(x11->node, x11->surface->x, x11->surface->y);
	}
}

static void handle_fullscreen(struct wl_listener *listener, void *data) {
	(void)data;
	struct x11_window *x11 = wl_container_of(listener, x11, fullscreen);
	if (x11->window.mapped) {
		window_configure(&x11->window);
		window_settle(&x11->window);
	}
}

static void handle_activate(struct wl_listener *listener, void *data) {
	(void)data;
	struct x11_window *x11 = wl_container_of(listener, x11, activate);
	if (x11->window.mapped) {
		window_focus(x11->window.desktop, &x11->window);
	}
}

static void handle_new_surface(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, new_x11_surface);
	struct wlr_xwayland_surface *surface = data;
	struct x11_window *x11 = calloc(1, sizeof(*x11));
	if (!x11) {
		return;
	}
	window_init(&x11->window, desktop, &x11_impl);
	x11->surface = surface;
	surface->data = x11;
	compat_x11_mapping_begin(&x11->mapping, surface, handle_map, handle_unmap);
	attach(&surface->events.destroy, &x11->destroy, handle_destroy);
	attach(&surface->events.request_configure, &x11->configure, handle_configure);
	attach(&surface->events.request_fullscreen, &x11->fullscreen, handle_fullscreen);
	attach(&surface->events.request_activate, &x11->activate, handle_activate);
	attach(&surface->events.set_geometry, &x11->geometry, handle_geometry);
}

/* X11 clients that set no cursor of their own show this one. */
static void handle_ready(struct wl_listener *listener, void *data) {
	(void)data;
	struct desktop *desktop = wl_container_of(listener, desktop, x11_ready);
	wlr_xwayland_set_seat(desktop->xwayland, desktop->seat);
	struct wlr_xcursor *xcursor =
			wlr_xcursor_manager_get_xcursor(desktop->xcursors, "left_ptr", 1);
	if (xcursor && xcursor->image_count > 0) {
		struct wlr_xcursor_image *image = xcursor->images[0];
		wlr_xwayland_set_cursor(desktop->xwayland, image->buffer, image->width * 4,
				image->width, image->height, (int32_t)image->hotspot_x,
				(int32_t)image->hotspot_y);
	}
}

/* A socket that listens and that nobody can name. */
static int listen_unseen(int display) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	text_format(address.sun_path, sizeof(address.sun_path), "/tmp/.X11-unix/.perigee-%d-%d",
			display, (int)getpid());
	OWN(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(address.sun_path); /* of a process of that number that was killed in between */
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		return -errno;
	}
	int rc = listen(fd, 1) < 0 ? -errno : 0;
	unlink(address.sun_path);
	return rc < 0 ? rc : TAKE(fd, -1);
}

static int handle_nothing(int fd, uint32_t mask, void *user) {
	(void)fd;
	(void)mask;
	(void)user;
	return 0;
}

/* wlroots has two sockets for a display. The abstract one has no file, so every app in this
 * network could reach it, also one that sees no other desktop's files: another socket takes its
 * place. Clients take the one with the file then. */
static int close_abstract(struct wlr_xwayland_server *server, struct wl_event_loop *loop) {
	OWN(fd_close) int fd = listen_unseen(server->display);
	if (fd < 0) {
		return fd;
	}
	struct wl_event_source *source =
			wl_event_loop_add_fd(loop, fd, WL_EVENT_READABLE, handle_nothing, NULL);
	if (!source) {
		return -ENOMEM;
	}
	/* The loop has a copy of the old one, which goes with its source. */
	if (dup3(fd, server->x_fd[0], O_CLOEXEC) < 0) {
		int rc = -errno;
		wl_event_source_remove(source);
		return rc;
	}
	wl_event_source_remove(server->x_fd_read_event[0]);
	server->x_fd_read_event[0] = source;
	return 0;
}

/* One line instead of wlroots' one for every display that it tries. */
static void explain(void) {
	static const char folder[] = "/tmp/.X11-unix";
	const char *reason = "no display number is free, or Xwayland is not installed";
	const char *remedy = "install xwayland; remove the /tmp/.X*-lock files of dead servers";
	struct stat status;
	if (lstat(folder, &status) < 0) {
		reason = "/tmp/.X11-unix is missing and cannot be made";
		remedy = "as root: mkdir -m 1777 /tmp/.X11-unix";
	} else if (!S_ISDIR(status.st_mode)) {
		reason = "/tmp/.X11-unix is not a folder";
		remedy = "as root: rm /tmp/.X11-unix && mkdir -m 1777 /tmp/.X11-unix";
	} else if (status.st_uid != 0 && status.st_uid != getuid()) {
		reason = "/tmp/.X11-unix belongs to another user";
		remedy = "as root: chown root /tmp/.X11-unix && chmod 1777 /tmp/.X11-unix";
	} else if (access(folder, W_OK) < 0 || !(status.st_mode & S_ISVTX)) {
		reason = "/tmp/.X11-unix cannot be written or is not sticky";
		remedy = "as root: chmod 1777 /tmp/.X11-unix";
	}
	log_warning("no-x11", "reason=\"%s\" remedy=\"%s\"", reason, remedy);
}

void x11_begin(struct desktop *desktop) {
	desktop->xwayland = wlr_xwayland_create(desktop->display, desktop->compositor, true);
	if (!desktop->xwayland) {
		explain();
		return;
	}
	int rc = close_abstract(
			desktop->xwayland->server, wl_display_get_event_loop(desktop->display));
	if (rc < 0) {
		log_warning("no-x11",
				"reason=\"its abstract socket stays open to everybody\" error=%s",
				log_quote(strerror(-rc)).text);
		x11_end(desktop);
		return;
	}
	attach(&desktop->xwayland->events.new_surface, &desktop->new_x11_surface,
			handle_new_surface);
	attach(&desktop->xwayland->events.ready, &desktop->x11_ready, handle_ready);
}

void x11_end(struct desktop *desktop) {
	if (desktop->xwayland) {
		wlr_xwayland_destroy(desktop->xwayland);
		desktop->xwayland = NULL;
	}
}

const char *desktop_x_display(const struct desktop *desktop) {
	return desktop->xwayland ? desktop->xwayland->display_name : "";
}
#else
void x11_begin(struct desktop *desktop) {
	(void)desktop;
	log_info("no-x11", "reason=\"wlroots was built without Xwayland\"");
}

void x11_end(struct desktop *desktop) {
	(void)desktop;
}

const char *desktop_x_display(const struct desktop *desktop) {
	(void)desktop;
	return "";
}
#endif
