// A WebSocket to a proven peer as a link.
import type { WebSocket } from "ws";
import type { ProvenKey } from "./host-key.ts";
import { Inbox } from "./inbox.ts";
import type { Link } from "./link.ts";

/** A peer that answers no ping for so long is gone: a cut cable closes no socket. */
const PING_MS = 15_000;
/** A reason longer than this does not fit into the close frame of a WebSocket. */
const LONGEST_REASON = 100;
/** How long a peer may take to say goodbye. */
const GOODBYE_MS = 1000;

const keepAlive = (socket: WebSocket): void => {
	let isAnswered = true;
	socket.on("pong", () => {
		isAnswered = true;
	});
	const timer = setInterval(() => {
		if (!isAnswered) socket.terminate();
		isAnswered = false;
		if (socket.readyState === socket.OPEN) socket.ping();
	}, PING_MS);
	timer.unref();
	socket.once("close", () => {
		clearInterval(timer);
	});
};

/** The link over an open socket whose other end has proven to be a host. */
export const socketLink = (socket: WebSocket, { host, succession }: ProvenKey): Link => {
	const inbox = new Inbox();
	const close = (reason: string): void => {
		if (inbox.isClosed) return;
		inbox.closed(reason);
		socket.close(1000, Buffer.from(reason).toString("ascii").slice(0, LONGEST_REASON));
		setTimeout(() => {
			socket.terminate();
		}, GOODBYE_MS).unref();
	};
	/** The empty text is no frame, so that the listener counts it as such. */
	const noFrame = (reason: string): void => {
		inbox.message("");
		close(reason);
	};
	socket.on("message", (data, isBinary) => {
		if (isBinary || !Buffer.isBuffer(data)) noFrame("the peer sent what is no frame");
		else if (!inbox.message(data.toString("utf8"))) close("the peer sent too much too early");
	});
	socket.on("error", (error) => {
		if ("code" in error && String(error.code).startsWith("WS_ERR_")) noFrame(error.message);
		else close(error.message);
	});
	socket.on("close", (_code, reason) => {
		inbox.closed(reason.toString("utf8") || "the connection ended");
	});
	keepAlive(socket);
	return {
		peer: host,
		succession,
		send: (text) => {
			if (!inbox.isClosed && socket.readyState === socket.OPEN) socket.send(text);
		},
		waiting: () => socket.bufferedAmount,
		listen: (listener) => {
			inbox.listen(listener);
		},
		close,
	};
};
