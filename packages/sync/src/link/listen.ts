// The door for peers: TLS 1.3, both certificates pinned, and no byte of a stranger is read as a frame.

import type { KeyObject } from "node:crypto";
import { createServer } from "node:https";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import { LONGEST_FRAME } from "../wire/frames.ts";
import { certifiedHost, createCertificate } from "./certificate.ts";
import type { Link } from "./link.ts";
import { answerPairing, isPairing } from "./pairing.ts";
import { socketLink } from "./socket-link.ts";

/** What a listener works with. */
export type ListenOptions = {
	readonly privateKey: KeyObject;
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
	/** How many were turned away: without a certificate, with one of a stranger, or for speaking something else. */
	readonly refused: () => number;
	/** Takes no one any more and ends the links; repeatable. */
	close(): Promise<void>;
}

/** Links open or being made at once; more are not taken. */
const MOST_CONNECTIONS = 256;
const HANDSHAKE_MS = 10_000;

/** Opens the door for peers. Rejects when the address cannot be taken. */
export const listenForPeers = async (options: ListenOptions): Promise<Listener> => {
	const { privateKey, isMember, onLink } = options;
	let refused = 0;
	const server = createServer({
		key: privateKey.export({ type: "pkcs8", format: "pem" }),
		cert: createCertificate(privateKey),
		minVersion: "TLSv1.3",
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
	const refuse = (socket: Duplex): void => {
		refused += 1;
		socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
	};
	server.on("tlsClientError", (_error, socket) => {
		refused += 1;
		socket.destroy();
	});
	server.on("clientError", (_error, socket) => {
		refused += 1;
		socket.destroy();
	});
	server.on("request", (request, response) => {
		const certificate =
			request.socket instanceof TLSSocket ? request.socket.getPeerCertificate() : undefined;
		const peer = certifiedHost(certificate?.raw);
		const { pair } = options;
		if (peer !== undefined && pair !== undefined && isPairing(request)) {
			void answerPairing(request, response, (body) => pair(peer, body)).then((taken) => {
				if (!taken) refused += 1;
			});
			return;
		}
		refused += 1;
		response.writeHead(404, { connection: "close" }).end();
	});
	server.on("upgrade", (request, socket, head) => {
		// A socket that fails before it is a link takes nothing with it.
		socket.on("error", () => undefined);
		const certificate =
			request.socket instanceof TLSSocket ? request.socket.getPeerCertificate() : undefined;
		const peer = certifiedHost(certificate?.raw);
		if (peer === undefined || !isMember(peer)) {
			refuse(socket);
			return;
		}
		sockets.handleUpgrade(request, socket, head, (open) => {
			onLink(socketLink(open, peer));
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
