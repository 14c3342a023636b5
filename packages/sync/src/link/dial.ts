// Calling a peer: once, or again and again with growing pauses.
import type { KeyObject } from "node:crypto";
import { TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import { LONGEST_FRAME } from "../wire/frames.ts";
import { certifiedHost, createCertificate } from "./certificate.ts";
import type { Link } from "./link.ts";
import { socketLink } from "./socket-link.ts";

/** Whom to call, and as whom. */
export type DialOptions = {
	readonly privateKey: KeyObject;
	readonly host: string;
	readonly port: number;
	/** The id that the other end has to prove. */
	readonly peer: string;
};

const HANDSHAKE_MS = 10_000;
const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** True for the one of two hosts that calls the other, so that a pair has one link. */
export const isDialer = (self: string, peer: string): boolean => self < peer;

/** The pause before the next call after so many that failed; `random` in [0, 1) spreads the hosts. */
export const pauseMs = (failures: number, random: number): number =>
	Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(failures, 20)) * (0.5 + random / 2);

/** Calls a peer. Rejects when nobody answers there, or somebody else. */
export const dialPeer = async ({ privateKey, host, port, peer }: DialOptions): Promise<Link> =>
	new Promise((resolve, reject) => {
		const socket = new WebSocket(`wss://${host.includes(":") ? `[${host}]` : host}:${port}/`, {
			key: privateKey.export({ type: "pkcs8", format: "pem" }),
			cert: createCertificate(privateKey),
			minVersion: "TLSv1.3",
			rejectUnauthorized: false,
			handshakeTimeout: HANDSHAKE_MS,
			maxPayload: LONGEST_FRAME,
			perMessageDeflate: false,
		});
		let proven: string | undefined;
		socket.on("upgrade", (response) => {
			const certificate =
				response.socket instanceof TLSSocket ? response.socket.getPeerCertificate() : undefined;
			proven = certifiedHost(certificate?.raw);
			if (proven === peer) return;
			reject(new Error(`another host answers at ${host}:${port}`));
			socket.terminate();
		});
		socket.on("error", reject);
		socket.once("open", () => {
			if (proven === peer) resolve(socketLink(socket, peer));
		});
	});

/** Keeps a link to a peer: calls, and calls again whenever it ends, until the returned function is called. */
export const keepDialing = (
	options: DialOptions,
	onLink: (link: Link, ended: () => void) => void,
): (() => void) => {
	let failures = 0;
	let timer: NodeJS.Timeout | undefined;
	let stopped = false;
	const again = (): void => {
		if (stopped) return;
		timer = setTimeout(call, pauseMs(failures, Math.random()));
		timer.unref();
		failures += 1;
	};
	const call = (): void => {
		dialPeer(options).then(
			(link) => {
				if (stopped) {
					link.close("this host goes");
					return;
				}
				failures = 0;
				onLink(link, again);
			},
			() => {
				again();
			},
		);
	};
	call();
	return () => {
		stopped = true;
		clearTimeout(timer);
	};
};
