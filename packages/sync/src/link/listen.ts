// The door for peers: TLS 1.3, both certificates pinned, and no byte of a stranger is read as a frame.

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Duplex } from "node:stream";
import { KnibError } from "@knib/core";
import { WebSocketServer } from "ws";
import { LONGEST_FRAME } from "../wire/frames.ts";
import type { Link } from "./link.ts";
import { isTelling, newerKeysHeader, toldKeys } from "./newer-key.ts";
import { answerPairing, isPairing } from "./pairing.ts";
import { socketLink } from "./socket-link.ts";
import { credentials, type KeyRules, provenPeer } from "./tls.ts";

/** What a listener works with. */
export type ListenOptions = KeyRules & {
	readonly host: string;
	/** 0 takes a free one. */
	readonly port: number;
	/** True for a host whose links are taken. */
	readonly isMember: (host: string) => boolean;
	readonly onLink: (link: Link) => void;
	/** Answers a host that wants to be paired, whoever it is; what it throws is told to it in words. Absent: nobody is paired here. */
	readonly pair?: (peer: string, request: unknown) => Promise<unknown>;
};

/** Peers may call here until it is closed. */
export interface Listener {
	readonly port: number;
	/** Shows the key of now to whoever calls from now on; open links stay. */
	readonly renew: () => void;
	/** How many were turned away: without a certificate, with one of a stranger or of a key that its host has left, or for speaking something else. */
	readonly refused: () => number;
	/** Takes no one any more and ends the links; repeatable. */
	close(): Promise<void>;
}

/** Links open or being made at once; more are not taken. */
const MOST_CONNECTIONS = 256;
const HANDSHAKE_MS = 10_000;

/** Opens the door for peers. Rejects when the address cannot be taken. */
export const listenForPeers = async (options: ListenOptions): Promise<Listener> => {
	const { key, isMember, onLink, newerKeys, onToldKeys } = options;
	let refused = 0;
	const server = createServer({
		...credentials(key()),
		requestCert: true,
		rejectUnauthorized: false,
		handshakeTimeout: HANDSHAKE_MS,
		headersTimeout: HANDSHAKE_MS,
	});
	server.maxConnections = MOST_CONNECTIONS;
	const sockets = new WebSocketServer({
		noServer: true,
		maxPayload: LONGEST_FRAME,
		perMessageDeflate: false,
	});
	const refuse = (socket: Duplex, newer?: string): void => {
		refused += 1;
		const told = newer === undefined ? "" : newerKeysHeader(newer);
		socket.end(`HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n${told}\r\n`);
	};
	server.on("tlsClientError", (_error, socket) => {
		refused += 1;
		socket.destroy();
	});
	server.on("clientError", (_error, socket) => {
		refused += 1;
		socket.destroy();
	});
	/** Answers who asks to be paired; false when it asks for something else. */
	const pairs = (request: IncomingMessage, response: ServerResponse): boolean => {
		const proven = provenPeer(request.socket);
		const { pair } = options;
		if (proven === undefined || pair === undefined || !isPairing(request)) return false;
		const answer = async (body: unknown): Promise<unknown> => {
			if (newerKeys?.(proven) === undefined) return pair(proven.host, body);
			throw new KnibError("PAIRING_FAILED", "the key of this host was replaced by a newer one");
		};
		void answerPairing(request, response, answer).then((taken) => {
			if (!taken) refused += 1;
		});
		return true;
	};
	server.on("request", (request, response) => {
		if (pairs(request, response)) return;
		const told = isTelling(request) ? toldKeys(request.headers) : undefined;
		if (told !== undefined) onToldKeys?.(told);
		else refused += 1;
		response.writeHead(told === undefined ? 404 : 204, { connection: "close" }).end();
	});
	server.on("upgrade", (request, socket, head) => {
		// A socket that fails before it is a link takes nothing with it.
		socket.on("error", () => undefined);
		const proven = provenPeer(socket);
		const newer = proven === undefined ? undefined : newerKeys?.(proven);
		if (proven === undefined || !isMember(proven.host) || newer !== undefined) {
			refuse(socket, newer);
			return;
		}
		sockets.handleUpgrade(request, socket, head, (open) => {
			onLink(socketLink(open, proven));
		});
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(options.port, options.host, () => {
			server.off("error", reject);
			resolve();
		});
	});
	const address = server.address();
	return {
		port: typeof address === "object" && address !== null ? address.port : options.port,
		refused: () => refused,
		renew: () => {
			server.setSecureContext(credentials(key()));
		},
		close: async () => {
			for (const socket of sockets.clients) socket.terminate();
			server.closeAllConnections();
			await new Promise<void>((resolve) => {
				server.close(() => {
					resolve();
				});
			});
		},
	};
};
